"""What the answers of access tables and policy services do (access(5); SD-32, SD-33, SD-57)."""

from __future__ import annotations

import re
from collections.abc import Callable

from pytwfix.accept.smtpd import log
from pytwfix.accept.smtpd.restrictions import Parser, with_subject
from pytwfix.accept.smtpd.state import DUNNO, OK, Answer, State, Subject, Verdict
from pytwfix.mail.reply import Reply

_STATUS = re.compile(r"([245])(\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|\Z)")


class Actions:
    """Right-hand sides; `name` is the table or service that they come from. Lists in them mean what they mean in the
    list at hand."""

    __slots__ = ("_table_check", "name", "parser")

    def __init__(self, parser: Parser, name: str) -> None:
        self.name = name
        self.parser = parser
        self._table_check = parser.table_check

    def act(self, state: State, value: str, key: bytes, subject: Subject) -> Answer:
        """What a right-hand side does."""
        word, _, text = value.strip().partition(" ")
        text = text.strip()
        action = _ACTIONS.get(word.upper())
        if action is not None:
            if action is _ok:
                self._tell(state, word, subject)
            return action(Match(self, state, key, subject, text))
        if word.isdecimal():
            if not text:
                self._tell(state, word, subject)
            return _numbered(state, word, text, subject)
        if not word:
            return DUNNO
        restrictions = self.parser.parse(value, self._table_check)
        return with_subject(state, subject, restrictions.check)

    def _tell(self, state: State, word: str, subject: Subject) -> None:
        if state.config.tells_of(word):
            log.permit(state, word, subject.kind, subject.name, self.name)


class Match:
    """An entry that was found, for the actions below."""

    __slots__ = ("key", "state", "subject", "table", "text")

    def __init__(self, table: Actions, state: State, key: bytes, subject: Subject, text: str) -> None:
        self.table = table
        self.state = state
        self.key = key
        self.subject = subject
        self.text = text

    def note(self, action: str, default: str) -> None:
        log.reject(self.state, action, f"<{self.subject.name}>: {self.subject.kind} {self.text or default}")

    def complain(self, need: str) -> Verdict:
        key = self.key.decode("utf-8", "replace")
        self.state.host.log.warning(f'access table {self.table.name} entry "{key}" requires {need}')
        return DUNNO


def status_and_text(code: int, default_detail: str, text: str, default: str) -> tuple[str, str]:
    """An enhanced status at the start of `text` counts, but its class is that of `code` (SD-33)."""
    found = _STATUS.match(text)
    detail = found.group(2) if found else default_detail
    if found:
        text = text[found.end() :]
    return f"{code // 100}{detail}", text or default


def _refusal(state: State, code: int, text: str, subject: Subject, default: str = "Access denied") -> Verdict:
    found = _STATUS.match(text)
    if found:
        text = text[found.end() :]
    dsn = state.adapted(found.group(1) + found.group(2), subject.kind) if found else "0.7.1"
    dsn = f"{code // 100}{dsn[1:]}"
    return state.reject(code, dsn, f"<{subject.name}>: {subject.kind} rejected: {text or default}")


def _numbered(state: State, word: str, text: str, subject: Subject) -> Answer:
    if not text:
        return OK
    code = int(word)
    if len(word) == 3 and 400 <= code < 600:
        return _refusal(state, code, text, subject)
    log.unknown_restriction(state.host.log, word)
    return state.misconfigured()


def _reject(match: Match) -> Answer:
    return _refusal(match.state, match.state.config.codes.access_map_reject, match.text, match.subject)


def _defer(match: Match) -> Answer:
    return _refusal(match.state, match.state.config.codes.access_map_defer, match.text, match.subject)


def _conditional(match: Match) -> tuple[int, str, str]:
    code = match.state.config.codes.access_map_defer
    dsn, text = status_and_text(code, ".7.1", match.text, "Service unavailable")
    dsn = match.state.adapted(dsn, match.subject.kind)
    return code, dsn, f"<{match.subject.name}>: {match.subject.kind} rejected: {text}"


def _defer_if_reject(match: Match) -> Answer:
    return match.state.defer_if_reject(*_conditional(match))


def _defer_if_permit(match: Match) -> Answer:
    return match.state.defer_if_permit(*_conditional(match))


def _hangup(match: Match) -> Answer:
    log.reject(match.state, "hangup", match.text)
    match.state.hangup = True
    return Reply(421, "4.7.0", "", hangup=True)


def _info(match: Match) -> Answer:
    log.reject(match.state, "info", match.text)
    return DUNNO


def _warn(match: Match) -> Answer:
    log.reject(match.state, "warn", match.text)
    return DUNNO


def _unavailable(match: Match, action: str) -> bool:
    """Whether there is no mail that `action` could be done to: behind ETRN, before MAIL, and where there is no queue
    file because mail goes through a before-queue filter (SD-32, SD-48)."""
    state = match.state
    if state.stage == "ETRN" and action != "PREPEND":
        why = f"action {action} is unavailable in smtpd_etrn_restrictions"
    elif state.sender is None:
        what = "always skipped in Client host or Helo command restrictions"
        why = f"with smtpd_delay_reject=no, action {action} is {what}"
    elif state.config.proxy is not None and action != "PREPEND":
        why = f"with smtpd_proxy_filter specified, action {action} is unavailable"
    else:
        return False
    state.host.log.warning(f"access table {match.table.name}: {why}")
    return True


def _filter(match: Match) -> Answer:
    if _unavailable(match, "FILTER"):
        return DUNNO
    transport, colon, _ = match.text.partition(":")
    if not colon or not transport:
        return match.complain("transport:destination")
    target, match.text = match.text, f"triggers FILTER {match.text}"
    match.note("filter", "")
    match.state.actions.append(("filter", target))
    return DUNNO


def _hold(match: Match) -> Answer:
    if not _unavailable(match, "HOLD") and not match.state.hold:
        match.note("hold", "triggers HOLD action")
        match.state.hold = True
        match.state.actions.append(("hold", match.text))
    return DUNNO


def _discard(match: Match) -> Answer:
    if _unavailable(match, "DISCARD"):
        return DUNNO
    match.note("discard", "triggers DISCARD action")
    match.state.discard = True
    match.state.actions.append(("discard", match.text))
    return OK


def _address_action(name: str) -> Callable[[Match], Answer]:
    def act(match: Match) -> Answer:
        if _unavailable(match, name.upper()):
            return DUNNO
        if "@" not in match.text:
            return match.complain("user@domain target")
        target, match.text = match.text, f"triggers {name.upper()} {match.text}"
        match.note(name, "")
        match.state.actions.append((name, target))
        return DUNNO

    return act


def _prepend(match: Match) -> Answer:
    if _unavailable(match, "PREPEND"):
        return DUNNO
    if match.state.stage == "END-OF-MESSAGE":
        match.state.host.log.warning(f"access table {match.table.name}: action PREPEND must be used before DATA ends")
        return DUNNO
    name, colon, _ = match.text.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        return match.complain("header: text")
    match.state.actions.append(("prepend", match.text))
    return DUNNO


def _ok(match: Match) -> Answer:
    return OK


def _dunno(match: Match) -> Answer:
    return DUNNO


_ACTIONS: dict[str, Callable[[Match], Answer]] = {
    "OK": _ok,
    "RELAY": _ok,
    "DUNNO": _dunno,
    "REJECT": _reject,
    "DEFER": _defer,
    "DEFER_IF_REJECT": _defer_if_reject,
    "DEFER_IF_PERMIT": _defer_if_permit,
    "HANGUP": _hangup,
    "INFO": _info,
    "WARN": _warn,
    "FILTER": _filter,
    "HOLD": _hold,
    "DISCARD": _discard,
    "REDIRECT": _address_action("redirect"),
    "BCC": _address_action("bcc"),
    "PREPEND": _prepend,
}

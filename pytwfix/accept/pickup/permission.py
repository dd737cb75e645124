"""Who may submit mail, and in whose name (INVENTORY PD-1: authorized_submit_users, local_login_sender_maps)."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.settings.commands import CommandSettings
from pytwfix.tables.addresses import split_extension
from pytwfix.tables.maps import Maps
from pytwfix.tables.matchlists import StringList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_ANYONE, _ANY_SENDER = "static:anyone", "static:*"


async def check(host: IHost, uid: int, sender: bytes) -> None:
    """MailError when the user may not submit mail, or not with this sender."""
    cfg = host.settings(CommandSettings)
    if cfg.authorized_submit_users == _ANYONE and cfg.local_login_sender_maps == _ANY_SENDER:
        return
    login = await host.threads.run(_login, uid)
    try:
        users = StringList(host.tables, cfg.authorized_submit_users, "authorized_submit_users")
        if not await users.match(login or "unknown"):
            raise _refused(f"User {login or 'unknown'}({uid}) is not allowed to submit mail")
        login = login or f"uid:{uid}"
        maps = Maps(host.tables, cfg.local_login_sender_maps, "local_login_sender_maps", log=host.log)
        allowed = await maps.lookup(login.encode())
    except TableError as error:
        raise MailError(Reply(451, "4.3.0", "Temporary lookup failure"), str(error)) from error
    patterns = split_list((allowed or b"").decode("utf-8", "surrogateescape"))
    null = cfg.empty_address_local_login_sender_maps_lookup_key
    if not _permits(patterns, sender, null, cfg.recipient_delimiter.encode()):
        shown = sender.decode("utf-8", "replace")
        raise _refused(f"User {login}({uid}) is not allowed to submit mail as <{shown}>")


def _login(uid: int) -> str:
    """The user's name, "" for a number that has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _permits(patterns: list[str], sender: bytes, null: str, delimiter: bytes) -> bool:
    """Whether a pattern stands for the sender: `*`, `<>`, `@domain`, or an address without its extension."""
    local, at, domain = sender.rpartition(b"@")
    if not at:
        local, domain = sender, b""
    bare = split_extension(local, delimiter)[0] + at + domain
    forms = {form.decode("utf-8", "surrogateescape").lower() for form in (sender, bare, b"@" + domain) if form != b"@"}
    for pattern in patterns:
        if pattern == "*" or (pattern == null and not sender) or (sender and pattern.lower() in forms):
            return True
    return False


def _refused(text: str) -> MailError:
    return MailError(Reply(550, "5.7.1", text))

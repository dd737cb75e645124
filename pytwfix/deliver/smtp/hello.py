"""From the greeting to a session that takes mail: EHLO or HELO, STARTTLS, AUTH (SM-5, OB-1, OB-2, OB-4, OB-6).

Trouble: the server does not want us, or we do not want it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble, loops_back
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.dialogs.smtp_client_hello import Features, parse_features
from pytwfix.mail.status import Dsn
from pytwfix.mail.tlsrpt import Fault, shortened

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.dialogs.smtp_client_replies import Answer

# A PIX firewall hides what the greeting says.
_PIX = re.compile(r"220[- ][02 *]*\*{5}[02 *]*\Z")
_SMTP_PORT = 25
NO_STARTTLS = "starttls-not-supported"


class Hello:
    """The beginning of one session, for a mail that has waited `age` seconds from `sender`."""

    def __init__(
        self, session: Session, policy: Policy, destination: Destination, queue_id: str, age: float, sender: bytes
    ) -> None:
        self._session = session
        self._policy = policy
        self._destination = destination
        self._queue_id = queue_id
        self._age = age
        self._sender = sender
        self._config = session.config
        self._cfg = session.config.cfg
        self._log = session.config.host.log

    async def run(self) -> None:
        session, policy = self._session, self._policy
        if self._cfg.smtp_tls_wrappermode and policy.level != "none":
            await self._start_tls()
        greeting = await self._greeting()
        await self._introduce(greeting)
        if policy.level != "none" and session.tls is None:
            await self._offer_tls()
        elif "STARTTLS" in session.features and session.tls is None and self._cfg.smtp_tls_note_starttls_offer:
            log.starttls_offered(self._log, session.host)
        if self._config.passwords is not None:
            await self._config.passwords.log_in(session, self._destination, self._sender)

    async def _greeting(self) -> Answer:
        session = self._session
        answer = await session.answer(Stage.GREETING)
        if answer.kind != 2:
            raise self._session.refused(answer, self._cfg.smtp_skip_5xx_greeting)
        if _PIX.match(answer.text):
            await self._work_around(answer)
        return answer

    async def _work_around(self, answer: Answer) -> None:
        """smtp_pix_workarounds; the one that costs time only when the mail has waited long enough to make it likely."""
        words = self._cfg.smtp_pix_workarounds
        maps = self._config.maps(self._cfg.smtp_pix_workaround_maps, "smtp_pix_workaround_maps")
        if maps:
            found = await self._look_up(maps)
            words = words if found is None else found
        chosen = words.replace(",", " ").lower().split()
        if self._age < self._cfg.smtp_pix_workaround_threshold_time:
            chosen = [word for word in chosen if word != "delay_dotcrlf"]
        if chosen:
            self._session.pix = frozenset(chosen)
            log.pix_workarounds(self._log, self._queue_id, " ".join(chosen), self._session.relay)

    async def _look_up(self, maps: object) -> str | None:
        """What a table says of the server's address."""
        from pytwfix.tables.maps import Maps

        assert isinstance(maps, Maps)
        try:
            value = await maps.lookup(self._session.server.address.encode("ascii", "replace"))
        except TableError:
            log.table_problem(self._log, maps.title, self._session.server.address)
            raise Trouble(Dsn("4.3.0", "Temporary lookup error")) from None
        return None if value is None else value.decode("utf-8", "replace")

    async def _introduce(self, greeting: Answer) -> None:
        """EHLO, or HELO where that is not understood; LHLO is all that LMTP knows."""
        session, cfg = self._session, self._cfg
        if self._config.lmtp:
            answer = await session.ask(b"LHLO " + self._config.hello, Stage.LHLO)
            if answer.kind != 2:
                raise self._session.refused(answer)
            await self._learn(answer)
            return
        wanted = cfg.smtp_always_send_ehlo or "ESMTP" in greeting.text.upper().split()
        if wanted and not cfg.smtp_never_send_ehlo and "disable_esmtp" not in session.pix:
            answer = await session.ask(b"EHLO " + self._config.hello, Stage.EHLO)
            if answer.kind == 2:
                await self._learn(answer)
                return
            if answer.code == 421:
                raise self._session.refused(answer)
        answer = await session.ask(b"HELO " + self._config.hello, Stage.HELO)
        if answer.kind != 2:
            raise self._session.refused(answer)
        session.learn(Features())

    async def _learn(self, answer: Answer) -> None:
        session = self._session
        discard = self._config.discard_words
        if self._config.discard_maps:
            found = await self._look_up(self._config.discard_maps)
            discard = discard if found is None else frozenset(found.replace(",", " ").lower().split())
        features = parse_features(answer, discard)
        if discard:
            offered = parse_features(answer).keywords
            gone = sorted(word for word in offered if word not in features.keywords)
            if gone:
                log.features_discarded(self._log, " ".join(gone))
        own = self._cfg.myhostname.lower()
        if features.host.lower() == own and session.server.port == _SMTP_PORT and not self._config.lmtp:
            log.own_name(self._log, session.relay, self._cfg.myhostname)
            raise loops_back(self._destination.host)
        size = features.keywords.get("SIZE", "")
        if size and not features.size and size.strip("0"):
            log.size_limit(self._log, size, session.relay)
        session.learn(features)

    # TLS.

    async def _offer_tls(self) -> None:
        session, policy = self._session, self._policy
        must = policy.mandatory
        if "STARTTLS" not in session.features:
            if must:
                text = f"TLS is required, but was not offered by host {session.namaddr}"
                raise Trouble(Dsn("4.7.4", text), session.relay, fault=Fault(NO_STARTTLS))
            session.fault = Fault(NO_STARTTLS)
            return
        answer = await session.ask(b"STARTTLS", Stage.STARTTLS)
        if answer.kind != 2:
            if must:
                text = f"TLS is required, but host {session.namaddr} refused to start TLS: {answer.text}"
                reply = answer.text
                dsn = Dsn(answer.failure, text, "", "smtp", reply, "dns", session.host)
                raise Trouble(dsn, session.relay, fault=Fault(NO_STARTTLS, shortened(reply)))
            session.fault = Fault(NO_STARTTLS, shortened(answer.text))
            return
        await self._start_tls()
        await self._introduce(answer)

    async def _start_tls(self) -> None:
        from pytwfix.deliver.smtp import tls  # OpenSSL and its like are not needed by all

        await tls.start(self._session, self._policy, self._destination)

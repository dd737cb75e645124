"""One mail over a session (SM-6, SM-7, SM-9, OB-3).

Commands leave in one write where the server knows PIPELINING. Content that is at hand whole leaves in one write too, at
once when the server asks for it; other content is fetched piece by piece by whoever waits for us. What the server said
of each recipient is in `answers`; a connection that ends leaves them undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.basics.tasks import fired
from pytwfix.dialogs.smtp_client import Probe, Stage, Todo, Transfer
from pytwfix.dialogs.smtp_client_content import stuffed

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.session import Session
    from pytwfix.dialogs.smtp_client_replies import Answer

_EARLY = b".\r\n"


class Mailing:
    """A transfer under way. `begin` fires when it is over, or when content is wanted (`wants_content`)."""

    __slots__ = ("_content", "_done", "_limits", "_sending", "_session", "_transfer", "_unsent", "_wire", "stage")

    def __init__(
        self,
        session: Session,
        mail: bytes,
        recipients: Sequence[bytes],
        content: bytes | None,
        probe: Probe,
        before: Sequence[bytes],
    ) -> None:
        self._session = session
        self._wire = session.wire
        self._limits = session.config.limits
        self._content = content
        self._done: Deferred[None] | None = None
        self._sending = False  # content is to be written by whoever waits for us
        self._unsent = False  # content that was written has not left yet
        self.stage: Stage | None = None  # what was due when the connection ended; None: it has not
        self._transfer = Transfer(
            session.wire.client,
            mail,
            recipients,
            pipelining=session.pipelining,
            lmtp=session.config.lmtp,
            probe=probe,
            before=before,
        )

    @property
    def answers(self) -> list[tuple[Stage, Answer] | None]:
        return self._transfer.answers

    @property
    def complaints(self) -> list[Answer]:
        return self._transfer.complaints

    @property
    def complete(self) -> bool:
        """The server has had the mail: the session is ready for another one as it is."""
        return self._transfer.complete

    @property
    def wants_content(self) -> bool:
        return self._sending

    def begin(self) -> Deferred[None]:
        return self._go_on()

    def finish(self) -> Deferred[None]:
        """The content has been written, its end included, or the connection has ended before."""
        self._sending = False
        if self._wire.gone:
            self._lose(Stage.BODY)
            return fired(None)
        self._transfer.content_sent()
        return self._go_on()

    def _go_on(self) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self._done = done
        self._wire.listen(self._progress)
        self._progress()
        return done

    def _progress(self) -> None:
        """Bytes have come, or no more will."""
        if self._done is None:
            return
        wire = self._wire
        todo = self._transfer.advance()
        while todo is Todo.CONTENT or todo is Todo.NOTHING:
            if not self._send(todo):
                self._fire()
                return
            todo = self._transfer.advance()
        if todo is Todo.DONE:
            self._fire()
        elif wire.gone:
            self._lose(Stage.BODY if self._unsent else wire.client.waiting or Stage.END)
            self._fire()
        else:
            wire.flush()
            wire.limit(self._limits[Stage.BODY if self._unsent else wire.client.waiting])

    def _send(self, todo: Todo) -> bool:
        """The content, if it is at hand."""
        wire = self._wire
        if todo is Todo.NOTHING:
            wire.write(_EARLY)
        elif self._content is None or "delay_dotcrlf" in self._session.pix:
            self._sending = True
            wire.limit(self._limits[Stage.BODY])
            return False
        else:
            wire.write(stuffed(self._content))
            self._content = None
            if wire.blocked is not None:
                self._unsent = True
                wire.blocked.addCallback(self._all_sent)
        self._transfer.content_sent()
        return True

    def _all_sent(self, _none: None) -> None:
        """The server has read what waited for it, or never will."""
        if not self._wire.gone:
            self._unsent = False
        self._progress()

    def _lose(self, stage: Stage) -> None:
        if self.stage is None:
            self.stage = stage

    def _fire(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._wire.listen(None)
            done.callback(None)

"""postcat(1): a queue file in words (INVENTORY PT-1). Light: no Twisted, nothing of the daemon.

With -v padding and pointers are shown too, with -r and -v all records in the order in which they lie in the file.

Sections are chosen by -e (envelope), -h (header), -b (body); without any all are shown. Exit status 0, or 1 after
`postcat: fatal: text`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import BinaryIO

from pytwfix.commands.options import parse
from pytwfix.commands.submission import configuration, die, value, warn
from pytwfix.mail.queueid import valid
from pytwfix.spool import records
from pytwfix.spool.cursor import POINTER, Cursor, Read
from pytwfix.spool.paths import QueuePaths
from pytwfix.spool.records import BadRecord, Record

_PROGRAM = "postcat"
_USAGE = (
    "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)]"
    " [-f (prefix file name)] [-h (header text)] [-q (access queue)] [-v] [file(s)...]"
)
_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt", "saved")
_NAMES = {
    "C": "message_size", "T": "message_arrival_time", "c": "queue_file_create_time", "F": "sender_fullname",
    "I": "content_inspector", "L": "content_filter", "S": "sender", "D": "done_recipient", "R": "recipient",
    "O": "original_recipient", "/": "canceled_recipient", "W": "warning_message_time", "A": "named_attribute",
    "K": "killed_record", ">": "redirect_to", "f": "flags", "r": "return_receipt", "e": "errors_to", "P": "priority",
    "V": "verp_delimiters", "<": "dsn_return_flags", "i": "dsn_envelope_id", "o": "dsn_original_recipient",
    "n": "dsn_notify_flags", "w": "padding", "p": "pointer_record",
}  # fmt: skip
_KINDS = {ord(kind): name for kind, name in _NAMES.items()}
_ENVELOPE, _CONTENT, _EXTRACTED = range(3)
_MESSAGE, _EXTRACT, _END, _SIZE, _TIME, _WARN, _ATTRIBUTE, _NORMAL, _CONTINUED, _PADDING = b"MXECTWANLw"


class Postcat:
    """One run. `letters` are the options that were given."""

    def __init__(self, options: dict[str, str], out: BinaryIO) -> None:
        shown = {letter for letter in "ehb" if f"-{letter}" in options}
        self.envelope = not shown or "e" in shown
        self.header = not shown or "h" in shown
        self.body = not shown or "b" in shown
        self.decimal = "-d" in options
        self.offsets = "-o" in options
        self.raw = "-r" in options and "-v" in options
        self.verbose = "-v" in options
        self.prefixed = "-f" in options
        self.start = _number(options["-s"]) if "-s" in options else 0
        self._out = out
        self.name = b""  # of the file that is shown
        self._pending = False  # a line whose end has not come

    # -- output ----------------------------------------------------------------------------------------------------

    def _line(self, item: Record, text: bytes, end: bytes = b"\n") -> None:
        prefix = b""
        if not self._pending:
            if self.prefixed:
                prefix = self.name + b": "
            if self.offsets:
                prefix += b"%9d " % item.offset
            if self.decimal:
                prefix += b"%3d " % item.kind
        self._pending = not end
        self._out.write(prefix + text + end)

    def _section(self, item: Record, text: bytes) -> None:
        if self.envelope:
            self._line(item, b"*** %b %b ***" % (text, self.name))

    # -- one file --------------------------------------------------------------------------------------------------

    def show(self, fd: int, name: str) -> None:
        """All of one file. BadRecord when it is cut off."""
        self.name = os.fsencode(name)
        read = _reader(fd)
        first = read(1, 0)
        if not first:
            return
        if not self.start and first not in (records.SIZE, records.TIME):
            warn(_PROGRAM, f"warning: {name}: input is not a valid queue file")
            return
        cursor = Cursor(read, self.start, raw=True)
        if self.envelope and not self.start:
            self._out.write(b"*** ENVELOPE RECORDS %b ***\n" % self.name)
        self._records(cursor)

    def _records(self, cursor: Cursor) -> None:
        section, in_header, limit = _ENVELOPE, True, 0
        for item in self._items(cursor):
            kind = item.kind
            if kind == _SIZE and section == _ENVELOPE:
                limit = self._content_end(item)
            if kind == _MESSAGE:
                section = _CONTENT
                self._section(item, b"MESSAGE CONTENTS")
                if not (self.header or self.body) and limit and not self.raw:
                    cursor.at = limit
            elif kind == _EXTRACT:
                section = _EXTRACTED
                self._section(item, b"HEADER EXTRACTED")
            elif kind == _END:
                self._section(item, b"MESSAGE FILE END")
                if not self.raw:
                    return
            elif section == _CONTENT:
                if in_header and kind in (_NORMAL, _CONTINUED) and not self._pending:
                    in_header = _is_header(item.data)
                self._text(item, in_header)
            else:
                self._word(item)

    def _items(self, cursor: Cursor) -> Iterator[Record]:
        """Records to be shown. One behind padding has the offset of the padding, as in Postfix."""
        hidden = -1
        while True:
            item = cursor.next()
            if item is None:
                return
            if item.kind in (_PADDING, POINTER):
                if self.verbose:
                    yield item
                elif hidden < 0:
                    hidden = item.offset
                if item.kind == POINTER and not self.raw:
                    cursor.jump(item)
                continue
            yield item if hidden < 0 else item._replace(offset=hidden)
            hidden = -1

    @staticmethod
    def _content_end(item: Record) -> int:
        try:
            size, offset = (int(text) for text in item.data.split()[:2])
        except ValueError:
            return 0
        return offset + size if size >= 0 and offset > 0 else 0

    def _text(self, item: Record, in_header: bool) -> None:
        kind = item.kind
        if not (self.header if in_header else self.body):
            return
        if kind not in (_NORMAL, _CONTINUED):
            self._word(item, force=True)
        elif self.verbose:
            self._line(item, (b"regular_text: " if kind == _NORMAL else b"unterminated_text: ") + item.data)
        else:
            alone = kind == _NORMAL or self.offsets or self.decimal
            self._line(item, item.data, b"\n" if alone else b"")

    def _word(self, item: Record, force: bool = False) -> None:
        kind = item.kind
        if not (self.envelope or force):
            return
        name = _KINDS.get(kind, "unknown_record_type").encode()
        text = item.data
        if kind in (_TIME, _WARN):
            text = _date(text)
        elif kind == _ATTRIBUTE and text.startswith(b"create_time="):
            name, text = b"create_time", _date(text.partition(b"=")[2])
        self._line(item, name + b": " + text)


def _is_header(line: bytes) -> bool:
    """Whether a line may be part of a header: a field, or more of one."""
    if line[:1] in (b" ", b"\t"):
        return True
    name, colon, _ = line.partition(b":")
    name = name.rstrip(b" \t")
    return bool(colon and name) and all(32 < char < 127 for char in name)


def _date(text: bytes) -> bytes:
    try:
        return time.ctime(int(text.split()[0])).encode()
    except (ValueError, IndexError, OverflowError):
        return text


def _number(text: str) -> int:
    if not text.isdecimal():
        die(_PROGRAM, f"bad offset: {text}", 1)
    return int(text)


def _reader(fd: int) -> Read:
    """pread of a file, or of what a pipe gives, read as a whole."""
    try:
        os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        pieces = []
        while piece := os.read(fd, 1 << 16):
            pieces.append(piece)
        data = b"".join(pieces)
        return lambda size, offset: data[offset : offset + size]
    return lambda size, offset: os.pread(fd, size, offset)


def _find(paths: QueuePaths, queue_id: str) -> tuple[int, str]:
    """The open file of a queue ID, and its name, wherever it is. Moves between queues do not hide it."""
    if not valid(queue_id):
        die(_PROGRAM, f"bad mail queue ID: {queue_id}", 1)
    for queue in _QUEUES * 2:
        path = paths.path(queue, queue_id)
        try:
            return os.open(path, os.O_RDONLY), path[len(paths.directory) + 1 :]
        except FileNotFoundError:
            continue
        except OSError as error:
            die(_PROGRAM, f"open queue file {queue_id}: {error.strerror}", 1)
    die(_PROGRAM, f"open queue file {queue_id}: No such file or directory", 1)


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, names = parse(_PROGRAM, arguments, "bc:defhoqrs:v", _USAGE, 1)
    options = dict(found)
    out = sys.stdout.buffer
    cat = Postcat(options, out)
    try:
        _show_all(cat, options, names)
        out.flush()
    except BadRecord as error:
        out.flush()
        warn(_PROGRAM, f"warning: {os.fsdecode(cat.name)}: {error}")
        die(_PROGRAM, "record read error", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0


def _show_all(cat: Postcat, options: dict[str, str], names: list[str]) -> None:
    if not names:
        cat.show(0, "stdin")
        return
    paths = None
    if "-q" in options:
        config = configuration(_PROGRAM, options.get("-c", ""), 1)
        paths = QueuePaths(
            value(config, "queue_directory"), value(config, "hash_queue_names"), int(value(config, "hash_queue_depth"))
        )
    for name in names:
        if paths is not None:
            fd, shown = _find(paths, name)
        else:
            try:
                fd, shown = os.open(name, os.O_RDONLY), name
            except OSError as error:
                die(_PROGRAM, f"open {name}: {error.strerror}", 1)
        try:
            cat.show(fd, shown)
        finally:
            os.close(fd)


if __name__ == "__main__":
    sys.exit(main())

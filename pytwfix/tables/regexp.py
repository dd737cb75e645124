"""regexp: POSIX patterns by the C library's regcomp and regexec (MT-2, RX-5).

Compiled in the C locale whatever the process's is: patterns and subjects are bytes. A NUL ends a subject.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from pytwfix.tables.literals import Texts, needs
from pytwfix.tables.regexprogram import Groups, Matcher
from pytwfix.tables.regexrules import BadRule, RegexTable

# PyDLL: a match takes a microsecond, giving up the interpreter lock for it costs more.
_libc = ctypes.PyDLL(None, use_errno=False)
_GNU = hasattr(_libc, "gnu_get_libc_version")
_LINUX = sys.platform.startswith("linux")
_EXTENDED, _ICASE, _NOSUB, _NEWLINE = (1, 2, 8, 4) if _LINUX else (1, 2, 4, 8)
_SIZE = 512  # of a regex_t, at least
_offset = ctypes.c_int if _GNU else ctypes.c_ssize_t


class _Span(ctypes.Structure):
    _fields_ = [("start", _offset), ("end", _offset)]


_libc.regcomp.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
_libc.regexec.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int]
_libc.regerror.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_libc.regerror.restype = ctypes.c_size_t
_libc.regfree.argtypes = [ctypes.c_void_p]
_libc.regfree.restype = None
_libc.newlocale.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
_libc.newlocale.restype = ctypes.c_void_p
_libc.uselocale.argtypes = [ctypes.c_void_p]
_libc.uselocale.restype = ctypes.c_void_p
_ALL_LOCALE_MASK = 0x1FBF if _LINUX else 0x3F
_c_locale = _libc.newlocale(_ALL_LOCALE_MASK, b"C", None)


class _Compiled:
    """A regex_t that is freed with its last user."""

    def __init__(self, pattern: bytes, bits: int) -> None:
        self.code = ctypes.create_string_buffer(_SIZE)
        self.free = _libc.regfree
        self.compiled = False
        before = _libc.uselocale(_c_locale) if _c_locale else None
        try:
            error = _libc.regcomp(self.code, pattern, bits)
        finally:
            if before:
                _libc.uselocale(before)
        if error:
            text = ctypes.create_string_buffer(256)
            _libc.regerror(error, self.code, text, 256)
            raise BadRule(text.value.decode("ascii", "replace"))
        self.compiled = True

    def __del__(self) -> None:
        if self.compiled:
            self.free(self.code)


class Regexp(RegexTable):
    flag_names = b"imx"
    two_patterns = True

    def compile(self, pattern: bytes, flags: frozenset[int]) -> tuple[Matcher, int]:
        extended = ord("x") not in flags
        bits = _EXTENDED if extended else 0
        if ord("i") not in flags:
            bits |= _ICASE
        if ord("m") in flags:
            bits |= _NEWLINE
        groups = count_groups(pattern, extended)
        if groups == 0:
            return _tester(_Compiled(pattern, bits | _NOSUB)), 0
        return _extractor(_Compiled(pattern, bits), groups), groups

    def texts(self, pattern: bytes, flags: frozenset[int]) -> list[Texts]:
        return [] if ord("x") in flags else needs(pattern, perl=False)  # x: basic syntax, which is another


def _tester(compiled: _Compiled) -> Matcher:
    regexec, address = _libc.regexec, ctypes.addressof(compiled.code)

    def match(subject: bytes, keep: _Compiled = compiled) -> Groups | None:
        return () if regexec(address, subject, 0, None, 0) == 0 else None

    return match


def _extractor(compiled: _Compiled, groups: int) -> Matcher:
    regexec, address = _libc.regexec, ctypes.addressof(compiled.code)
    spans_type = _Span * (groups + 1)
    free: list[tuple[Any, int]] = []  # places for results: one for each thread that asks at this moment

    def match(subject: bytes, keep: _Compiled = compiled) -> Groups | None:
        try:
            spans, where = free.pop()
        except IndexError:
            spans = spans_type()
            where = ctypes.addressof(spans)
        found: Groups | None = None
        if regexec(address, subject, groups + 1, where, 0) == 0:
            found = [subject[span.start : span.end] if span.start >= 0 else None for span in spans[1:]]
        free.append((spans, where))
        return found

    return match


def count_groups(pattern: bytes, extended: bool) -> int:
    """How many groups a pattern has: `(` in extended form, `\\(` in basic form, outside of brackets."""
    count = index = 0
    while index < len(pattern):
        char = pattern[index : index + 1]
        if char == b"\\":
            count += not extended and pattern[index + 1 : index + 2] == b"("
            index += 2
        elif char == b"[":
            index = _after_bracket(pattern, index)
        else:
            count += extended and char == b"("
            index += 1
    return count


def _after_bracket(pattern: bytes, index: int) -> int:
    """The place behind a bracket expression: `[]abc]`, `[^]]`, `[[:alpha:]]`."""
    index += 1
    if pattern[index : index + 1] == b"^":
        index += 1
    if pattern[index : index + 1] == b"]":
        index += 1
    while index < len(pattern):
        char = pattern[index : index + 1]
        if char == b"]":
            return index + 1
        if char == b"[" and pattern[index + 1 : index + 2] in (b":", b".", b"="):
            end = pattern.find(pattern[index + 1 : index + 2] + b"]", index + 2)
            if end < 0:
                return len(pattern)
            index = end + 2
        else:
            index += 1
    return index

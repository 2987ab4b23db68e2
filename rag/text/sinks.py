r"""Text that others wrote, made fit for where it goes: a terminal, a shell's command line, JSON, an editor.

A document, a question or a file's name may hold what a sink acts on instead of showing: an escape sequence
that rewrites the screen, a mark that turns the reading direction, a line break that begins another command.
There is one set of such characters, and one function for each sink.
"""

from __future__ import annotations

import json
import re
import shlex

# Controls, marks without width, direction overrides, line separators, half surrogates (UTF-8 cannot write
# them), tags and selectors that only a machine sees.
UNSEEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{UNSEEN}]")
_SPACE = re.compile(r"\s+")


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def clean(text: str) -> str:
    r"""For a terminal: the text in one line, white space evened out, nothing in it that a terminal acts on.

    >>> clean("red\x1b[31m \n  alert \u202egnp.exe")
    'red␛[31m alert <U+202E>gnp.exe'
    """
    return _UNSEEN.sub(_visible, _SPACE.sub(" ", text))


def clean_line(text: str) -> str:
    r"""For a line of a file or a screen: as ``clean``, its spaces at the beginning kept.

    >>> clean_line("  two  \x1b[2J")
    '  two ␛[2J'
    """
    body = text.lstrip(" ")
    return " " * (len(text) - len(body)) + clean(body)


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_lines(text: str) -> str:
    r"""For a copy of a person's own text: lines, tabs and joiners kept, controls made visible.

    >>> clean_lines("one\n\ttwo\x1b[2J")
    'one\n\ttwo␛[2J'
    """
    return _CONTROLS.sub(_visible, text)


def without_unseen(text: str) -> str:
    r"""The text in one line without the characters nobody sees, for a table cell, where each costs a column.

    >>> without_unseen("a\x1b[31mb\n c\u202e")
    'a[31mb c'
    """
    return _UNSEEN.sub("", " ".join(text.split()))


def json_line(value: object) -> str:
    r"""For a pipe or a file: the value as JSON in one line, with no character in it that a terminal acts on.

    >>> print(json_line({"quote": "café \u202egnp\x9b"}))
    {"quote": "café \u202egnp\u009b"}
    """
    return _UNSEEN.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def shell_word(text: object) -> str:
    r"""For a command line that somebody pastes: one word, whatever stands in it.

    It stays the same word after ``clean``, so what such characters stand for is written as the escapes that
    bash, zsh and ksh read between $' and '.

    >>> print(shell_word("/home/u/my papers"), shell_word("$(ls) it's"), shell_word("a\nb  c"))
    '/home/u/my papers' '$(ls) it'"'"'s' $'a\012b\040\040c'
    """
    told = str(text)
    if clean(told) == told:
        return shlex.quote(told)
    out = []
    for byte in told.encode("utf-8", "surrogateescape"):
        plain = chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "/._-+=:,@")
        out.append(chr(byte) if plain else f"\\{byte:03o}")
    return f"$'{''.join(out)}'"


def without_comment(command: str) -> str:
    """A command line of ours without what is said after it; a path in it keeps what looks like that.

    >>> without_comment("rag index --store '/a  # b'  # embeddings are reused")
    "rag index --store '/a  # b'"
    """
    return re.sub(r"  # [^']*\Z", "", command)


def file_name(text: str) -> str:
    r"""For a file's name in running text, such as a reference: line breaks and controls made visible.

    >>> file_name("minutes\n2017.md")
    'minutes␊2017.md'
    """
    return _UNSEEN.sub(_visible, text)

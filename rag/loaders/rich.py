"""Rich text (.rtf): paragraphs, headings, lists, tables and footnotes; what was deleted or hidden left out.

Our own reader of the format's control words: the libraries there are give flat text, keep deletions, lose
footnotes, and one takes the square of a file's length over its links. A place's line is the number of the
paragraph, counted from 1 as in a Word file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.records import BlockKind
from rag.text.blocks import letter_kind
from rag.text.dates import dates_in
from rag.text.layout import looks_like_heading

_TYPE = "application/rtf"
_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})?[ ]?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    r"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
# Groups that hold no words of the text. Any that opens with \* is one too.
_SKIPPED = frozenset(
    "annotation atnauthor atndate atnid atnref author background bkmkend bkmkstart colortbl comment company"
    " datafield filetbl fldinst footer footerf footerl footerr ftnsep ftnsepc aftnsep aftnsepc generator"
    " header headerf headerl headerr keywords latentstyles listtable listoverridetable nonesttables"
    " nonshppict objdata operator pict pntxta pntxtb private result revtbl rsidtbl rxe subject tc template"
    " themedata xe".split()
)
_ITEM = {"listtext", "pntext"}  # the bullet that stands for a list's mark
_KEPT_STARRED = {"shppict", "shpinst", "footnote", *_ITEM}
_SIGNS = {"~": "\u00a0", "_": "\u2011", "{": "{", "}": "}", "\\": "\\", "\n": "\n", "\r": "\n"}
_WORDS = {
    "line": " ",
    "tab": " ",
    "emdash": "—",
    "endash": "–",
    "emspace": " ",
    "enspace": " ",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
}
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_BOLD_LEVEL = 6  # of a heading that only its bold type marks
_MAX_DEPTH = 10_000  # groups within groups


def load_rtf(data: bytes) -> Draft:
    r"""A rich text as a draft; headings come from its styles and outline levels.

    >>> load_rtf(rb"{\rtf1\ansi{\*\generator x}Caf\'e9 \u8211 ? open.\par It {\deleted never }opened.}").text
    'Café – open.\n\nIt opened.'
    """
    if not data.lstrip().startswith(b"{\\rtf"):
        raise UnreadableError("not a rich text file, whatever its name says")
    reader = _Reader(data.decode("latin-1"))
    pieces = [replace(piece, line=number) for number, piece in enumerate(reader.pieces(), 1)]
    if not pieces:
        raise UnreadableError("no text in it")
    text, blocks, places = laid_out(pieces)
    heading = next((piece.words for piece in pieces if piece.kind is BlockKind.HEADING), None)
    dates = dates_in(reader.created)
    notes = () if reader.closed else ("the end of the file is missing",)
    title = " ".join(reader.title.split())
    known = Known(title or heading, created=dates[0][2] if dates else None, places=places, notes=notes)
    return marked(text, _TYPE, blocks, known)


class _Group:
    """What holds within braces: which destination this is, and how characters are to be read."""

    __slots__ = ("bold", "codec", "fallback", "into", "left_out", "style")

    def __init__(self, into: str = "text", codec: str = "cp1252", fallback: int = 1) -> None:
        self.into = into  # text, note, skip, fonts, styles, title, created
        self.codec = codec
        self.fallback = fallback  # characters after a Unicode one, for readers that know none
        self.left_out = False
        self.bold = False
        self.style = 0

    def copy(self) -> _Group:
        """The group inside this one, as it begins."""
        inner = _Group(self.into, self.codec, self.fallback)
        inner.left_out, inner.bold, inner.style = self.left_out, self.bold, self.style
        return inner


class _Reader:
    """Goes through the control words once, and gives a block at the end of each paragraph and row."""

    def __init__(self, text: str) -> None:
        self.title = ""
        self.created = ""
        self.closed = False
        self._text = text
        self._group = _Group()
        self._outer: list[_Group] = []
        self._codec = "cp1252"  # of the whole file
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, str] = {}
        self._named: list[str] = []  # of the style or font that is being named
        self._font = 0
        self._parts: list[tuple[bool, str]] = []  # bold or not, and words
        self._bytes = bytearray()
        self._to_skip = 0
        self._note: list[str] = []
        self._notes: list[str] = []
        self._cells: list[str] = []
        self._header_row = False
        self._paragraph()

    def _paragraph(self) -> None:
        """Forget what was said of the paragraph."""
        self._level: int | None = None
        self._listed = False
        self._bulleted = False
        self._depth = 0
        self._in_table = False
        self._style = 0

    def pieces(self) -> Iterator[Piece]:
        """The blocks of the text."""
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:  # a backslash at the very end
                break
            at = match.end()
            kind = match.lastgroup
            if kind == "text":
                self._take(match["text"])
            elif kind == "byte":
                self._take(chr(int(match["byte"], 16)))
            elif kind == "brace":
                if match["brace"] == "{":
                    if len(self._outer) >= _MAX_DEPTH:
                        raise UnreadableError("its groups are nested too deeply")
                    self._flush()
                    self._outer.append(self._group)
                    self._group = self._group.copy()
                elif self._close():
                    self.closed = True
                    break
            elif kind == "sign":
                if match["sign"] == "*":
                    self._star(at)
                elif match["sign"] in _SIGNS:
                    self._put(_SIGNS[match["sign"]])
            elif match["word"] is not None:
                word, number = match["word"], match["number"]
                if word == "bin":
                    at += max(0, int(number or 0))
                elif word in {"par", "sect", "page", "row", "nestrow", "cell", "nestcell"}:
                    yield from self._end(word)
                else:
                    self._control(word, int(number) if number is not None else None)
        yield from self._end("row" if self._cells else "par")

    def _star(self, at: int) -> None:
        """Skip a group that readers may skip, unless it is one we know."""
        following = _TOKEN.match(self._text, at)
        if following is None or following["word"] not in _KEPT_STARRED:
            self._group.into = "skip"

    def _close(self) -> bool:
        """End a group; whether it was the outermost."""
        self._flush()
        if self._group.into == "note" and self._outer and self._outer[-1].into != "note":
            self._notes.append(" ".join("".join(self._note).split()))
            self._note = []
        if not self._outer:
            return True
        self._group = self._outer.pop()
        return not self._outer

    def _take(self, text: str) -> None:
        """Characters in the file's own encoding."""
        if self._to_skip:
            skipped = min(self._to_skip, len(text))
            self._to_skip -= skipped
            text = text[skipped:]
        self._bytes += text.encode("latin-1")

    def _put(self, text: str) -> None:
        self._flush()
        self._write(text)

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._group.codec, "replace")
            self._bytes.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        into = self._group.into
        if into == "text":
            if not self._group.left_out:
                self._parts.append((self._group.bold, text))
        elif into == "note":
            self._note.append(text)
        elif into == "title":
            self.title += text
        elif into in {"styles", "fonts"}:
            self._named.append(text)
            if ";" in text and into == "styles":
                self._styles[self._group.style] = "".join(self._named).split(";")[0].strip().lower()
                self._named = []

    def _control(self, word: str, number: int | None) -> None:
        self._flush()
        group = self._group
        if word in _WORDS:
            self._write(_WORDS[word])
        elif word == "u" and number is not None:
            self._write(chr(number % 0x10000))
            self._to_skip = group.fallback
        elif word == "uc":
            group.fallback = min(max(0, number or 0), 10)
        elif word == "ansicpg" and number is not None:
            self._codec = group.codec = _codec(f"cp{number}")
        elif word == "mac":
            self._codec = group.codec = "mac_roman"
        elif word == "f" and number is not None:
            self._font = number
            group.codec = self._fonts.get(number, self._codec)
        elif word == "fcharset" and number in _CHARSETS and group.into == "fonts":
            self._fonts[self._font] = _CHARSETS[number]
        elif word in {"deleted", "v"}:
            group.left_out = number != 0
        elif word == "plain":
            group.left_out = group.bold = False
            group.codec = self._codec
        elif word == "b":
            group.bold = number != 0
        elif group.into != "skip":
            self._place(word, number)

    def _place(self, word: str, number: int | None) -> None:
        """Control words that open a destination or say what a paragraph is."""
        group = self._group
        if word in _SKIPPED:
            group.into = "skip"
        elif word == "footnote":
            group.into = "note"
        elif word in {"fonttbl", "stylesheet", "title"}:
            group.into = {"fonttbl": "fonts", "stylesheet": "styles", "title": "title"}[word]
        elif word == "info":
            group.into = "info"
        elif word == "creatim":
            group.into = "created"
        elif word in {"yr", "mo", "dy"} and group.into == "created":
            self.created += f"{'-' if self.created else ''}{number or 0:02}"
        elif word in _ITEM:
            self._bulleted = True
            group.into = "skip"
        elif word == "s" and group.into == "styles":
            group.style, self._named = number or 0, []
        elif group.into != "text":
            return
        elif word == "pard":
            self._paragraph()
        elif word == "s":
            self._style = number or 0
        elif word == "outlinelevel":
            self._level = number
        elif word == "ls":
            self._listed = bool(number)
        elif word == "ilvl":
            self._depth = min(max(0, number or 0), 8)
        elif word == "intbl":
            self._in_table = True
        elif word == "trowd":
            self._header_row = False
        elif word == "trhdr":
            self._header_row = True

    def _end(self, word: str) -> Iterator[Piece]:
        """The end of a paragraph, cell or row."""
        self._flush()
        if self._group.into != "text":
            if self._group.into == "note":
                self._note.append(" ")
            return
        if word in {"cell", "nestcell"}:
            self._cells.append(self._words()[0])
        elif word in {"row", "nestrow"}:
            cells, self._cells = self._cells, []
            if any(cells):
                yield Piece(
                    BlockKind.TABLE_HEADER if self._header_row else BlockKind.TABLE_ROW, " | ".join(cells)
                )
        elif self._in_table and word == "par":
            self._parts.append((False, " "))
            return
        else:
            words, bold = self._words()
            if words:
                yield self._block(words, bold=bold)
        notes, self._notes = self._notes, []
        yield from (Piece(BlockKind.PARAGRAPH, note) for note in notes if note)

    def _words(self) -> tuple[str, bool]:
        """The paragraph's words, and whether all of them are bold."""
        parts, self._parts = self._parts, []
        runs = (
            (bold, "".join(text for _, text in run)) for bold, run in groupby(parts, lambda part: part[0])
        )
        bolds = {bold for bold, text in runs if text.strip()}
        text = "".join(text for _, text in parts)
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # halves become characters
        return " ".join(whole.replace("\0", "").split()), bolds == {True}

    def _block(self, words: str, *, bold: bool) -> Piece:
        bulleted, self._bulleted = self._bulleted, False
        style = self._styles.get(self._style, "")
        named = re.fullmatch(r"heading (\d)", style)
        if named or style == "title":
            return Piece(BlockKind.HEADING, words, int(named[1]) if named else 1)
        if self._level is not None and 0 <= self._level < 9:
            return Piece(BlockKind.HEADING, words, self._level + 1)
        if self._listed or bulleted:
            return Piece(BlockKind.LIST_ITEM, f"- {words}", self._depth + 1)
        if "quote" in style:
            return Piece(BlockKind.QUOTATION, words)
        if bold and looks_like_heading(words) and letter_kind([words]) is None:
            return Piece(BlockKind.HEADING, words, _BOLD_LEVEL)
        return Piece(BlockKind.PARAGRAPH, words)


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return "cp1252"

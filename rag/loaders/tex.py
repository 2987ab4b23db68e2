r"""LaTeX (.tex): its words without its commands; sections, lists, tables, quotations and footnotes as marked.

Our own reader of the commands, in one pass and without recursion. `pylatexenc`, which parses the format,
copies the rest of the file at every ``\begin`` and calls itself for every brace: its time grows with the
square of a file's length, and a deeply nested file ends in an error. Nothing is run or included; a command
that the file defines itself is not expanded. A place's line is the line of the source.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.loaders.plain import decode
from rag.loaders.tex_words import (
    ACCENTS,
    ARGUMENTS,
    CITES,
    DEFINES,
    LEVELS,
    LIGATURES,
    LISTS,
    MATH,
    MATH_SIGNS,
    NO_WORDS,
    NOTES,
    QUOTES,
    RAW,
    RULES,
    SIGNS,
    TABLES,
    UNREAD,
    WITH_OPTION,
)
from rag.records import BlockKind
from rag.text.dates import stated_date

_TYPE = "text/x-tex"
# Every repetition that may end without its closing mark is bounded.
_TOKEN = re.compile(
    r"%[^\n]*(?:\n[ \t]*)?"
    r"|\\(?P<side>begin|end)[ \t]*\{(?P<name>[^{}\\\n]{1,80})\}"
    r"|\\verb\*?(?P<bar>[^\sa-zA-Z*])(?P<verb>[^\n]{0,300}?)(?P=bar)"
    r"|\\(?:url|path|nolinkurl)[ \t]*\{(?P<url>[^{}\s]{0,2000})\}"
    r"|\\href[ \t]*\{[^{}\s]{0,2000}\}"
    r"|\\(?:input|include|subfile)[ \t]*\{(?P<input>[^{}\n]{0,300})\}"
    r"|\\(?P<word>[a-zA-Z@]{1,60})\*?[ \t]*"
    r"|\\(?P<sign>[^a-zA-Z])|(?P<brace>[{}])|(?P<dollars>\$\$?)|(?P<tie>[~&])|(?P<space>\s+)"
    r"|(?P<text>[^\\{}%$~&\s]+)|(?P<rest>\\)",
    re.DOTALL,
)
_OPTION = re.compile(r"\[(?P<words>[^\[\]]{0,1000})\]")
_INLINE = re.compile(r"((?:[^$\\\n]|\\.|\n(?!\s{0,200}\n)){1,1000})\$", re.DOTALL)
_DOCUMENT = re.compile(r"^[^%\n]*?\\begin[ \t]*\{document\}", re.MULTILINE)
_COMMAND = re.compile(r"\\[a-zA-Z]{1,60}\*?[ \t]*|[{}]")
_LANGUAGE = re.compile(r"\{[^{}\n]{0,80}\}")  # of a listing
_BETWEEN_ARGUMENTS = re.compile(r"\([^()]{0,20}\)|[#=\d]+")

_N_NAMED = 5  # files named one by one; more are counted


def load_tex(data: bytes) -> Draft:
    r"""A LaTeX file as a draft; title and date are those it states.

    >>> draft = load_tex(rb"\section{Costs} It cost \pounds6.5m.\footnote{Net.} % so far" + b"\n")
    >>> [(block.kind.value, draft.text[block.start : block.end]) for block in draft.blocks]
    [('title', 'Costs'), ('paragraph', 'It cost £6.5m.'), ('paragraph', '1 Net.')]
    """
    text, encoding, notes = decode(data)
    reader = _Reader(text)
    pieces = list(reader.pieces())
    if not any(piece.words.strip() for piece in pieces):
        raise UnreadableError("no text in it")
    body, blocks, places = laid_out(pieces)
    heading = next((piece.words for piece in pieces if piece.kind is BlockKind.HEADING), None)
    if reader.inputs:
        n, named = len(reader.inputs), ", ".join(reader.inputs[:_N_NAMED])
        more = f" and {n - _N_NAMED} more" if n > _N_NAMED else ""
        notes = (*notes, f"files that it takes in are read only where they are indexed: {named}{more}")
    known = Known(reader.title or heading, stated_date(reader.date), None, encoding, places, notes)
    return marked(body, _TYPE, blocks, known)


_CAPTURED = {"heading", "note", "caption", "title", "author", "date", "cite"}


@dataclass(slots=True)
class _Frame:
    """What an open brace or environment is for; ``level`` is a heading's, or a note's number.

    ``shapes`` says that what stands within an environment is laid out by it.
    """

    what: str  # "", drop, environment, or one of those whose words are taken out of the text
    name: str = ""
    level: int = 0
    shapes: bool = False
    words: list[str] = field(default_factory=list)
    line: int = 1


@dataclass(slots=True)
class _List:
    """A list that is open, and how many of its items were begun."""

    name: str
    n_items: int = 0


@dataclass(slots=True)
class _Table:
    """The rows of a table so far, the cells of the last one open; ``ruled`` is where its header ends."""

    rows: list[tuple[str, int]] = field(default_factory=list)
    ruled: int = 0


class _Reader:
    """Goes through the commands once, and gives a piece at the end of each paragraph, item and table."""

    def __init__(self, text: str) -> None:
        self.title = ""
        self.date = ""
        self.inputs: list[str] = []
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0  # the line of a character, and which
        self._frames: list[_Frame] = []
        self._open: Counter[str] = Counter()  # environments by name
        self._dropped = 0  # groups about that hold no words
        self._captures: list[_Frame] = []
        self._awaited: list[tuple[str, int]] = []  # what the next groups are, and a heading's level
        self._accent = ""
        self._paragraph: list[str] = []
        self._begins = 1
        self._item: tuple[BlockKind, str] | None = None  # what the next paragraph is instead of one
        self._lists: list[_List] = []
        self._quotes = 0
        self._table: _Table | None = None
        self._notes: list[Piece] = []
        self._n_notes = 0
        self._missing: set[str] = set()  # closing marks that no more come
        begun = _DOCUMENT.search(text)
        self._body = begun.end() if begun else 0  # where the preamble ends

    def pieces(self) -> Iterator[Piece]:
        """The pieces in order."""
        while self._at < len(self._text):
            match = _TOKEN.match(self._text, self._at)
            if match is None:  # a lone command sign at the end
                break
            self._at = match.end()
            yield from self._token(match)
            if match["side"] == "end" and match["name"] == "document":
                break
        while self._frames:
            yield from self._close()
        yield from self._flush()

    def _line_at(self, at: int) -> int:
        if at > self._counted:
            self._line += self._text.count("\n", self._counted, at)
            self._counted = at
        return self._line

    # -- tokens

    def _token(self, match: re.Match[str]) -> Iterator[Piece]:
        kind = match.lastgroup
        if kind == "brace":
            yield from self._brace(match)
        elif self._dropped:
            return
        elif kind == "name":
            yield from (self._begin(match["name"]) if match["side"] == "begin" else self._end(match["name"]))
        elif kind == "space":
            if match[0].count("\n") > 1:
                self._awaited.clear()
                if not self._captures and self._table is None:
                    yield from self._flush()
                    return
            self._say(" ", match)
        elif kind == "text":
            if self._awaited and _BETWEEN_ARGUMENTS.fullmatch(match[0]):
                return
            if match[0].startswith("[") and self._awaited and (option := self._option(match.start())):
                self._at = option.end()
                return
            self._awaited.clear()
            self._say(_with_ligatures(match[0]), match)
        elif kind == "word":
            yield from self._command(match["word"], match)
        elif kind == "sign":
            yield from self._sign(match["sign"], match)
        elif kind == "dollars":
            yield from self._math(match)
        elif kind == "tie":
            cell = match[0] == "&" and self._table is not None and not self._captures
            self._say(" | " if cell else " ", match)
        elif kind == "input":
            self.inputs.append(match["input"])
        elif kind in {"verb", "url"}:
            self._say(match[kind], match)

    def _say(self, words: str, match: re.Match[str]) -> None:
        if self._dropped or (match.start() < self._body and not self._captures):
            return
        if self._accent and words.strip():
            base = {"ı": "i", "ȷ": "j"}.get(words[0], words[0])
            words = unicodedata.normalize("NFC", base + self._accent) + words[1:]
            self._accent = ""
        if self._captures:
            self._captures[-1].words.append(words)
            return
        if not self._paragraph:
            if not words.strip():
                return
            self._begins = self._line_at(match.start())
        self._paragraph.append(words)

    def _brace(self, match: re.Match[str]) -> Iterator[Piece]:
        if match[0] == "}":
            self._accent = ""
            if self._frames and self._frames[-1].what != "environment":
                yield from self._close()
            return
        what, level = self._awaited.pop(0) if self._awaited else ("", 0)
        if self._dropped and what != "drop":
            what = ""
        if what == "drop":
            self._dropped += 1
        elif what and self._captures and what not in {"note", "cite"}:
            what = ""  # a heading within a heading is words of it
        frame = _Frame(what, level=level, line=self._line_at(match.start()))
        self._frames.append(frame)
        if what in _CAPTURED:
            self._captures.append(frame)
        if what == "note":
            self._n_notes += 1
            frame.level = self._n_notes

    def _close(self) -> Iterator[Piece]:
        """End the innermost group or environment."""
        frame = self._frames.pop()
        if frame.what == "environment":
            yield from self._left(frame)
            return
        if frame.what == "drop":
            self._dropped -= 1
        if frame.what not in _CAPTURED:
            return
        self._captures.pop()
        words = " ".join("".join(frame.words).split())
        if frame.what == "title":
            self.title = self.title or words
            yield Piece(BlockKind.HEADING, words, 1, line=frame.line)
        elif frame.what == "date":
            self.date = self.date or words
            yield Piece(BlockKind.PARAGRAPH, words, line=frame.line)
        elif frame.what == "author":
            yield Piece(BlockKind.LINES, words.replace(" ,", ","), line=frame.line)
        elif frame.what == "note":
            if words:
                self._notes.append(Piece(BlockKind.PARAGRAPH, f"{frame.level} {words}", line=frame.line))
            if not self._captures and not self._paragraph and self._table is None:
                yield from self._flush()
        elif frame.what == "cite":
            self._put(f"[{words}]")
        elif frame.what == "caption":
            yield Piece(BlockKind.CAPTION, words, line=frame.line)
        elif frame.what == "heading":
            yield from self._flush()
            yield Piece(BlockKind.HEADING, words, frame.level, line=frame.line)
            yield from self._flush()

    def _put(self, words: str) -> None:
        """Words that a group has become, where it stood."""
        if self._captures:
            self._captures[-1].words.append(words)
        elif self._at > self._body:
            self._begins = self._begins if self._paragraph else self._line_at(self._at)
            self._paragraph.append(words)

    # -- commands

    def _command(self, word: str, match: re.Match[str]) -> Iterator[Piece]:
        if self._awaited and self._awaited[0][0] == "drop" and self._awaited[0][1] < 0:
            self._awaited.pop(0)  # the command that is being defined
            return
        self._awaited.clear()
        if word in SIGNS or word in MATH_SIGNS:
            self._say(SIGNS.get(word) or MATH_SIGNS[word], match)
        elif word in ACCENTS:
            self._accent = ACCENTS[word]
        elif word == "par" or (word == "item" and not self._captures):
            if not self._captures and self._table is None:
                yield from self._flush()
            if word == "item":
                yield from self._begin_item()
        elif word in {"tabularnewline", "cr"}:
            yield from self._sign("\\", match)
        elif word in RULES:
            if self._table is not None and not self._captures:
                self._end_row()
                self._table.ruled = self._table.ruled or len(self._table.rows)
        elif word in DEFINES:
            self._awaited += [("drop", -1), ("drop", 0)]
        elif word == "let":
            self._awaited += [("drop", -1), ("drop", -1)]
        else:
            if match[0][-1] not in " \t" and (option := self._option(self._at)):
                self._at = option.end()
            if word in LEVELS:
                if not self._captures and self._table is None:
                    yield from self._flush()
                self._awaited.append(("heading", LEVELS[word]))
            elif word in NOTES:
                self._awaited.append(("note", 0))
            elif word in {"title", "author", "date", "caption"}:
                self._awaited.append((word, 0))
            elif word == "bibitem":
                yield from self._flush()
                self._awaited.append(("cite", 0))
            elif CITES.fullmatch(word):
                if option := self._option(self._at):
                    self._at = option.end()
                self._awaited.append(("cite", 0))
            else:
                self._awaited += [("drop", 0)] * UNREAD.get(word, 0)

    def _option(self, at: int) -> re.Match[str] | None:
        return _OPTION.match(self._text, at)

    def _begin_item(self) -> Iterator[Piece]:
        option = self._option(self._at)
        label = _COMMAND.sub("", option["words"]).strip() if option else ""
        line = self._line_at(self._at)
        if option:
            self._at = option.end()
        about = self._lists[-1] if self._lists else _List("")
        about.n_items += 1
        if about.name == "description":
            yield Piece(BlockKind.TERM, label, line=line)
            self._item = (BlockKind.DEFINITION, "")
            return
        mark = f"{about.n_items}." if about.name == "enumerate" else "-"
        self._item = (BlockKind.LIST_ITEM, f"{label or mark} ")

    def _sign(self, sign: str, match: re.Match[str]) -> Iterator[Piece]:
        if sign == "\\":
            if option := self._option(self._at):
                self._at = option.end()
            if self._table is not None and not self._captures:
                self._end_row()
            else:
                self._say(" ", match)
        elif sign in "([":
            yield from self._math(match)
        elif sign in ACCENTS:
            self._accent = ACCENTS[sign]
        elif sign in "-/@!":
            return
        else:
            self._say(sign if sign in "&%$#_{}" else " ", match)

    def _math(self, match: re.Match[str]) -> Iterator[Piece]:
        """A formula: in a line its signs as words, on lines of its own as code."""
        self._awaited.clear()
        if match[0] == "$":
            if inline := _INLINE.match(self._text, self._at):
                self._say(_formula(inline[1]), match)
                self._at = inline.end()
            return
        closing = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}[match[0]]
        yield from self._raw(closing, match[0] == "\\(", BlockKind.CODE)

    def _raw(self, closing: str, inside: bool, kind: BlockKind | None) -> Iterator[Piece]:
        """What stands up to a closing mark, as it is; nothing where the mark never comes."""
        end = -1 if closing in self._missing else self._text.find(closing, self._at)
        if end < 0:
            self._missing.add(closing)
            return
        words, line = self._text[self._at : end].strip("\n"), self._line_at(self._at)
        self._at = end + len(closing)
        if kind is None or self._dropped or end < self._body:
            return
        if inside or self._captures or self._table is not None:
            self._put(_formula(words))
        else:
            yield from self._flush()
            yield Piece(kind, words, line=line)

    # -- environments

    def _begin(self, name: str) -> Iterator[Piece]:
        self._awaited.clear()
        if self._at == self._body:
            return
        if option := (self._option(self._at) if name in WITH_OPTION else None):
            self._at = option.end()
        if name in {"minted", "alignat", "alignat*"} and (language := _LANGUAGE.match(self._text, self._at)):
            self._at = language.end()
        if name in RAW or name in MATH or name in NO_WORDS:
            closing = f"\\end{{{name}}}"
            kind = None if name in NO_WORDS else BlockKind.CODE
            yield from self._raw(closing, False, kind)
            return
        self._frames.append(_Frame("environment", name))
        self._open[name] += 1
        if self._dropped or self._captures:
            return
        if self._table is None:
            yield from self._flush()
        self._awaited += [("drop", 0)] * (TABLES.get(name, 0) + ARGUMENTS.get(name, 0))
        if name in TABLES and self._table is None:
            self._frames[-1].shapes = True
            self._table = _Table()
        elif name in LISTS:
            self._frames[-1].shapes = True
            self._lists.append(_List(name))
        elif name in QUOTES:
            self._frames[-1].shapes = True
            self._quotes += 1
        elif name == "frame":
            self._awaited.append(("heading", LEVELS["frametitle"]))

    def _end(self, name: str) -> Iterator[Piece]:
        """Close the environment, and what was left open within it; one that was never begun is nothing."""
        self._awaited.clear()
        while self._open[name] > 0:
            closed = self._frames[-1]
            yield from self._close()
            if closed.what == "environment" and closed.name == name:
                return

    def _left(self, frame: _Frame) -> Iterator[Piece]:
        self._open[frame.name] -= 1
        if self._captures or self._dropped:
            return
        if self._table is not None and frame.name in TABLES and frame.shapes:
            self._end_row()
            table, self._table = self._table, None
            header = table.ruled if table.ruled < len(table.rows) else 0
            for row, (words, line) in enumerate(table.rows):
                kind = BlockKind.TABLE_HEADER if row < header else BlockKind.TABLE_ROW
                yield Piece(kind, words, fresh=row == 0, line=line)
        if self._table is None:
            yield from self._flush()
        if frame.shapes and frame.name in LISTS:
            self._lists.pop()
            self._item = None
        elif frame.shapes and frame.name in QUOTES:
            self._quotes -= 1

    # -- what is given

    def _end_row(self) -> None:
        words = " ".join("".join(self._paragraph).split())
        self._paragraph = []
        if self._table is not None and words.strip(" |"):
            self._table.rows.append((words, self._begins))

    def _flush(self) -> Iterator[Piece]:
        """The paragraph as a piece, then its footnotes."""
        words = " ".join("".join(self._paragraph).split())
        self._paragraph = []
        self._accent = ""
        if words:
            kind, mark = self._item or (BlockKind.QUOTATION if self._quotes else BlockKind.PARAGRAPH, "")
            level = len(self._lists) if kind is BlockKind.LIST_ITEM else 0
            self._item = None
            yield Piece(kind, mark + words, level, line=self._begins)
        yield from self._notes
        self._notes = []


def _with_ligatures(words: str) -> str:
    for typed, printed in LIGATURES:
        words = words.replace(typed, printed)
    return words


def _formula(source: str) -> str:
    r"""A formula's source with its commonest signs as they are printed.

    >>> _formula(r"25\,\% \times 10^6")
    '25 % × 10^6'
    """
    spaced = re.sub(r"\\[,;:! ]", " ", source)
    plain = re.sub(r"\\([%$&#_])", r"\1", spaced)
    return re.sub(r"\\([a-zA-Z]{1,20})(?![a-zA-Z])", lambda match: MATH_SIGNS.get(match[1], match[0]), plain)

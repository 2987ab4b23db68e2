"""Text files: plain and Markdown. The document's text is the decoded file, character for character."""

from __future__ import annotations

import codecs
import re

from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.head import about
from rag.records import Heading
from rag.text.dates import dates_in
from rag.text.layout import is_name_line, plain_heading

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_NOT_A_HEADING = re.compile(r"\s*(?:[-*+>|]|\d+[.)]\s)")
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)


def decode(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """The text of a file's bytes, the encoding it was in, and a note where that was a guess.

    >>> decode("£6.5m".encode())
    ('£6.5m', 'utf-8', ())
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding), encoding, ()
            except UnicodeDecodeError as error:
                raise UnreadableError(f"it says it is {encoding} and is not") from error
    if b"\0" in data:
        raise UnreadableError("binary content", "only text, Markdown, HTML, PDF and DOCX files can be read")
    try:
        return data.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guess = from_bytes(data).best()
    if guess is None:
        raise UnreadableError("no encoding could be found in which this is text")
    text = data.decode(guess.encoding)
    return text, guess.encoding, (f"decoded as {guess.encoding}, a guess: it is not UTF-8",)


def load_text(data: bytes) -> Draft:
    """A plain text file as a draft; title and date come from its opening lines.

    >>> load_text(b"Trust opens\\n\\n3 October 2014\\n\\nIt opened today.").date
    '2014-10-03'
    """
    text, encoding, notes = decode(data)
    found = about(text)
    return Draft(text, "text/plain", found.title, found.date, encoding, notes=notes)


def load_markdown(data: bytes) -> Draft:
    """A Markdown file as a draft; the text keeps its marks, and headings are noted.

    >>> draft = load_markdown(b"# Minutes\\n\\n*Published 3 October 2014*\\n")
    >>> draft.title, draft.date, draft.headings
    ('Minutes', '2014-10-03', (Heading(start=0, end=9, level=1),))
    """
    text, encoding, notes = decode(data)
    headings = _headings(text)
    front = _FRONT.match(text)
    fields = _fields(front[1]) if front else {}
    body = text[front.end() :] if front else text
    found = about(_without_marks(body))
    first = _first_heading(text, headings)
    dates = dates_in(fields.get("date", "") or fields.get("published", ""))
    return Draft(
        text,
        "text/markdown",
        fields.get("title") or first or found.title,
        dates[0][2] if dates else found.date,
        encoding,
        headings=headings,
        notes=notes,
    )


def _first_heading(text: str, headings: tuple[Heading, ...]) -> str | None:
    """The first heading, or the one right under it where the first only names an organisation."""
    if not headings:
        return None
    words = [plain_heading(text[heading.start : heading.end]) for heading in headings[:2]]
    if len(words) == 2 and is_name_line(words[0]) and not text[headings[0].end : headings[1].start].strip():
        return words[1]
    return words[0]


def _without_marks(text: str) -> str:
    return re.sub(r"^#{1,6}\s+|\*\*|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)", "", text, flags=re.MULTILINE)


def _fields(front: str) -> dict[str, str]:
    """The one-line ``key: value`` pairs of a front matter; nested values are passed over."""
    pairs = (
        match.groups() for match in re.finditer(r"^(\w[\w-]*):[ \t]*(\S.*?)[ \t]*\r?$", front, re.MULTILINE)
    )
    return {key.lower(): value.strip("\"'") for key, value in pairs}


def _headings(text: str) -> tuple[Heading, ...]:
    front = _FRONT.match(text)
    found: list[Heading] = []
    fence, paragraph = "", list[tuple[int, int]]()  # the lines of the paragraph just above
    at = 0
    for line in text.splitlines(keepends=True):
        bare = line.rstrip()
        start, end = at + len(line) - len(line.lstrip()), at + len(bare)
        at += len(line)
        if front and start < front.end():
            continue
        if mark := _FENCE.match(bare):
            fence = mark[1] if not fence else "" if bare.strip().startswith(fence) else fence
            paragraph = []
        elif fence or not bare.strip():
            paragraph = []
        elif (atx := _ATX.match(bare)) and atx[2]:
            found.append(Heading(start, end, len(atx[1])))
            paragraph = []
        elif len(paragraph) == 1 and (under := _SETEXT.match(bare)):
            found.append(Heading(paragraph[0][0], end, 1 if under[1][0] == "=" else 2))
            paragraph = []
        elif _NOT_A_HEADING.match(bare):
            paragraph = [(start, end), (start, end)]  # an underline below it is a rule, not a heading's mark
        else:
            paragraph.append((start, end))
    return tuple(found)

"""E-mail: a message (.eml), and a mailbox of many (.mbox), with quoted replies told apart.

A mailbox is one document, since a file is what is hashed, found stale and named; a message's number in it
stands as the page. Each passage of a message is found with who wrote it and when, whatever part it is.

An attached file that we read elsewhere is read here, and belongs to the text of its message, under its name.
A citation stands on a file, its hash and a range of its text: what is inside a message has no path to open
and no file to find changed, and the message has both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rag.loaders.draft import Draft, Known, Piece, UnreadableError, as_marked, laid_out, marked
from rag.loaders.html_walk import walk
from rag.loaders.plain import decode
from rag.loaders.web import parse
from rag.records import Block, BlockKind
from rag.text.blocks import settled
from rag.text.guess import guess_blocks, guess_paragraphs
from rag.text.layout import paragraphs

if TYPE_CHECKING:
    from email.message import EmailMessage

_FACTS = ("From", "To", "Cc", "Date")
_HEADERS = ("from", "to", "subject", "date", "received", "message-id")
_MAX_HEADER = 4_000  # characters; the standard library takes the square of a header's length
_MAX_NESTED = 20  # messages within messages
_MAX_ATTACHED = 100  # files of one message that are read
_NAMED = 5  # attached files named in a note
_QUOTED = re.compile(r"[ \t]?(?:>[ \t]?){1,40}")
_EARLIER = re.compile(r"-{2,}\s*(?:original|forwarded) message\s*-{2,}\s*$", re.IGNORECASE)
_HEAD_LINE = re.compile(r"\*?(?:From|Sent|Date|To|Cc|Subject):\*?\s", re.IGNORECASE)
_SIGNATURE = re.compile(r"--[ ]?$")
_PARTING = re.compile(rb"(?:\A|\n\r?\n)(From [^\n]{1,300}\d\d:\d\d[^\n]{0,100}\r?\n)")
_KINDS = {BlockKind.TITLE: BlockKind.HEADING}  # of an attached file: the title is that of the message
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def load_eml(data: bytes) -> Draft:
    """A message as a draft: its subject, who wrote it to whom and when, its words, what is attached.

    >>> draft = load_eml(b"From: Ann\\nDate: 22 Mar 2017 10:00:00 +0000\\nSubject: Piling\\n\\nNo.")
    >>> draft.title, draft.date, draft.blocks[1].kind.value
    ('Piling', '2017-03-22', 'lines')
    """
    message = _read(data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    pieces = message.pieces
    if not any(piece.kind is not BlockKind.LINES for piece in pieces):
        raise UnreadableError("no words in this message")
    text, blocks, _ = laid_out(pieces)
    known = Known(message.subject or " ", message.date, notes=message.notes)
    draft = marked(text, "message/rfc822", blocks, known)
    return draft if message.subject else replace(draft, title=None)


def load_mbox(data: bytes) -> Draft:
    """A mailbox as a draft: its messages in their order, each under its subject."""
    pieces, dates, heads = list[Piece](), list[str](), list[int]()
    n_messages, n_unread, n_files = 0, 0, 0
    for source in messages(data):
        n_messages += 1
        try:
            message = _read(source)
        except UnreadableError:
            n_unread += 1
            continue
        n_files += message.n_unread
        dates += [message.date] if message.date else []
        heads.append(len(pieces))
        first, *others = message.pieces
        if first.kind is BlockKind.LINES:  # no subject: what is known of it stands over it instead
            head, _, rest = first.words.partition("\n")
            first = replace(first, kind=BlockKind.HEADING, words=head, level=1)
            others = [Piece(BlockKind.LINES, rest), *others]
        pieces += [replace(first, page=n_messages), *(piece for piece in others if piece.words.strip())]
    if not pieces:
        raise UnreadableError("no message in it", "an .mbox file has a line “From …” before each message")
    text, blocks, places = laid_out(pieces)
    notes = [f"one document of {n_messages} messages; each counts as a page"]
    if dates:
        notes.append("the date is that of its newest message")
    if n_unread:
        notes.append(f"{n_unread} of its messages cannot be read")
    if n_files:
        notes.append(f"{_files(n_files)} not read")
    known = Known(date=max(dates, default=None), places=places, notes=tuple(notes))
    draft = as_marked(text, "application/mbox", settled(text, blocks, None, "application/mbox"), known)
    return replace(draft, blocks=_led(draft.blocks, heads))


def messages(data: bytes) -> Iterator[bytes]:
    """The bytes of each message of a mailbox, with "From" at the start of its lines as it was written.

    >>> list(messages(b"From a Mon Jan  1 10:00:00 2018\\nSubject: x\\n\\n>From here\\n"))
    [b'Subject: x\\n\\nFrom here\\n']
    """
    starts = [(match.start(1), match.end(1)) for match in _PARTING.finditer(data)]
    for row, (_, start) in enumerate(starts):
        end = starts[row + 1][0] if row + 1 < len(starts) else len(data)
        yield _ESCAPED.sub(rb"\1", data[start:end])


def _led(blocks: Sequence[Block], heads: Sequence[int]) -> tuple[Block, ...]:
    """The blocks with each paragraph led by the lines that say who wrote it."""
    led, firsts, lead = list[Block](), set(heads), None
    for row, block in enumerate(blocks):
        if row in firsts:
            facts = blocks[row + 1] if row + 1 < len(blocks) and row + 1 not in firsts else None
            lead = (facts.start, facts.end) if facts and facts.kind is BlockKind.LINES else None
        kinds = {BlockKind.PARAGRAPH, BlockKind.QUOTATION, BlockKind.HEADING}  # a heading of an attached file
        prose = block.kind in kinds and block.lead is None
        led.append(replace(block, lead=lead) if prose and lead and lead[1] <= block.start else block)
    return tuple(led)


@dataclass(frozen=True, slots=True)
class _Message:
    """A message taken apart; ``pieces`` open with its subject, if it has one, and what is known of it."""

    subject: str
    date: str | None
    pieces: list[Piece]
    notes: tuple[str, ...]
    n_unread: int  # attached files


def _read(data: bytes) -> _Message:
    try:
        message = _parsed(data)
        if not any(header in message for header in _HEADERS):
            raise UnreadableError("no message: none of the headers From, To, Subject and Date")
        attached = list[_Attached]()
        body = list(_body(message, attached, _MAX_NESTED))
    except RecursionError as error:
        raise UnreadableError("its parts are nested too deeply") from error
    pieces = [*_head(message), *body]
    if attached:
        pieces.append(Piece(BlockKind.LINES, f"Attached: {', '.join(part.name for part in attached)}"))
    unread = list[str]()
    for number, part in enumerate(attached):
        inside = _inside(part) if number < _MAX_ATTACHED else []
        if inside:
            pieces += [Piece(BlockKind.HEADING, part.name, 2), *inside]
        else:
            unread.append(part.name)
    notes = list[str]()
    if len(attached) > len(unread):
        notes.append(f"{_files(len(attached) - len(unread))} read as part of the message")
    if unread:
        named = ", ".join(unread[:_NAMED]) + (", …" if len(unread) > _NAMED else "")
        notes.append(f"{_files(len(unread))} not read: {named}")
    return _Message(_header(message, "Subject"), _date(message), pieces, tuple(notes), len(unread))


def _files(n: int) -> str:
    return f"{n} attached file{'s' * (n > 1)}"


@dataclass(frozen=True, slots=True)
class _Attached:
    """A file that came with a message: its name, the content type its sender gave it, its part."""

    name: str
    kind: str
    part: Any


def _inside(attached: _Attached) -> list[Piece]:
    """What an attached file says, block by block; empty where none of our loaders reads it.

    Messages and mailboxes are not opened again, so that nothing is attached within the attached.
    """
    from mimetypes import guess_extension

    from rag.loaders import LOADERS  # it holds this module's loaders too

    suffix = PurePosixPath(attached.name.lower()).suffix
    if suffix not in LOADERS:
        suffix = guess_extension(attached.kind) or ""
    if suffix not in LOADERS or LOADERS[suffix] in (load_eml, load_mbox):
        return []
    try:
        data = attached.part.get_payload(decode=True) or b""
        draft = LOADERS[suffix](data)
    except MemoryError:
        raise
    except Exception:  # what one attached file does to its loader takes no word from the message
        return []
    return [
        Piece(_KINDS.get(block.kind, block.kind), draft.text[block.start : block.end], _level(block))
        for block in draft.blocks
        if block.notice is None
    ]


def _level(block: Block) -> int:
    """The level of an attached file's block: its headings stand under its name."""
    heads = block.kind in {BlockKind.TITLE, BlockKind.HEADING}
    return block.level + 2 if heads else block.level


def _parsed(data: bytes) -> EmailMessage:
    from email import message_from_bytes

    message: Any = message_from_bytes(data, policy=_policy())
    found: EmailMessage = message
    return found


@cache
def _policy() -> Any:
    """The standard library's default policy, for headers of bearable length."""
    from email.policy import EmailPolicy

    class Short(EmailPolicy):
        def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
            name, value = super().header_source_parse(sourcelines)
            return name, value[:_MAX_HEADER]

    return Short()


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message[name] or "").split())
    except Exception:  # the standard library's parser stumbles over some headers that it should not
        return ""


def _date(message: EmailMessage) -> str | None:
    try:
        moment = message["date"].datetime
        return moment.date().isoformat() if moment is not None else None
    except Exception:  # no such header, or one that is no date
        return None


def _head(message: EmailMessage) -> Iterator[Piece]:
    subject = _header(message, "Subject")
    if subject:
        yield Piece(BlockKind.HEADING, subject, 1)
    facts = [f"{name}: {value}" for name in _FACTS if (value := _header(message, name))]
    if facts:
        yield Piece(BlockKind.LINES, "\n".join(facts))


def _body(message: EmailMessage, attached: list[_Attached], nested: int) -> Iterator[Piece]:
    """The words of all parts that are to be read, plain text before HTML; names of others are noted."""
    waiting: list[Any] = [message]
    while waiting:
        part = waiting.pop()
        kind = part.get_content_type()
        inner = part.get_payload() if part.is_multipart() else None
        if isinstance(inner, list) and kind == "message/rfc822" and nested > 0:
            for forwarded in inner[:1]:
                pieces = [*_head(forwarded), *_body(forwarded, attached, nested - 1)]
                yield from (
                    replace(piece, kind=BlockKind.QUOTATION)
                    if piece.kind in {BlockKind.HEADING, BlockKind.PARAGRAPH}
                    else piece
                    for piece in pieces
                )
        elif isinstance(inner, list):
            waiting += [_best(inner)] if kind == "multipart/alternative" and inner else reversed(inner)
        elif part.get_content_disposition() == "attachment" or kind not in {"text/plain", "text/html"}:
            name = _name(part)
            if name:
                attached.append(_Attached(name, kind, part))
        elif kind == "text/html":
            yield from _of_html(_words(part))
        else:
            yield from of_text(_words(part))


def _best(parts: Sequence[Any]) -> Any:
    """The part of several that say the same: plain text that has words, else HTML, else the last."""
    for part in parts:
        if part.get_content_type() == "text/plain" and part.get_payload().strip():
            return part
    return next((part for part in parts if part.get_content_type() == "text/html"), parts[-1])


def _name(part: Any) -> str:
    try:
        return " ".join((part.get_filename() or "").split())
    except Exception:  # as with other headers
        return ""


def _words(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    try:
        return str(data.decode(part.get_content_charset() or "utf-8")).replace("\0", "")
    except (UnicodeError, LookupError, ValueError, AttributeError):
        try:
            return decode(data.replace(b"\0", b""))[0]
        except UnreadableError:
            return ""


def _of_html(text: str) -> Iterator[Piece]:
    from lxml.etree import LxmlError

    if text.strip():
        try:
            yield from (replace(piece, line=None) for piece in walk(parse(text)))
        except (LxmlError, ValueError, AssertionError):  # lxml's own, on markup it finds nothing in
            return


def of_text(text: str) -> Iterator[Piece]:
    """The blocks of a message's plain text: what was quoted is a quotation, what stands last a signature.

    >>> [(piece.kind.value, piece.words) for piece in of_text("No.\\n\\n> May we pile?\\n-- \\nAnn")]
    [('paragraph', 'No.'), ('quotation', 'May we pile?'), ('lines', 'Ann')]
    """
    rows = text.splitlines()
    run, run_kind, earlier = list[str](), BlockKind.PARAGRAPH, False
    for number, row in enumerate(rows):
        mark = _QUOTED.match(row)
        kind = BlockKind.LINES if run_kind is BlockKind.LINES else BlockKind.PARAGRAPH
        if not earlier and (_EARLIER.match(row) or _begins_earlier(rows, number)):
            earlier = True
        if earlier or mark:
            kind = BlockKind.QUOTATION
        elif _SIGNATURE.match(row):
            kind = BlockKind.LINES
        if kind is not run_kind:
            yield from _of_run("\n".join(run), run_kind)
            run, run_kind = [], kind
        if not _SIGNATURE.match(row) or mark:
            run.append(row[mark.end() :] if mark else row)
    yield from _of_run("\n".join(run), run_kind)


def _begins_earlier(rows: Sequence[str], number: int) -> bool:
    """Whether the head of an earlier message stands here, as Outlook writes it: From, Sent, To, Subject."""
    near = rows[number : number + 4]
    return (
        rows[number].lstrip("*").lower().startswith("from:")
        and sum(map(bool, map(_HEAD_LINE.match, near))) > 2
    )


def _of_run(text: str, kind: BlockKind) -> Iterator[Piece]:
    if not text.strip():
        return
    if kind is BlockKind.PARAGRAPH:
        for block in guess_blocks(text, guess_paragraphs(text), None):
            yield Piece(block.kind, text[block.start : block.end], block.level)
    elif kind is BlockKind.LINES:
        yield Piece(kind, text)
    else:
        for start, end in paragraphs(text):
            yield Piece(kind, text[start:end])

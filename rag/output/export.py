"""Answers as documents for other programs: Markdown, a web page, Word, BibTeX, CSL-JSON.

One account of an answer serves a session's ``:save``, which has the answers, and ``rag export``, which reads
them from JSON lines. The same answers give the same bytes. Nothing from a document reaches a file but
escaped, and with its controls made visible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import UsageError
from rag.output import references
from rag.output.json_lines import citation_from_json
from rag.output.pages import fill_in
from rag.records import Answer, Citation, Freshness, Status
from rag.text.sinks import clean, clean_line, file_name

N_NAMED = 5  # lines that cannot be read, named one by one; more are counted
HEADING = "Questions and what the documents say"
_STATUS = {Status.ANSWERED: "answered", Status.WEAK: "weak", Status.ABSTAINED: "no answer"}
_CHANGED = {
    Freshness.UNCHANGED: "",
    Freshness.EDITED: ", edited since it was indexed",
    Freshness.MISSING: ", no longer there",
    Freshness.UNREADABLE: ", cannot be read now",
}
_SURENESS = ((0.95, "almost certain"), (0.85, "very likely"), (0.65, "likely"), (0.4, "uncertain"))


@dataclass(frozen=True, slots=True)
class Account:
    """An answer as it is told on paper: ``before`` are remarks on how it was asked."""

    question: str
    status: Status
    confidence: float
    reason: str | None
    citations: tuple[Citation, ...]
    notices: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """How far the answer goes, in words and figure."""
        return f"{_STATUS[self.status]}, confidence {self.confidence:.0%} ({sureness(self.confidence)})"


def account(answer: Answer, *, question: str | None = None, before: Iterable[str] = ()) -> Account:
    """The account of an answer; ``question`` is how it is put on paper, by default as it was asked."""
    return Account(
        answer.question if question is None else question,
        answer.status,
        answer.confidence,
        answer.reason,
        answer.citations,
        answer.notices,
        tuple(before),
    )


def read_accounts(lines: Iterable[str], name: str) -> tuple[list[Account], list[int]]:
    """The answers of a JSON lines file, and the numbers of the lines that hold an error in their place.

    Raises UsageError naming the lines that are no answers, or whose quotations are not the ones given.
    """
    accounts: list[Account] = []
    errors: list[int] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            if isinstance(given, dict) and given.get("status") == "error":
                errors.append(number)
            else:
                accounts.append(_account_from_json(given))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            wrong.append(f"{name}:{number}: {what}")
    if wrong:
        more = [f"and {len(wrong) - N_NAMED} more lines"] if len(wrong) > N_NAMED else []
        raise UsageError(
            "\n".join(["these lines are no answers", *wrong[:N_NAMED], *more]),
            "write the file with: rag ask - > answers.jsonl",
        )
    return accounts, errors


def _account_from_json(given: Any) -> Account:
    if not isinstance(given, dict):
        raise TypeError("expected a JSON object")
    question, reason, confidence = given["question"], given["reason"], given["confidence"]
    listed, notices = given["citations"], given.get("notices", [])
    if not isinstance(question, str) or not isinstance(reason, str | None):
        raise TypeError("expected text under 'question', and under 'reason' text or null")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError("expected a number from 0 to 1 under 'confidence'")
    if not isinstance(listed, list) or not isinstance(notices, list):
        raise TypeError("expected lists under 'citations' and 'notices'")
    if not all(isinstance(notice, str) for notice in notices):
        raise TypeError("expected texts under 'notices'")
    status = Status(given["status"])
    if (status is Status.ABSTAINED) != (not listed):
        raise ValueError("an answer has citations exactly when it is not abstained")
    citations = []
    for number, one in enumerate(listed, start=1):
        try:
            citations.append(citation_from_json(one))
        except KeyError as error:
            raise ValueError(f"citation {number}: no {error}") from None
        except (ValueError, TypeError) as error:
            raise ValueError(f"citation {number}: {error}") from None
    return Account(question, status, confidence, reason, tuple(citations), tuple(notices))


def sureness(confidence: float) -> str:
    """A confidence in words.

    >>> sureness(0.97), sureness(0.7), sureness(0.1)
    ('almost certain', 'likely', 'doubtful')
    """
    return next((word for least, word in _SURENESS if confidence >= least), "doubtful")


def markdown(accounts: Sequence[Account]) -> str:
    """The answers as Markdown: a section a question, and a footnote that proves each quotation."""
    notes: dict[str, int] = {}
    lines = [f"# {HEADING}", ""]
    for one in accounts:
        lines += [f"## {references.escaped(_one_line(one.question))}", ""]
        for aside in one.before:
            lines += [references.escaped(aside), ""]
        for citation in one.citations:
            path = references.code(file_name(citation.document))
            number = notes.setdefault(f"{path}, {_proof(citation)}", len(notes) + 1)
            changed = _CHANGED[citation.freshness]
            lines += [references.markdown(citation, mark=f"[^{number}]") + changed, ""]
        reason = f": {references.escaped(one.reason)}" if one.reason else ""
        lines += [f"*{one.verdict}*{reason}", ""]
        for notice in one.notices:
            lines += [f"Note: {references.escaped(notice)}", ""]
    lines += [f"[^{number}]: {note}" for note, number in notes.items()] + ([""] if notes else [])
    return "\n".join(clean_line(line) for line in "\n".join(lines).split("\n"))


def _proof(citation: Citation) -> str:
    """What anyone needs, beside the file's name, to check a quotation: its characters and the checksum."""
    return f"characters {citation.start} to {citation.end}, SHA-256 of the file {citation.sha256}"


@dataclass(frozen=True, slots=True)
class Quotation:
    """A citation on the page: ``parts`` are texts, each marked or not, that make up the quotation.

    ``lead`` is what it cannot be read without, or "".
    """

    source: str
    lead: str
    reference: str
    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A question on the page, with what is said before and after its quotations."""

    question: str
    before: tuple[str, ...]
    quotations: tuple[Quotation, ...]
    after: tuple[str, ...]


def web_page(accounts: Sequence[Account]) -> str:
    """The answers as one HTML file that needs nothing else."""
    return fill_in("rag.output", "answers.html", heading=HEADING, sections=list(map(_section, accounts)))


def _section(one: Account) -> Section:
    reason = f": {one.reason}" if one.reason else ""
    after = [one.verdict + reason, *(f"Note: {notice}" for notice in one.notices)]
    return Section(
        _one_line(one.question),
        tuple(map(_one_line, one.before)),
        tuple(map(_quotation, one.citations)),
        tuple(map(_one_line, after)),
    )


def _quotation(citation: Citation) -> Quotation:
    parts = ((clean(text), is_marked) for text, is_marked in references.parts(citation))
    return Quotation(
        source=_uri(citation.document),
        lead=clean(citation.lead.text) if citation.lead else "",
        reference=_one_line(references.reference(citation)) + _CHANGED[citation.freshness],
        parts=tuple(parts),
    )


def _uri(path: str) -> str:
    """The path as a link; nothing for one that no file can have.

    >>> _uri("/d/a b.txt"), _uri("/d/\\ud8ff")
    ('file:///d/a%20b.txt', '')
    """
    try:
        return Path(path).as_uri()
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    return clean_line(text.replace("\n", " "))


def word_document(accounts: Sequence[Account]) -> bytes:
    """The answers as a Word document: quotations in its own style, proofs numbered at the end."""
    from docx import Document as WordDocument

    made = WordDocument()
    made.core_properties.title = HEADING
    made.core_properties.author = made.core_properties.comments = ""
    made.add_heading(HEADING, level=1)
    notes: dict[str, int] = {}
    for section, one in zip(map(_section, accounts), accounts, strict=True):
        made.add_heading(section.question, level=2)
        for aside in section.before:
            made.add_paragraph(aside)
        for quotation, citation in zip(section.quotations, one.citations, strict=True):
            note = clean(f"{citation.document}, {_proof(citation)}")
            number = notes.setdefault(note, len(notes) + 1)
            if quotation.lead:
                made.add_paragraph(quotation.lead, style="Quote")
            quoted = made.add_paragraph(style="Quote")
            for text, is_marked in quotation.parts:
                quoted.add_run(text).bold = is_marked
            quoted.add_run(f" [{number}]")
            made.add_paragraph(f"— {quotation.reference}")
        for aside in section.after:
            made.add_paragraph().add_run(aside).italic = True
    if notes:
        made.add_heading("Sources", level=2)
        for note, number in notes.items():
            made.add_paragraph(f"[{number}] {note}")
    return _undated(made)


def _undated(made: object) -> bytes:
    """A Word document's bytes, the hour of its making left out: the same content gives the same file."""
    import datetime
    import io
    import zipfile

    document: Any = made
    document.core_properties.created = document.core_properties.modified = datetime.datetime(1980, 1, 1)
    document.core_properties.last_modified_by = ""
    dated, undated = io.BytesIO(), io.BytesIO()
    document.save(dated)
    with zipfile.ZipFile(dated) as source, zipfile.ZipFile(undated, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return undated.getvalue()


def _cited(accounts: Iterable[Account]) -> list[Citation]:
    return [citation for one in accounts for citation in one.citations]


def _written(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


# The forms that `rag export --to` knows, and what writes each.
WRITERS: dict[str, Callable[[Sequence[Account]], bytes]] = {
    "md": lambda accounts: _written(markdown(accounts)),
    "csl": lambda accounts: _written(references.csl(_cited(accounts)) + "\n"),
    "docx": word_document,
    "html": lambda accounts: _written(web_page(accounts)),
    "bibtex": lambda accounts: _written(references.bibtex(_cited(accounts))),
}

"""``:good``, ``:bad``, ``:expect`` and ``:unanswerable``: the last question as a row of an evaluation set.

A row is one JSON object a line, as ``rag eval run`` reads it; its evidence is a quote in a named document.
Judging a question again replaces its row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rag.answering.question import Kind, kind_of
from rag.errors import UsageError
from rag.files import replace_file
from rag.records import Citation, Document, sha256_text
from rag.text.sentences import sentences
from rag.text.sinks import json_line

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.session.session import Session

_TYPES = {kind: str(kind) for kind in Kind} | {Kind.WHERE: "what"}
N_PLACES = 8  # at which expected words are noted; any of them counts as found


def tail(path: str, paths: Sequence[str]) -> str:
    """The shortest end of a path that names one of the paths only; two parts at least where there are.

    >>> tail("/d/a/x.md", ["/d/a/x.md", "/d/b/y.md"]), tail("/x/a/m.md", ["/x/a/m.md", "/y/a/m.md"])
    ('a/x.md', 'x/a/m.md')
    """
    parts = PurePath(path).parts
    for n in range(min(2, len(parts)), len(parts) + 1):
        end = "/".join(parts[-n:])
        if sum(other == path or other.endswith(f"/{end}") for other in paths) <= 1:
            return end
    return path


def row(question: str, **more: Any) -> dict[str, Any]:
    """A row of an evaluation set; its id comes from the question, so that one question has one row."""
    return {
        "id": f"session-{sha256_text(question.casefold())[:12]}",
        "question": question,
        "type": _TYPES[kind_of(question)],
        "split": "dev",
        "answers": [],
        "evidence": [],
    } | more


def keep(path: Path, new: Mapping[str, Any]) -> bool:
    """Put a row into a file of rows, in place of the one with its id; True when there was one.

    Lines of another making are left as they are. Raises UsageError where the file cannot be used.
    """
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if line.strip() and not _has_id(line, new["id"])]
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "".join(f"{line}\n" for line in [*kept, json_line(dict(new))]).encode())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be written: {reason}", ":set questions FILE") from error
    return len(kept) < len([line for line in lines if line.strip()])


def _has_id(line: str, wanted: object) -> bool:
    try:
        row_read = json.loads(line)
    except ValueError:
        return False
    return isinstance(row_read, dict) and row_read.get("id") == wanted


def _place(session: Session, citation: Citation) -> dict[str, str]:
    paths = [file.path for file in session.assistant().store.files()]
    return {"document": tail(citation.document, paths), "quote": citation.quote}


def _keep(session: Session, sentence: str, **more: Any) -> None:
    turn = session.last()
    path = session.options.questions
    replaced = keep(path, row(turn.question, **more))
    session.screen.say(sentence)
    session.screen.note(f"{'Replaced' if replaced else 'Added'} in {path}", "rag eval run reads that file.")


def good(session: Session, argument: str) -> None:
    """The evidence on the screen is right."""
    from rag.session.commands.evidence import current

    citation = current(session)
    answers = [" ".join(citation.quote[a:b].split()) for a, b in citation.marks]
    note = f"marked good in a session; generation {session.last().answer.store.get('generation', '?')}"
    _keep(
        session,
        "Kept as a right answer.",
        answers=[words for words in answers if words],
        evidence=[{"any_of": [_place(session, citation)]}],
        note=note,
    )


def bad(session: Session, argument: str) -> None:
    """The answer is wrong. Until the right words are named, abstaining counts as right."""
    citations = session.last().answer.citations
    if not citations:
        raise UsageError(
            "the last question found no answer to call wrong", ":expect TEXT  # what it should find"
        )
    citation = citations[session.position]
    _keep(
        session,
        "Kept as a wrong answer. If the documents do answer it, name their words: :expect TEXT",
        must_not=f"this, marked wrong in a session: {' '.join(citation.quote.split())}",
        nearest=[_place(session, citation)],
    )


def unanswerable(session: Session, argument: str) -> None:
    """The documents do not answer the question."""
    citations = session.last().answer.citations
    nearest = [_place(session, citations[session.position])] if citations else []
    _keep(
        session,
        "Kept as a question that the documents do not answer.",
        type="unanswerable",
        **({"nearest": nearest} if nearest else {}),
    )


def expect(session: Session, argument: str) -> None:
    """The documents answer in these words; every sentence that holds them counts as the evidence."""
    session.last()
    words = argument.strip().strip('"“”')
    if not words:
        raise UsageError("which words?", ":expect WORDS OF THE DOCUMENTS")
    paths = [file.path for file in session.assistant().store.files()]

    def search(assistant: Assistant) -> list[dict[str, str]]:
        return [
            {"document": tail(document.path, paths), "quote": quote}
            for document in assistant.store.documents()
            for quote in stating(document, words)
        ]

    places = session.background.run(search, session.screen, "looking for these words")
    if not places:
        raise UsageError(
            f"these words stand in no document: {words}", "copy them from a document; :sources lists them"
        )
    unique = list({tuple(place.items()): place for place in places}.values())[:N_PLACES]
    n = len(unique)
    _keep(
        session,
        f"Kept as the right answer; it stands in {n} place{'' if n == 1 else 's'}.",
        answers=[words],
        evidence=[{"any_of": unique}],
    )


def stating(document: Document, words: str) -> list[str]:
    """The sentences of a document that hold some words, whatever their case and spacing.

    >>> stating(Document("d", "/a", "", "text/plain", "It closed. Ann\\n Lee left."), "ann lee")
    ['Ann\\n Lee left.']
    """
    import re

    pattern = re.compile(r"\s+".join(re.escape(word) for word in words.split()), re.I)
    quotes: list[str] = []
    if not words.split():
        return quotes
    for match in pattern.finditer(document.text):
        low, high = max(0, match.start() - 1000), min(len(document.text), match.end() + 1000)
        near = document.text[low:high]
        touched = [(a, b) for a, b in sentences(near) if low + a < match.end() and low + b > match.start()]
        quote = near[touched[0][0] : touched[-1][1]] if touched else match.group()
        if quote not in quotes:
            quotes.append(quote)
    return quotes

"""What of a document is embedded: every passage in its context, and every sentence in that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.passages.header import passage_header, under_header
from rag.records import Document, Passage
from rag.text.language import Language
from rag.text.sentences import sentences


@dataclass(frozen=True, slots=True)
class PassageText:
    """The text a passage is found by, and the range of each of its sentences in it."""

    context: str
    spans: tuple[tuple[int, int], ...]


def passage_texts(
    passages: Sequence[Passage], documents: Mapping[str, Document], language: Language, *, parted: bool
) -> list[PassageText]:
    """For each passage what is embedded of it; without ``parted`` no sentence is."""
    return [
        _passage_text(passage_header(documents[one.document_id], one, language), one, language, parted)
        for one in passages
    ]


def _passage_text(header: str, passage: Passage, language: Language, parted: bool) -> PassageText:
    context = under_header(header, passage)
    if not parted:
        return PassageText(context, ())
    offset = len(context) - len(" ".join(passage.text.split()))
    return PassageText(context, tuple(_spans(passage.text, language, offset)))


def _spans(text: str, language: Language, offset: int) -> Iterator[tuple[int, int]]:
    """Where the sentences of a text stand once its white space is evened out, ``offset`` characters on."""
    for start, end in sentences(text, language):
        before = text[:start]
        at = offset + len(" ".join(before.split())) + (before.rstrip() != before and bool(before.strip()))
        yield at, at + len(" ".join(text[start:end].split()))

"""What of a document is embedded: every passage in its context, and every sentence in that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.passages.header import passage_context, sentences_in_context
from rag.records import Document, Passage
from rag.text.language import Language


@dataclass(frozen=True, slots=True)
class PassageText:
    """The text a passage is found by, and the range of each of its sentences in it."""

    context: str
    spans: tuple[tuple[int, int], ...]


def passage_texts(
    passages: Sequence[Passage], documents: Mapping[str, Document], language: Language, *, parted: bool
) -> list[PassageText]:
    """For each passage what is embedded of it; without ``parted`` no sentence is."""
    texts = []
    for passage in passages:
        context = passage_context(documents[passage.document_id], passage, language)
        spans = sentences_in_context(context, passage, language) if parted else []
        texts.append(PassageText(context, tuple(spans)))
    return texts

"""What of a document is embedded: every passage in its context, and every sentence by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.passages.header import passage_context
from rag.store.content import Content
from rag.text.language import Language
from rag.text.sentences import sentences


def contexts(content: Content, language: Language) -> list[str]:
    """For each row, the text its passage is found by."""
    documents = {entry.document.id: entry.document for entry in content.entries}
    return [passage_context(documents[p.document_id], p, language) for p in content.passages]


def sentence_texts(content: Content, language: Language) -> tuple[list[str], NDArray[np.int64]]:
    """Every sentence of every passage, its white space evened out, and the row of its passage."""
    texts: list[str] = []
    rows: list[int] = []
    for row, passage in enumerate(content.passages):
        for start, end in sentences(passage.text, language):
            texts.append(" ".join(passage.text[start:end].split()))
            rows.append(row)
    return texts, np.asarray(rows, np.int64)

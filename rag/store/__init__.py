"""The store: documents, passages and indexes of one corpus, committed as one generation or not at all."""

from __future__ import annotations

from rag.store.content import Entry, FileRow, Source, boilerplate_key
from rag.store.layout import FORMAT
from rag.store.manifest import Manifest, SegmentRecord
from rag.store.reader import Allowed, Store, is_inside

__all__ = [
    "FORMAT",
    "Allowed",
    "Entry",
    "FileRow",
    "Manifest",
    "SegmentRecord",
    "Source",
    "Store",
    "boilerplate_key",
    "is_inside",
]

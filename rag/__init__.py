"""Answers questions in the words of your documents only, and says so when they have no answer.

>>> from rag import Assistant, Settings, index
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.errors import RagError
    from rag.indexing import IndexSummary, index
    from rag.records import Answer, Citation, Document, Freshness, Hit, Passage, Span, Status
    from rag.settings import Settings, load_settings

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Document",
    "Freshness",
    "Hit",
    "IndexSummary",
    "Passage",
    "RagError",
    "Settings",
    "Span",
    "Status",
    "index",
    "load_settings",
]
__version__ = "0.1.0"

_ROOMS = {
    "Assistant": "rag.assistant",
    "IndexSummary": "rag.indexing",
    "RagError": "rag.errors",
    "Settings": "rag.settings",
    "index": "rag.indexing",
    "load_settings": "rag.settings",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for: ``rag --help`` must not pay for them."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS.get(name, "rag.records")), name)

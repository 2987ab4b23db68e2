"""Answers questions in the words of your documents only, and says so when they have no answer.

>>> from rag import Assistant
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.errors import RagError
    from rag.records import Answer, Citation, Document, Hit, Passage, Span, Status

__all__ = ["Answer", "Assistant", "Citation", "Document", "Hit", "Passage", "RagError", "Span", "Status"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for: ``rag --help`` must not pay for them."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    room = {"Assistant": "rag.assistant", "RagError": "rag.errors"}.get(name, "rag.records")
    return getattr(importlib.import_module(room), name)

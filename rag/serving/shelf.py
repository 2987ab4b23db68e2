"""What is served of a store: its documents by name, the lines asked for, verdicts on what it holds alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from rag.checks.verify import Checked, Cited, Verdict, judge
from rag.output.json_lines import source_to_json
from rag.records import Document
from rag.store import Store
from rag.store.lookup import Line, Named, around, around_characters, find_path

DEFAULT_CONTEXT = 5  # lines before and after, as in `rag show`


class Shelf:
    """The documents of one generation, found by id, path or name; nothing else is ever read out."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def close(self) -> None:
        """Let go of the store's files."""
        self.store.close()

    @cached_property
    def sources(self) -> list[dict[str, Any]]:
        """Every document without its text, in order of path."""
        return [source_to_json(document) for document in self.store.sources]

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The id of the document at each path."""
        return {source["document"]: source["id"] for source in self.sources}

    def document(self, name: str) -> Document:
        """The document of that id, path or name; DocumentNotFoundError where there is none, or several."""
        if name in self.ids.values():
            return self.store.document(name)
        return self.store.document(self.ids[find_path(name, list(self.ids))])


def path_of(store: Store) -> Callable[[str], str]:
    """From a document's id to its path."""
    return lambda document_id: store.document(document_id).path


def about(store: Store, shards: str | None = None) -> dict[str, Any]:
    """Which generation answers, and how many of its ``shards`` did where there are some."""
    found = {"generation": store.manifest.generation, "encoder": store.manifest.encoder_name}
    return found if shards is None else {**found, "shards": shards}


def chosen_lines(document: Document, given: Mapping[str, Any]) -> list[Line]:
    """The lines asked for: by characters, else by page and line, else all."""
    context = given.get("context", DEFAULT_CONTEXT)
    if "start" in given or "end" in given:
        start = given.get("start", 0)
        return around_characters(document, start, given.get("end", start + 1), context)
    return around(document, Named("", given.get("page"), given.get("line")), context)


def not_held(cited: Cited) -> Checked:
    """The verdict on a citation of a file that is not in the store, and so is not looked at."""
    judged = judge(cited, None)
    if judged.verdict is not Verdict.MISSING:
        return judged
    return replace(judged, detail="no document of the store has this path, and no other file is read")

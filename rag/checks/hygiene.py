"""What indexing kept out, had to decide, or could not find: everything a user may want to overrule."""

from __future__ import annotations

from dataclasses import dataclass

from rag.citations import location
from rag.records import Location, Passage
from rag.store import Store, boilerplate_key


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A passage that answers nothing, why, and the key that brings it back."""

    where: Location
    text: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Words that stand in several places and answer once, from the first."""

    text: str
    places: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Hygiene:
    """The state of a store's documents. ``notes`` are (path, sentence), ``encodings`` (path, name)."""

    kept_out: tuple[KeptOut, ...]
    brought_back: tuple[str, ...]
    twins: tuple[Twins, ...]
    encodings: tuple[tuple[str, str], ...]
    undated: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


def inspect(store: Store) -> Hygiene:
    """The hygiene of a store, in order of path and place."""
    documents = list(store.documents())

    def where(passage: Passage) -> Location:
        return location(store.document(passage.document_id), passage.start, passage.end)

    members: dict[int, list[int]] = {}
    for row, label in zip(store.rows.tolist(), store.labels(store.rows), strict=True):
        members.setdefault(label, []).append(row)
    twins = []
    for rows in members.values():
        if len(rows) > 1:
            passages = store.passages(rows)
            twins.append(Twins(passages[0].text, tuple(where(passage) for passage in passages)))
    return Hygiene(
        kept_out=tuple(
            KeptOut(where(one), one.text, one.boilerplate or "", boilerplate_key(one.text))
            for one in store.excluded()
        ),
        brought_back=store.manifest.kept,
        twins=tuple(twins),
        encodings=tuple(
            (one.path, one.encoding)
            for one in documents
            if one.encoding
            and one.encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "ascii")
        ),
        undated=tuple(one.path for one in documents if one.date is None),
        notes=tuple((one.path, note) for one in documents for note in one.notes),
    )

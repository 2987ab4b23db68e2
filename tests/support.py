"""What several tests share: a tiny encoder, small corpora on disk, and a picture of a store."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import NothingToIndexError
from rag.indexing import IndexSummary, index
from rag.loading import Here
from rag.settings import PassageSettings, Settings
from rag.store import Store
from rag.store.layout import GENERATIONS, generation_folder

DIM = 64
# Beside the checkouts of who writes this, and nowhere else; a test that needs them is said to be skipped.
SHARED = Path(__file__).parents[2] / "shared"
REAL = SHARED / "corpora" / "doncaster"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the five real documents are not in the repository")


class WordEncoder:
    """Texts as unit vectors of their hashed words: equal words, equal vectors. Counts what it encodes."""

    def __init__(self, name: str = "words", seed: str = "") -> None:
        self.name = name
        self.fingerprint = hashlib.sha256(f"words{seed}".encode()).hexdigest()
        self.dim = DIM
        self.encoded: list[str] = []
        self._seed = seed

    def encode(
        self,
        texts: Sequence[str],
        *,
        kind: str = "passage",
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[np.float32]:
        self.encoded += texts
        vectors = np.zeros((len(texts), DIM), np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 0.01  # a text without words has a direction too
            for word in text.casefold().split():
                digest = hashlib.sha256((self._seed + word).encode("utf-8", "surrogatepass")).digest()
                vectors[row, digest[0] % DIM] += 1 if digest[1] % 2 else -1
        if progress:
            progress(len(texts))
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def settings(store: Path, **passages: object) -> Settings:
    return Settings(store=store, passages=PassageSettings(**{"min_words": 1, **passages}))  # type: ignore[arg-type]


def write_corpus(folder: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Put files in a folder; None deletes one."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def run(
    paths: Sequence[str | Path] | None, store: Path, encoder: WordEncoder | None = None, **options: object
) -> IndexSummary:
    """Index with the word encoder, in this process alone unless a ``loader`` is given."""
    chosen = options.pop("settings", None) or settings(store)
    options = {"encoder": encoder or WordEncoder(), "loader": Here(), **options}
    return index(paths, store, chosen, **options)  # type: ignore[arg-type]


def steps_against_fresh(
    steps: Sequence[Mapping[str, str | None]], folder: Path
) -> Iterator[tuple[Path, Path]]:
    """Change a corpus step after step: each time the store that followed it, and one made of it at once."""
    corpus, stepwise = folder / "corpus", folder / "stepwise"
    corpus.mkdir()
    for number, step in enumerate(steps):
        write_corpus(corpus, {name: text for name, text in step.items() if text or (corpus / name).exists()})
        try:
            run([corpus], stepwise)
        except NothingToIndexError:
            assert not any(path.is_file() for path in corpus.rglob("*"))
            continue
        fresh = folder / f"fresh{number}"
        run([corpus], fresh)
        yield stepwise, fresh


def picture(store: Path, at: str | None = None) -> dict[str, object]:
    """All that a store serves, generation number and times left out: equal pictures answer equally."""
    with Store.open(store, at=at) as opened:
        rows = opened.rows.tolist()
        places = {row: place for place, row in enumerate(rows)}
        queries = WordEncoder().encode(["the trust was opened", "cookies", "flood at the mill"])
        found = opened.vectors.search(queries, 5)
        return {
            "documents": list(opened.documents()),
            "passages": opened.passages(rows),
            "excluded": opened.excluded(),
            "groups": [
                [places[row] for row in opened.members(label)] for label in opened.labels(opened.rows)
            ],
            "vectors": [opened.vectors.vector(row).tobytes() for row in rows],
            "sentences": opened.sentences and opened.sentences.best(queries[0], opened.rows).tolist(),
            "dense": [array.tolist() for array in found],
            "lexical": [a.tolist() for a in opened.lexical.search("was the trust opened in June", 5)],
            "roots": opened.manifest.roots,
            "kept": opened.manifest.kept,
        }


def sharing_segments(assign: Callable[[str, object], object]) -> None:
    """Make small stores share segments between generations, as large ones do, and never merge the base."""
    assign("rag.indexing.merging.SMALL_PASSAGES", 0)
    assign("rag.indexing.merging.DEAD_SHARE", 100.0)


def segment_file(store: Path, number: int, name: str) -> Path:
    """A file of the one segment that a generation of a small store has."""
    (path,) = generation_folder(store, number).glob(f"*/{name}")
    return path


def folders(store: Path) -> list[str]:
    """What stands among the generations."""
    return sorted(path.name for path in (store / GENERATIONS).iterdir())


def copy_store(store: Path, to: Path) -> Path:
    if store.exists():
        shutil.copytree(store, to)
    return to


FIRST = {
    "trust.txt": "The Trust\n\nThe trust was opened in June 2014 by the council.\n\nIt had ninety staff.",
    "mill.md": "# The mill\n\nA flood at the mill closed the road. Nobody was hurt.\n\nIt reopened in May.",
    "web.txt": "We use cookies. Accept all cookies\n\nThe library keeps the letters of 2014.",
    "sub/gone.txt": "This report will be deleted. It speaks of bridges and of boats.",
    "sub/old name.txt": "A letter that keeps its words and changes its name on the way.",
    "same.txt": "The library keeps the letters of 2014.",
}
SECOND = {
    "trust.txt": "The Trust\n\nThe trust was closed in July 2022 by the council.\n\nIt had ninety staff.",
    "sub/gone.txt": None,
    "sub/old name.txt": None,
    "new name.txt": FIRST["sub/old name.txt"],
    "added.txt": "An added report about the harbour. It says that ships came late.",
}

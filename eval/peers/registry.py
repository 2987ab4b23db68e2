"""The systems compared: what each needs installed, which class runs it, and how it was set up."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from eval.peers.task import System, Task

OURS = "rag"
INSTALL = "pip install 'rag[peers]'"


@dataclass(frozen=True, slots=True)
class Peer:
    """A system by name. ``packages`` are distributions, the first of which says the version shown.

    ``place`` is "module.Class" below ``eval.peers.systems``; ``reads`` says whether it gives answers;
    ``about`` is how it was set up, for those who read the figures.
    """

    name: str
    place: str
    packages: tuple[str, ...]
    reads: bool
    about: str

    @property
    def is_ours(self) -> bool:
        """Whether it is the system all others are compared with."""
        return self.name == OURS

    def versions(self) -> dict[str, str | None]:
        """The installed version of each package; None for one that is missing."""
        return {name: _version(name) for name in self.packages}

    def why_missing(self) -> str:
        """Which packages are not installed and how to get them; empty when all are there."""
        missing = [name for name, found in self.versions().items() if found is None]
        return f"not installed: {', '.join(missing)}; {INSTALL}" if missing else ""

    def make(self, task: Task) -> System:
        """The system for a task, nothing loaded yet."""
        module, _, name = self.place.partition(".")
        system: System = getattr(import_module(f"eval.peers.systems.{module}"), name)(task)
        return system


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


_HAYSTACK = ("haystack-ai", "sentence-transformers-haystack", "transformers-haystack")

PEERS = (
    Peer(
        OURS,
        "own.Own",
        ("rag",),
        True,
        "the settings in force, through OpenVINO; indexing includes reading and cutting the files",
    ),
    Peer(
        "sentence-transformers + faiss",
        "faiss_loop.FaissLoop",
        ("sentence-transformers", "faiss-cpu"),
        False,
        "encode, IndexFlatIP, encode the question, search; no reader",
    ),
    Peer(
        "bm25s",
        "lexical.Lexical",
        ("bm25s", "PyStemmer"),
        False,
        "its README's quickstart: English stop words and stemmer; no reader",
    ),
    Peer(
        "txtai",
        "with_txtai.Txtai",
        ("txtai", "transformers"),
        True,
        "Embeddings with content, hybrid off; its RAG pipeline with our reader's weights over the first "
        "three passages joined",
    ),
    Peer(
        "haystack",
        "with_haystack.Haystack",
        _HAYSTACK,
        True,
        "BM25 and embedding retriever joined by reciprocal rank; its extractive reader with our reader's "
        "weights, which it runs without the segments that tell question from passage",
    ),
    Peer(
        "haystack, segments",
        "with_haystack.HaystackWithSegments",
        _HAYSTACK,
        True,
        "the same, with the segments handed to the model by a hook of ours",
    ),
    Peer(
        "llama-index",
        "with_llamaindex.LlamaIndex",
        ("llama-index-core", "llama-index-embeddings-huggingface"),
        False,
        "VectorStoreIndex over the passages as nodes; its readers are language models, so none was run",
    ),
)


def chosen(names: list[str] | None) -> list[Peer]:
    """The systems of these names, in the table's order; all of them when none is named.

    >>> [peer.name for peer in chosen(["bm25s", "rag"])]
    ['rag', 'bm25s']
    >>> chosen(["elastic"])
    Traceback (most recent call last):
    ...
    rag.errors.UsageError: no system is called "elastic"
    """
    from rag.errors import UsageError

    known = [peer.name for peer in PEERS]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        quoted = ", ".join(f'"{name}"' for name in unknown)
        raise UsageError(f"no system is called {quoted}", f"choose from: {'; '.join(known)}")
    return [peer for peer in PEERS if not names or peer.name in names]

"""The whole benchmark: for each size a corpus made, indexed, asked, changed, and given to other systems."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.bench.jobs import ASK, INDEX, Job, latency, write_job
from eval.bench.limits import isa, limits
from eval.bench.mixtures import (
    Material,
    MixtureEncoder,
    lookups,
    material,
    write_files,
)
from eval.files import write_whole
from eval.peers.comparison import outcome_of, shared_passages, variables
from eval.peers.registry import Peer, chosen
from eval.peers.task import Asked, Outcome, Task, write_json
from eval.runs import environment
from rag.errors import RagError, UsageError

if TYPE_CHECKING:
    from rag.loading import Loaded
    from rag.settings import Settings

FORMAT = 1
SEED = 14
PARTS = ("limits", "index", "ask", "cold", "change", "peers")
PEERS = ("sentence-transformers + faiss", "bm25s", "txtai", "haystack")
TAKE_VECTORS = ("sentence-transformers + faiss", "haystack")  # where the encoder made none for anybody
NO_VECTORS = ("bm25s",)
ANSWERS = (0, 3, 4)  # exit statuses of ``rag ask`` that follow an answer: answered, abstained, weak
N_COLD = 3  # processes started one after another, each to answer one question
N_CHANGED = 1000  # passages added, and then deleted; never more than there are
PEER_SECONDS = 1800.0  # what takes longer to index and to answer is a row that says so
METHOD = (
    "Text: the corpus's own documents as far as they go, then files of 50 paragraphs, each of sentences of "
    "the corpus mixed anew up to 40 to 160 words, with every name and figure exchanged.",
    "Vectors: made by the encoder where a size says real; where it says mixed, the mean of the vectors of a "
    "passage's sentences with noise added, and indexing is timed without the encoder's forward pass.",
    "Questions: half from a question set, half for two words of a passage that was made; always encoded for "
    "real. One is asked untimed first. A percentile of n questions is a nearest rank: of 100, p99 is one.",
    "Each measure in a process of its own, held to the same threads and cores. Add and delete are whole runs "
    "of indexing, the folder looked through included, with the encoder loaded before.",
    "Cold is a process started for one question, file cache warm.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured: sizes in passages, up to which of them the encoder and other systems run."""

    corpus: Path
    questions: tuple[str, ...]
    sizes: tuple[int, ...]
    threads: int
    n_questions: int = 100
    embed_up_to: int = 10_000
    peers_up_to: int = 100_000
    parts: frozenset[str] = frozenset(PARTS)


class JobError(RagError):
    """A process that was to measure something ended without figures."""


def bench(
    plan: Plan, out: Path, settings: Settings, *, announce: Callable[[str], object] = lambda _: None
) -> dict[str, Any]:
    """The card, which is written to ``out/bench.json`` anew after each size.

    Stopped, it leaves the figures of the sizes it was done with, and nothing else. Raises UsageError where
    the corpus holds too little prose, and what indexing raises.
    """
    with _folder(out), tempfile.TemporaryDirectory(prefix=".bench-", dir=out) as name:
        scratch = Path(name).absolute()
        announce(f"reading {plan.corpus}")
        documents = _documents(plan.corpus, settings)
        source = material(documents)
        if source.n_sentences < 20:
            raise UsageError(
                f"{plan.corpus} holds {source.n_sentences} sentences that stand alone; 20 are needed",
                "name a folder of documents in prose with --corpus",
            )
        card = _head(plan, settings, documents, source)
        if "limits" in plan.parts:
            announce("measuring the machine")
            card["limits"] = limits(plan.threads)
        mixture = ""
        if any(size > plan.embed_up_to for size in plan.sizes) and plan.parts != {"limits"}:
            from rag.retrieval.encoder import load_encoder

            announce(f"encoding {source.n_sentences:,} sentences")
            mixture = str(scratch / "sentences.npz")
            encoder = load_encoder(settings.encoder, n_threads=plan.threads)
            MixtureEncoder.of(source, encoder).save(Path(mixture))
        for size in plan.sizes if plan.parts != {"limits"} else ():
            folder = scratch / str(size)
            folder.mkdir()
            real = size <= plan.embed_up_to
            one = _Size(plan, size, folder, out, source, documents, "" if real else mixture, announce)
            card["sizes"].append(one.measure())
            shutil.rmtree(folder)
            _write(card, out)
        _write(card, out)
    return card


def _write(card: Mapping[str, Any], out: Path) -> None:
    write_whole(out / "bench.json", json.dumps(card, ensure_ascii=False, indent=1, default=str) + "\n")


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Make a folder for the block; where it was not there and nothing came into it, it goes again."""
    made = [path for path in (out, *out.parents) if not path.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            for path in made:
                path.rmdir()


def _documents(corpus: Path, settings: Settings) -> list[Loaded]:
    """What stands in the folder and can be read, in order of path."""
    from rag.errors import LoadError
    from rag.loaders import find_files
    from rag.loading import LoadingPool

    files, _ = find_files([corpus.absolute()])
    with LoadingPool() as pool:
        found = pool.load_all([str(path) for path in files], settings.passages, None)
        return [one for one in found if not isinstance(one, LoadError)]


def _head(plan: Plan, settings: Settings, documents: Sequence[Loaded], source: Material) -> dict[str, Any]:
    """What the card was made with, and no figure yet."""
    return {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "method": list(METHOD),
        "seed": SEED,
        "versions": environment.versions(),
        "code_sha256": environment.code_sha256(),
        **environment.in_force(settings),
        "machine": {**environment.machine(), "isa": isa(), "load_average": _load_average()},
        "threads": plan.threads,
        "embed_up_to": plan.embed_up_to,
        "corpus": {
            "n_documents": len(documents),
            "n_passages": sum(map(_n_passages, documents)),
            "n_sentences": source.n_sentences,
            "n_names": len(source.names),
        },
        "limits": None,
        "sizes": [],
    }


def _load_average() -> float | None:
    """How many processes wanted a core in the last minute: above the cores, figures are of a busy machine."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _n_passages(document: Loaded) -> int:
    return sum(not passage.boilerplate for passage in document.passages)


class _Size:
    """The measures of one size; every file of it stands in ``folder``, which the caller deletes."""

    def __init__(
        self,
        plan: Plan,
        size: int,
        folder: Path,
        out: Path,
        source: Material,
        documents: Sequence[Loaded],
        mixture: str,
        announce: Callable[[str], object],
    ) -> None:
        self._plan = plan
        self._size = size
        self._folder = folder
        self._out = out
        self._source = source
        self._documents = documents
        self._mixture = mixture
        self._announce = announce
        self._corpus = folder / "corpus"
        self._store = folder / "store"
        self._n_files = 0

    def measure(self) -> dict[str, Any]:
        """The figures of this size."""
        parts = self._plan.parts
        self._tell("writing the corpus")
        figures: dict[str, Any] = {"n_wanted": self._size, **self._write_corpus()}
        figures["vectors"] = "mixed" if self._mixture else "real"
        figures["load_average"] = _load_average()
        questions = self._questions()
        self._tell("indexing")
        figures["index"] = self._index()
        figures["n_passages"] = figures["index"].pop("n_passages")
        figures["n_documents"] = figures["index"].pop("n_documents")
        figures["disk"] = self._disk(figures["index"]["generation"], figures["n_passages"])
        if "ask" in parts:
            self._tell(f"asking {len(questions)} questions")
            figures |= self._job(Job(ASK, str(self._store), self._plan.threads, questions=questions))
        if "cold" in parts:
            self._tell("cold starts")
            figures["cold"] = self._cold(questions)
        if "peers" in parts:
            figures["peers"] = self._peers(questions)
        if "change" in parts:
            figures |= self._change()
        return figures

    def _tell(self, what: str) -> None:
        self._announce(f"{self._size:,} passages: {what}")

    def _write_corpus(self) -> dict[str, int]:
        """Real documents as far as they fit, then made ones."""
        n_real = 0
        for number, one in enumerate(self._documents):
            n = _n_passages(one)
            if n_real + n <= self._size:
                path = Path(one.document.path)
                to = self._corpus / "real" / f"{number:06d}" / path.name
                to.parent.mkdir(parents=True)
                shutil.copyfile(path, to)
                n_real += n
        self._corpus.mkdir(exist_ok=True)
        written = write_files(self._source, self._corpus / "made", 0, self._size - n_real, SEED)
        self._n_files = len(written)
        n_bytes = sum(path.stat().st_size for path in self._corpus.rglob("*") if path.is_file())
        return {"n_real_passages": n_real, "file_bytes": n_bytes}

    def _questions(self) -> tuple[str, ...]:
        n = self._plan.n_questions
        numbers = range(self._n_files)
        draw = random.Random(SEED)
        n_real = min(len(self._plan.questions), n - n // 2 if numbers else n)
        real = draw.sample(self._plan.questions, n_real)
        every = [*real, *lookups(self._source, numbers, n - n_real, SEED)]
        draw.shuffle(every)
        return tuple(every)

    def _job(self, job: Job) -> dict[str, Any]:
        """What a process of its own measured."""
        job_path, figures = self._folder / "job.json", self._folder / "figures.json"
        write_job(job_path, job)
        figures.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "eval.bench.worker", str(job_path), str(figures)],
            env=variables(os.environ, job.threads),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if not figures.is_file():
            raise JobError(
                f"the process that was to {job.do} {self._size:,} passages ended with status "
                f"{done.returncode}",
                "a smaller size needs less memory: --sizes 1000,10000",
            )
        told: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
        if "error" in told:
            raise JobError(told["error"], told["hint"])
        return told

    def _index(self) -> dict[str, Any]:
        paths = (str(self._corpus),)
        told = self._job(Job(INDEX, str(self._store), self._plan.threads, paths, self._mixture))
        return told | {"passages_per_second": told["n_passages"] / told["seconds"]}

    def _disk(self, generation: int, n_passages: int) -> dict[str, Any]:
        from rag.store.layout import generation_folder

        folder = generation_folder(self._store, generation)
        by_file: dict[str, int] = {}
        for path in folder.rglob("*"):
            if path.is_file():
                parts = path.relative_to(folder).parts
                name = parts[0] if len(parts) == 1 else parts[1]  # the segment's folder left out
                by_file[name] = by_file.get(name, 0) + path.stat().st_size
        return {
            "bytes": sum(by_file.values()),
            "bytes_per_passage": sum(by_file.values()) / n_passages,
            "bytes_per_passage_by_file": {
                name: size / n_passages for name, size in sorted(by_file.items(), key=lambda each: -each[1])
            },
        }

    def _cold(self, questions: Sequence[str]) -> dict[str, Any]:
        """Milliseconds from starting ``rag ask`` to its end."""
        walls = []
        for question in questions[:N_COLD]:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "rag", "ask", question, "--store", str(self._store)],
                env=variables(os.environ, self._plan.threads)
                | {"RAG_READER_THREADS": str(self._plan.threads)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
            walls.append((time.perf_counter() - began) * 1e3)
            if done.returncode not in ANSWERS:
                said = done.stderr.decode(errors="replace").strip()
                raise JobError(f"rag ask ended with status {done.returncode}: {said}")
        return {"n": len(walls), "p50_ms": latency([{"wall": wall} for wall in walls])["wall"]["p50"],
                "walls_ms": walls}  # fmt: skip

    def _change(self) -> dict[str, Any]:
        """Passages added as files of 50, and deleted again with their files."""
        n = min(N_CHANGED, self._size)
        self._tell(f"adding {n:,}")
        files = write_files(self._source, self._corpus / "made", self._n_files, n, SEED)
        added = self._changed(n)
        self._tell(f"deleting {n:,}")
        for path in files:
            path.unlink()
        return {"add": added, "delete": self._changed(n)}

    def _changed(self, n: int) -> dict[str, Any]:
        before = set(_inodes(self._store))
        figures = self._index()
        new = {key: size for key, size in _inodes(self._store).items() if key not in before}
        kept = ("seconds", "cpu_seconds", "stages", "steps", "n_passages", "n_embedded", "peak_memory_mb")
        return {"n": n, **{name: figures[name] for name in kept}, "written_bytes": sum(new.values())}

    def _peers(self, questions: Sequence[str]) -> list[dict[str, Any]]:
        """Other systems over the same passages and questions; what does not run is a row that says why."""
        peers = chosen(list(PEERS))
        whys = {peer.name: self._why_not(peer) for peer in peers}
        if not all(whys.values()):
            self._tell("passages for other systems")
            self._write_task(questions)
        rows = []
        logs = self._out / f"peers-{self._size}"
        for peer in peers:
            outcome = Outcome(peer.name, why=whys[peer.name])
            if not outcome.why:
                self._tell(peer.name)
                logs.mkdir(exist_ok=True)
                outcome = outcome_of(peer, self._folder, logs, limit_seconds=PEER_SECONDS)
            rows.append(_peer_figures(peer, outcome, self._size, given=self._gives_vectors(peer)))
        return rows

    def _gives_vectors(self, peer: Peer) -> bool:
        return bool(self._mixture) and peer.name in TAKE_VECTORS

    def _why_not(self, peer: Peer) -> str:
        if self._size > self._plan.peers_up_to:
            return f"not tried above {self._plan.peers_up_to:,} passages: --peers-up-to"
        if self._mixture and peer.name not in (*TAKE_VECTORS, *NO_VECTORS):
            return f"it makes its own vectors, which takes too long above {self._plan.embed_up_to:,} passages"
        return peer.why_missing()

    def _write_task(self, questions: Sequence[str]) -> None:
        from embeddings.weights import BUILT_IN
        from embeddings.weights import shipped as shipped_weights
        from eval.peers.reader_weights import write_question_answering
        from rag.reader import shipped
        from rag.store import Store

        write_question_answering(shipped.folder(), self._folder / "reader")
        shipped_weights(BUILT_IN).write(self._folder / "encoder")
        with Store.open(self._store, verify=False) as store:
            passages = shared_passages(store)
        vectors = ""
        if self._mixture:
            import numpy as np

            vectors = str(self._folder / "vectors.npy")
            encoder = MixtureEncoder.open(Path(self._mixture))
            made = np.lib.format.open_memmap(vectors, "w+", np.float32, (len(passages), encoder.dim))
            for start in range(0, len(passages), 1000):
                made[start : start + 1000] = encoder.encode([p.text for p in passages[start : start + 1000]])
            del made
        task = Task(
            passages=passages,
            questions=tuple(Asked(str(number), text) for number, text in enumerate(questions)),
            corpus=str(self._corpus),
            store=str(self._folder / "own"),
            encoder=str(self._folder / "encoder"),
            reader=str(self._folder / "reader"),
            threads=self._plan.threads,
            k=10,
            vectors=vectors,
        )
        write_json(self._folder / "task.json", task)


def _peer_figures(peer: Peer, outcome: Outcome, n_passages: int, *, given: bool) -> dict[str, Any]:
    """One system's figures: versions, speed and memory; ``given``: it was handed finished vectors."""
    row: dict[str, Any] = {"name": peer.name, "versions": peer.versions(), "why": outcome.why or None}
    if outcome.why:
        return row
    return row | {
        "reads": peer.reads,
        "vectors": "given" if given else "own" if peer.name not in NO_VECTORS else None,
        "load_seconds": outcome.load_seconds,
        "index_seconds": outcome.index_seconds,
        "passages_per_second": n_passages / outcome.index_seconds,
        "latency_ms": latency([{"search": r.found.find_ms, "total": r.total_ms} for r in outcome.replies]),
        "n_failed": sum(bool(reply.found.failure) for reply in outcome.replies),
        "peak_mb": outcome.memory_mb,
    }


def _inodes(folder: Path) -> dict[tuple[int, int], int]:
    """The size of every file below, by what tells files apart: a link counts once."""
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return {(status.st_dev, status.st_ino): status.st_size for status in found}

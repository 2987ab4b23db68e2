"""One run over all systems: shared passages, a process each, one JSON file of all that came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.files import write_whole
from eval.peers.figures import MEANINGS, Judge, system_figures
from eval.peers.reader_weights import write_question_answering
from eval.peers.registry import Peer
from eval.peers.task import Asked, Outcome, SharedPassage, Task, read_outcome, write_json
from eval.peers.worker import environment as worker_environment
from eval.questions import Question, questions_sha256
from eval.runs import environment
from eval.runs.runner import K
from eval.scoring.aggregate import Table
from rag.errors import UsageError
from rag.settings import Settings
from rag.store import Store

FORMAT = 1
LIMIT_SECONDS = 3600  # for one system: what takes longer over some hundred questions hangs
METHOD = (
    "Every system gets the same passages, cut by our own pipeline: title, date and heading, then the words.",
    "Every system that encodes uses the built-in encoder's weights, every system that reads our reader's, "
    "without its relevance head.",
    "Each runs in a process of its own with the same threads; one question is asked untimed before the rest.",
    "Ours indexes from files to a synced store, with a second index of sentences; the others index finished "
    "passages in memory.",
)


def compare(
    questions: Sequence[Question],
    corpus: Path,
    out: Path,
    peers: Sequence[Peer],
    settings: Settings,
    *,
    threads: int,
    announce: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Run the systems one after another; ``peers.json`` and a log a system are written into ``out``.

    What cannot run is a row that says why; the file is written anew after each system, so that stopping loses
    only the one at work. ``announce`` is called with a line before each. Raises UsageError where the settings
    name another encoder than the built-in one, and what indexing and loading weights raise.
    """
    from embeddings.weights import BUILT_IN
    from embeddings.weights import shipped as shipped_weights
    from rag.indexing import index
    from rag.reader import shipped

    if settings.encoder.model != BUILT_IN:
        raise UsageError(
            f"the comparison runs on {BUILT_IN}, and encoder.model is {settings.encoder.model}",
            f"RAG_ENCODER_MODEL={BUILT_IN} rag eval peers ...",
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rag-peers-") as name:
        scratch = Path(name)
        announce("passages: indexing the documents")
        for problem in index([corpus.absolute()], scratch / "shared", settings).problems:
            announce(f"skipped: {problem.message}")
        write_question_answering(shipped.folder(), scratch / "reader")
        shipped_weights(BUILT_IN).write(scratch / "encoder")
        with Store.open(scratch / "shared") as store:
            task = Task(
                passages=shared_passages(store),
                questions=tuple(Asked(q.id, q.standalone or q.question) for q in questions),
                corpus=str(corpus.absolute()),
                store=str(scratch / "own"),
                encoder=str(scratch / "encoder"),
                reader=str(scratch / "reader"),
                threads=threads,
                k=K,
            )
            write_json(scratch / "task.json", task)
            judge = Judge(store, questions, K)
            report = _head(store, settings, scratch, task, questions)
            ours: Table | None = None
            for peer in peers:
                announce(f"{peer.name}: running")
                outcome = outcome_of(peer, scratch, out)
                scores = {} if outcome.why else judge.scores(outcome, reads=peer.reads)
                report["systems"].append(system_figures(peer, outcome, scores, ours, len(task.passages)))
                if peer.is_ours and not outcome.why:  # it comes first
                    ours = scores
                text = json.dumps(report, ensure_ascii=False, indent=1, default=str)
                write_whole(out / "peers.json", text + "\n")
    return report


def _head(
    store: Store, settings: Settings, scratch: Path, task: Task, questions: Sequence[Question]
) -> dict[str, Any]:
    """What the comparison was made with, and no system yet."""
    about = environment.about(store, settings, scratch)
    del about["store"]  # a temporary folder
    return {
        "format": FORMAT,
        "method": list(METHOD),
        "metrics": dict(MEANINGS),
        "threads": task.threads,
        "k": task.k,
        **about,
        "n_passages": len(task.passages),
        "questions": {
            "n": len(questions),
            "answerable": sum(question.answerable for question in questions),
            "sha256": questions_sha256(questions),
        },
        "systems": [],
    }


def shared_passages(store: Store) -> tuple[SharedPassage, ...]:
    """The store's passages as every system gets them, by row."""
    from rag.passages.header import passage_context

    return tuple(
        SharedPassage(document.path, passage.start, passage.end, passage_context(document, passage))
        for passage in store.passages(store.rows)
        for document in (store.document(passage.document_id),)
    )


def outcome_of(peer: Peer, scratch: Path, out: Path, *, limit_seconds: float = LIMIT_SECONDS) -> Outcome:
    """What became of a system in a process of its own, for the task in ``scratch/task.json``.

    All that it writes to its streams goes to ``out/NAME.log``. A missing package, a crash and a process that
    takes longer than ``limit_seconds`` are outcomes too.
    """
    why = peer.why_missing()
    if why:
        return Outcome(peer.name, why=why)
    path = scratch / "outcome.json"
    path.unlink(missing_ok=True)
    threads = json.loads((scratch / "task.json").read_text(encoding="utf-8"))["threads"]
    log = out / f"{''.join(c if c.isalnum() else '-' for c in peer.name)}.log"
    with log.open("w", encoding="utf-8") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "eval.peers.worker", peer.name, str(scratch / "task.json"), str(path)],
                env=variables(os.environ, threads),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=limit_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(peer.name, why=f"it took longer than {limit_seconds:g} seconds")
    if not path.is_file():
        return Outcome(peer.name, why=f"its process ended with status {done.returncode}; see {log.name}")
    return read_outcome(path)


def variables(before: Mapping[str, str], threads: int) -> dict[str, str]:
    """A process's environment: what stands here, our own modules found, threads and silence set."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [before.get("PYTHONPATH")])]
    return {**before, **worker_environment(threads), "PYTHONPATH": os.pathsep.join(paths)}

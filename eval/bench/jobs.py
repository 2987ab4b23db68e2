"""What a process of its own measures: indexing a folder, or questions asked of a store."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.peers.worker import peak_memory_mb

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from rag.indexing.progress import Progress
    from rag.settings import Settings

INDEX, ASK = "index", "ask"
# What the bench calls the stages that indexing tells of, and the stretches between them.
STAGES = {"reading": "load", "embedding": "embed", "writing": "write"}
BEFORE = {"embedding": "prepare", "writing": "group"}  # texts and sentences; passages that say the same
SEARCH = ("dense", "lexical", "fuse")


@dataclass(frozen=True, slots=True)
class Job:
    """One measure: ``do`` is "index" or "ask"; paths are absolute.

    ``mixture`` is the file of a MixtureEncoder to index with; empty: the encoder that the settings name.
    """

    do: str
    store: str
    threads: int
    paths: tuple[str, ...] = ()
    mixture: str = ""
    questions: tuple[str, ...] = field(default=())


def read_job(path: Path) -> Job:
    """The job of a file that ``write_job`` wrote."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Job(**{**record, "paths": tuple(record["paths"]), "questions": tuple(record["questions"])})


def write_job(path: Path, job: Job) -> None:
    """A job as a JSON file; ``read_job`` takes it back."""
    path.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")


def work(job: Job) -> dict[str, Any]:
    """The figures of a job."""
    return {INDEX: index_store, ASK: ask_store}[job.do](job)


def settings_of(job: Job) -> Settings:
    """The user's settings, with the job's store and threads."""
    from rag.settings import load_settings

    return load_settings({"store": job.store, "reader.threads": job.threads}).settings


class StageTimes:
    """A progress that notes how long each stage took, and what lay between two; it moves a bar as well."""

    def __init__(self, bar: Progress | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._bar = bar
        self._clock = clock
        self._last = clock()
        self._stage = ""
        self.seconds: dict[str, float] = {}

    def _passed(self, name: str) -> None:
        now = self._clock()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now

    def start(self, stage: str, total: int) -> None:
        """What passed until now lay before this stage."""
        self._passed(BEFORE.get(stage, "open"))
        self._stage = STAGES.get(stage, stage)
        if self._bar is not None:
            self._bar.start(stage, total)

    def advance(self, n: int = 1) -> None:
        """Only the bar wants to know."""
        if self._bar is not None:
            self._bar.advance(n)

    def finish(self) -> None:
        """What passed since its start was the stage."""
        self._passed(self._stage)
        if self._bar is not None:
            self._bar.finish()

    def end(self) -> None:
        """What passed since the last stage was tidying up."""
        self._passed("close")


class StepTimes:
    """Seconds between the steps that indexing tells of, by the name of the earlier; numbers left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._step, self._last = "start", time.perf_counter()

    def __call__(self, step: str) -> None:
        """A step is about to be taken."""
        now = time.perf_counter()
        self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._last
        self._step, self._last = " ".join(word for word in step.split() if not word[-1].isdigit()), now


def index_store(job: Job) -> dict[str, Any]:
    """Index the paths into the store: seconds by stage and step, counts, and the process's peak memory.

    The encoder is loaded before the clock starts.
    """
    from rag.indexing import index
    from rag.output.progress_bar import progress

    encoder = _encoder(job)
    with progress() as bar:
        stages, steps = StageTimes(bar), StepTimes()
        began, cpu_began = time.perf_counter(), cpu_seconds()
        done = index(
            list(job.paths), job.store, settings_of(job), encoder=encoder, progress=stages, steps=steps
        )
        seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu_began
        stages.end()
        steps("end")
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "stages": stages.seconds,
        "steps": steps.seconds,
        "n_documents": done.n_documents,
        "n_passages": done.n_passages,
        "n_duplicates": done.duplicates,
        "n_embedded": done.embedded,
        "n_skipped": len(done.problems),
        "generation": done.generation,
        "peak_memory_mb": peak_memory_mb(),
    }


def _encoder(job: Job) -> Encoder:
    from eval.bench.mixtures import MixtureEncoder
    from rag.retrieval.encoder import load_encoder

    if job.mixture:
        return MixtureEncoder.open(Path(job.mixture))
    return load_encoder(settings_of(job).encoder, n_threads=job.threads)


def ask_store(job: Job) -> dict[str, Any]:
    """Open the store as a reader does and ask every question, the first once untimed before."""
    from rag.assistant import Assistant
    from rag.store import Store

    settings = settings_of(job)
    began = time.perf_counter()
    with Store.open(job.store):
        store_ms = (time.perf_counter() - began) * 1e3
    before_mb = memory_mb()["resident_mb"]
    began = time.perf_counter()
    with Assistant.open(settings=settings) as assistant:
        assistant_ms = (time.perf_counter() - began) * 1e3
        began = time.perf_counter()
        assistant.ask(job.questions[0])
        first_ms = (time.perf_counter() - began) * 1e3
        cpu_began = cpu_seconds()
        timings, statuses = [], Counter[str]()
        for question in job.questions:
            answer = assistant.ask(question)
            times = dict(answer.timings_ms)
            timings.append(times | {"search": sum(times.get(stage, 0.0) for stage in SEARCH)})
            statuses[str(answer.status)] += 1
        cpu_ms = (cpu_seconds() - cpu_began) * 1e3 / len(timings)
        memory = memory_mb()
        peak_mb = max(peak_memory_mb(), memory["resident_mb"] or 0.0)  # it may be told a little late
    return {
        "open": {"store_ms": store_ms, "assistant_ms": assistant_ms, "first_question_ms": first_ms},
        "ask": {
            "n": len(timings),
            "latency_ms": latency(timings),
            "cpu_ms": cpu_ms,
            "statuses": dict(statuses),
        },
        "memory": {"before_models_mb": before_mb, **memory, "peak_mb": peak_mb},
    }


def latency(timings: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Milliseconds by stage: mean, median, 95th and 99th percentile (nearest rank); a stage not run took 0.

    >>> latency([{"total": 3.0}, {"total": 1.0, "read": 0.5}, {"total": 2.0}])["total"]
    {'mean': 2.0, 'p50': 2.0, 'p95': 3.0, 'p99': 3.0}
    """
    by_stage: dict[str, dict[str, float]] = {}
    for stage in dict.fromkeys(stage for times in timings for stage in times):
        values = sorted(times.get(stage, 0.0) for times in timings)
        by_stage[stage] = {"mean": sum(values) / len(values)} | {
            f"p{share}": values[-(-share * len(values) // 100) - 1] for share in (50, 95, 99)
        }
    return by_stage


def cpu_seconds() -> float:
    """Seconds that cores have spent on this process and on its children that have ended.

    On a busy machine they say more than the clock does.
    """
    return sum(os.times()[:4])


def memory_mb() -> dict[str, float | None]:
    """What this process holds in memory, and of it what is its own rather than files mapped, in MB of 10^6.

    None for what the system does not tell.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    told = {name: float(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)
            if value.strip().endswith("kB")}  # fmt: skip
    return {
        name: told[field] * 1024 / 1e6 if field in told else None
        for name, field in (("resident_mb", "VmRSS"), ("own_mb", "RssAnon"))
    }

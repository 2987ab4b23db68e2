"""One measure in a process of its own: ``python -m eval.bench.worker JOB.json FIGURES.json``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.bench.jobs import read_job, work
from eval.peers.worker import confine
from rag.errors import RagError

FAILED = 2


def main(arguments: Sequence[str]) -> int:
    """Do the job, and write its figures or, with status 2, what the user can mend."""
    job_path, out = map(Path, arguments)
    job = read_job(job_path)
    confine(job.threads)
    try:
        figures = work(job)
    except RagError as error:
        out.write_text(json.dumps({"error": error.message, "hint": error.hint}), encoding="utf-8")
        return FAILED
    out.write_text(json.dumps(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

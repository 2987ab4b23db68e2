"""Asks, opening each generation as it comes, until told to end; checks every answer and its own memory.

Started by test_soak with the store and "small" or "real". Ends when its stdin does, and says in one line of
JSON what it saw.
"""

from __future__ import annotations

import json
import os
import re
import select
import sys
import time
from pathlib import Path

from support import WordEncoder

import rag.assistant
from rag.assistant import Assistant
from rag.checks.verify import Verdict, check, citations_in
from rag.cli.options import path_of
from rag.loading import Here
from rag.output.json_lines import to_json
from rag.settings import load_settings
from rag.store.manifest import read_current

QUESTIONS = ("What did the mill count?", "How many boats were there?", "When was the trust opened?")
REPORT = re.compile(r"[Rr]eport (\d+)")
SAMPLE_SECONDS = 2.0


def held() -> tuple[float, int]:
    """Memory in MB and open descriptors of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6, len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def main() -> None:
    """Ask until stdin ends."""
    store, models = Path(sys.argv[1]), sys.argv[2]
    if models == "small":
        rag.assistant.load_encoder = lambda *_, **__: WordEncoder()  # type: ignore[attr-defined]
    settings = load_settings({"store": store}).settings
    seen: dict[str, int] = dict.fromkeys(("answers", "citations", "openings"), 0)
    wrong: list[str] = []
    samples: list[tuple[float, int]] = []
    sampled = time.monotonic()
    assistant: Assistant | None = None
    while not select.select([sys.stdin], [], [], 0)[0]:
        current = read_current(store)
        if assistant is None or (current and assistant.store.manifest.generation != current[0]):
            if assistant is not None:
                assistant.close()
            assistant = Assistant.open(store, settings=settings)
            seen["openings"] += 1
            texts = {one.path: one.text for one in assistant.store.documents()}
            reports = {found for text in texts.values() for found in REPORT.findall(text)}
            if len(reports) > 1:
                wrong.append(f"generation {assistant.store.manifest.generation} holds {reports}")
        answer = assistant.ask(QUESTIONS[seen["answers"] % len(QUESTIONS)])
        seen["answers"] += 1
        told = to_json(answer, path_of(assistant.store))
        if told["store"]["generation"] != assistant.store.manifest.generation:
            wrong.append("an answer names another generation")
        for one in told["citations"]:
            seen["citations"] += 1
            if texts[one["document"]][one["start"] : one["end"]] != one["quote"]:
                wrong.append(f"not of its generation: {one['quote']}")
        if models == "small":
            time.sleep(0.05)  # eight of these and a writer on two cores
        for checked in check(citations_in(told, 1), max_bytes=10**6, loader=Here()):
            if checked.verdict is Verdict.ALTERED:
                wrong.append(f"{checked.detail}: {checked.cited.quote}")
        if time.monotonic() - sampled > SAMPLE_SECONDS:
            samples.append(held())
            sampled = time.monotonic()
    print(json.dumps(seen | {"wrong": wrong[:5], "samples": samples}))


if __name__ == "__main__":
    main()

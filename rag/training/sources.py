"""Which data sets the reader learns from, how much of each, and what is held out."""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """One data set: files of the same style, the share of questions taken, clean edited text or not."""

    name: str
    files: tuple[str, ...]
    share: float
    clean: bool
    n_held_out: int = 0


# Shares weigh styles, not sizes: people ask about edited text; reviews, chat and single sentences
# add variety. Clean sources alone make up the last fifth of the run.
SOURCES = (
    Source("squad", ("squad",), 1.0, True, n_held_out=500),
    Source("new_wiki", ("squadshifts_new_wiki",), 1.0, True, n_held_out=150),
    Source("nq", ("nq_passages", "nq_qed"), 1.0, True, n_held_out=150),
    Source("timeqa", ("timeqa",), 1.0, True),
    Source("fairytaleqa", ("fairytaleqa",), 1.0, True),
    Source("policyqa", ("policyqa",), 1.0, False),
    Source("qadiscourse", ("qadiscourse",), 0.5, False),
    Source("qamr", ("qamr",), 0.25, False),
    Source("reddit", ("squadshifts_reddit",), 0.4, False),
    Source("amazon", ("squadshifts_amazon_reviews",), 0.4, False),
)

_MEANINGLESS_TITLE = re.compile(r"^(Amazon_Reviews_|Filtered_Reddit|Wiki1k:)")


@dataclass(frozen=True)
class Example:
    """A question over a passage; `answers` are (start, text), empty when the passage has none."""

    id: str
    source: str
    title: str
    passage: str
    question: str
    answers: tuple[tuple[int, str], ...]


def clean_title(title: str) -> str:
    """The title as a person would write it; empty when it names no document.

    >>> clean_title("Financial_crisis_of_2007%E2%80%9308"), clean_title("Amazon_Reviews_12")
    ('Financial crisis of 2007–08', '')
    """
    from urllib.parse import unquote

    if not title or _MEANINGLESS_TITLE.match(title):
        return ""
    title = unquote(title).replace("_", " ")
    # story titles of fairytaleqa are slugs
    return title.replace("-", " ") if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", title) else title


def read_file(path: Path) -> tuple[list[dict[str, Any]], str]:
    """(rows, sha256 of the gzipped file)."""
    raw = Path(path).read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(raw).decode("utf-8").splitlines() if line]
    return rows, hashlib.sha256(raw).hexdigest()


def load_source(source: Source, folder: str | Path) -> tuple[list[Example], dict[str, str]]:
    """(examples with one row per question text and passage, {file: sha256})."""
    examples: list[Example] = []
    hashes: dict[str, str] = {}
    seen: set[object] = set()
    for file in source.files:
        rows, hashes[file] = read_file(Path(folder) / f"{file}.jsonl.gz")
        for row in rows:
            # the two NQ files share questions over differently tokenised passages: the question decides
            question = " ".join(row["question"].split())
            key = question.lower() if source.name == "nq" else (question, row["context"])
            if key in seen or len(question) < 4 or (not row["answers"] and not row["impossible"]):
                continue
            seen.add(key)
            answers = tuple(dict.fromkeys((a["start"], a["text"]) for a in row["answers"]))
            examples.append(
                Example(
                    str(row["id"]), source.name, clean_title(row["title"]), row["context"], question, answers
                )
            )
    return examples, hashes


def hold_out(examples: Sequence[Example], n_questions: int, seed: int) -> tuple[list[Example], list[Example]]:
    """(kept, held out): whole titles leave together until at least `n_questions` are out.

    Untitled rows are kept unless their passage left too. Titles with more than 300 questions stay,
    so that what is held out is several documents and not one.
    """
    by_title: dict[str, list[Example]] = {}
    for example in examples:
        if example.title and example.answers:
            by_title.setdefault(example.title, []).append(example)
    titles = sorted(title for title, group in by_title.items() if len(group) <= 300)
    random.Random(seed).shuffle(titles)
    out: set[str] = set()
    n_out = 0
    for title in titles:
        if n_out >= n_questions:
            break
        out.add(title)
        n_out += len(by_title[title])
    gone = {example.passage for example in examples if example.title in out}
    held = [example for example in examples if example.title in out and example.answers]
    kept = [example for example in examples if example.title not in out and example.passage not in gone]
    return kept, held


def load_all(
    folder: str | Path, seed: int, n_per_source: int | None = None
) -> tuple[list[Example], list[Example], dict[str, str]]:
    """(training examples, held-out examples, {file: sha256}); shares applied, order fixed by the seed."""
    train: list[Example] = []
    held: list[Example] = []
    hashes: dict[str, str] = {}
    held_titles: set[str] = set()
    for source in SOURCES:
        examples, digests = load_source(source, folder)
        hashes.update(digests)
        if source.n_held_out:
            examples, out = hold_out(examples, source.n_held_out, seed)
            held.extend(out)
            held_titles.update(example.title for example in out)
        rng = random.Random(f"{seed} {source.name}")
        # the same article may serve two data sets
        examples = [example for example in examples if example.title not in held_titles]
        rng.shuffle(examples)
        n = round(len(examples) * source.share)
        train.extend(examples[: n if n_per_source is None else min(n, n_per_source)])
    held_passages = {example.passage for example in held}
    return [e for e in train if e.passage not in held_passages], held, hashes

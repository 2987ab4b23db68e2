"""The comparison with other systems: those that are installed really run, on a corpus of a few paragraphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cases import FILES, MINUTES, REVIEW, ROWS
from support import WordEncoder, settings
from test_eval_cli import rag

from embeddings.encoder import open_encoder
from embeddings.weights import STOCK, stock_folder
from eval.peers.comparison import outcome_of, shared_passages
from eval.peers.figures import QUALITY, Judge, system_figures
from eval.peers.reader_weights import write_question_answering
from eval.peers.registry import OURS, PEERS, Peer, chosen
from eval.peers.table import notes, show
from eval.peers.task import (
    Asked,
    Found,
    Outcome,
    Reply,
    SharedPassage,
    Task,
    read_outcome,
    read_task,
    write_json,
)
from eval.questions import load_questions
from rag.indexing import index
from rag.reader.shipped import folder
from rag.store import Store

INSTALLED = (OURS, "sentence-transformers + faiss", "bm25s")
EXTRA = tuple(peer.name for peer in PEERS if peer.name not in INSTALLED)
QUESTIONS = (Asked("q1", "when did Ann Carver resign?"), Asked("q2", "why did the library move?"))
TEXTS = (
    "Minutes | May 2016 . Ann Carver resigned in May 2016.",
    "Review . The library moved to Mill Street because its roof leaked.",
    "Review . The caseload was 14 children per worker in June 2018.",
)


def peer(name: str) -> Peer:
    (found,) = chosen([name])
    return found


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    """A task over three passages, written to ``task.json``."""

    def make(**other: Any) -> Task:
        told: dict[str, Any] = {
            "passages": tuple(SharedPassage("a.txt", 0, len(text), text) for text in TEXTS),
            "questions": QUESTIONS,
            "corpus": str(tmp_path),
            "store": str(tmp_path / "own"),
            "encoder": str(stock_folder()),
            "reader": str(tmp_path / "reader"),
            "threads": 1,
            "k": 10,
        }
        task = Task(**(told | other))
        write_json(tmp_path / "task.json", task)
        return task

    return make


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, questions and a comparison of what is installed with the product itself."""
    home = tmp_path_factory.mktemp("peers")
    for name, text in FILES.items():
        path = home / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (home / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    only = [part for name in INSTALLED for part in ("--only", name)]
    done = rag("peers", "set.jsonl", "--corpus", "corpus", "--out", "out", "--threads", "1", *only, cwd=home)
    assert done.returncode == 0, done.stderr
    (home / "screen.txt").write_text(done.stdout)
    return home


@pytest.fixture(scope="module")
def report(place: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((place / "out" / "peers.json").read_text())
    return told


def test_every_system_has_a_row_for_every_question(report: dict[str, Any]) -> None:
    assert [system["name"] for system in report["systems"]] == list(INSTALLED)
    for system in report["systems"]:
        assert system["ran"], system["why"]
        assert [row["id"] for row in system["rows"]] == [str(row["id"]) for row in ROWS]
        assert all(len(set(row["hits"])) == len(row["hits"]) <= report["k"] for row in system["rows"])
        assert all(0 < row["find_ms"] <= row["total_ms"] for row in system["rows"])
        assert all(not row["failure"] for row in system["rows"])


def test_what_is_measured_has_its_unit_and_what_is_not_has_none(report: dict[str, Any]) -> None:
    ours, loop, lexical = report["systems"]
    assert all(system["quality"]["hit@1"]["n"] == 6 for system in report["systems"])  # q4 asks for nothing
    assert ours["quality"]["abstained"]["n"] == 1
    assert ours["quality"]["f1"]["n"] == 6
    assert {loop["quality"][name]["mean"] for name in ("em", "f1", "source", "answered")} == {None}
    for system in report["systems"]:
        assert system["passages_per_second"] > 0
        assert 20 < system["memory_mb"] < 4000
    assert lexical["memory_mb"] < loop["memory_mb"]  # a process of its own: no torch in this one
    assert ours["against_ours"] is None
    assert loop["against_ours"]["hit@1"]["n"] == 6


def test_the_lexical_system_finds_what_shares_the_words(report: dict[str, Any]) -> None:
    rows = {row["id"]: row for row in report["systems"][2]["rows"]}
    assert rows["q2"]["scores"]["hit@1"] == 1.0
    assert rows["q2"]["scores"]["mrr@10"] == 1.0
    assert rows["q7"]["scores"]["hit@1"] == 0.0  # its evidence stands nowhere


def test_the_file_says_what_it_was_made_with_and_names_no_folder(place: Path, report: dict[str, Any]) -> None:
    assert report["threads"] == 1
    assert report["questions"]["n"] == len(ROWS)
    assert report["machine"]["cores"] >= 1
    assert len(report["code_sha256"]) == len(report["store_fingerprint"]["sha256"]) == 64
    assert report["systems"][1]["versions"]["faiss-cpu"]
    assert str(place) not in (place / "out" / "peers.json").read_text()


def test_the_screen_has_a_line_a_system_with_units(place: Path) -> None:
    screen = (place / "screen.txt").read_text()
    for text in (
        "passages/s",
        "p95 ms",
        "peak MB",
        "7 questions, 6 answerable; 1 threads",
        "against ours, points",
    ):
        assert text in screen
    for name in INSTALLED:
        assert name in screen


def test_json_is_one_object_a_system(place: Path) -> None:
    arguments = ("--corpus", "corpus", "--out", "json", "--only", "bm25s", "--limit", "1", "--json")
    done = rag("peers", "set.jsonl", *arguments, cwd=place)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["name"], told["ran"]) == ("bm25s", True)
    assert "rows" not in told


def test_an_unknown_system_is_refused_with_the_known_ones(place: Path) -> None:
    done = rag("peers", "set.jsonl", "--corpus", "corpus", "--only", "elastic", cwd=place)
    assert done.returncode == 2
    assert 'no system is called "elastic"' in done.stderr
    assert "bm25s" in done.stderr


def test_another_encoder_is_refused(place: Path) -> None:
    done = rag("peers", "set.jsonl", "--corpus", "corpus", cwd=place, RAG_ENCODER_MODEL="other")
    assert done.returncode == 2
    assert "encoder.model is other" in done.stderr


def test_a_missing_package_is_an_outcome_that_says_how_to_get_it(tmp_path: Path) -> None:
    ghost = Peer("ghost", "ghost.Ghost", ("no-such-distribution",), False, "")
    outcome = outcome_of(ghost, tmp_path, tmp_path)
    assert outcome.why == "not installed: no-such-distribution; pip install 'rag[peers]'"


def test_a_system_that_breaks_is_an_outcome_and_its_traceback_is_kept(
    make_task: Callable[..., Task], tmp_path: Path
) -> None:
    make_task(encoder=str(tmp_path / "no such folder"))
    outcome = outcome_of(peer("sentence-transformers + faiss"), tmp_path, tmp_path)
    assert outcome.why
    assert outcome.replies == ()
    assert "Traceback" in (tmp_path / "sentence-transformers---faiss.log").read_text()


def test_a_process_that_dies_or_hangs_is_an_outcome(make_task: Callable[..., Task], tmp_path: Path) -> None:
    make_task()
    slow = outcome_of(peer("bm25s"), tmp_path, tmp_path, limit_seconds=0.01)
    assert slow.why == "it took longer than 0.01 seconds"
    (tmp_path / "task.json").write_text('{"threads": 1}')
    assert (
        outcome_of(peer("bm25s"), tmp_path, tmp_path).why == "its process ended with status 1; see bm25s.log"
    )


def test_vectors_that_are_given_are_taken_as_they_are(make_task: Callable[..., Task], tmp_path: Path) -> None:
    import numpy as np

    (asked,) = open_encoder(STOCK, n_threads=1).encode([QUESTIONS[0].text], kind="query")
    np.save(tmp_path / "vectors.npy", np.stack([-asked, 0 * asked, asked]))
    make_task(vectors=str(tmp_path / "vectors.npy"))
    outcome = outcome_of(peer("sentence-transformers + faiss"), tmp_path, tmp_path)
    assert not outcome.why
    assert outcome.replies[0].found.rows == (2, 1, 0)


@pytest.mark.parametrize("name", EXTRA)
def test_a_system_of_the_extra_finds_and_reads(
    name: str, make_task: Callable[..., Task], tmp_path: Path
) -> None:
    system = peer(name)
    if system.why_missing():
        pytest.skip(system.why_missing())
    write_question_answering(folder(), tmp_path / "reader")
    make_task()
    outcome = outcome_of(system, tmp_path, tmp_path)
    assert not outcome.why, (tmp_path / "task.json").parent
    first, second = (reply.found for reply in outcome.replies)
    assert (first.rows[0], second.rows[0]) == (0, 1)
    if system.reads:
        assert first.answer == "May 2016"


def test_a_task_and_an_outcome_come_back_from_their_files(
    make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task = make_task()
    assert read_task(tmp_path / "task.json") == task
    outcome = Outcome("a", "", 1.0, 2.0, 3.0, (Reply("q1", Found((2, 1), 0.5, "May", "answered", 2), 0.7),))
    write_json(tmp_path / "outcome.json", outcome)
    assert read_outcome(tmp_path / "outcome.json") == outcome


def test_a_passage_counts_for_every_place_of_its_words(
    corpus: Path, questions_file: Path, tmp_path: Path
) -> None:
    questions = load_questions([questions_file])
    index([corpus], tmp_path / "store", settings(tmp_path / "store"), encoder=WordEncoder())
    with Store.open(tmp_path / "store") as store:
        passages = shared_passages(store)
        named = [Path(passage.document).name for passage in passages]
        copy = named.index("2016-05-01-minutes-copy.txt")
        wrong = named.index(REVIEW)
        assert MINUTES in named
        assert all(passage.text for passage in passages)

        def scores(*rows: int) -> dict[str, float | None]:
            reply = Reply("q1", Found(rows, 1.0, "in May 2016", "answered", rows[0]), 2.0)
            return Judge(store, questions, 10).scores(Outcome("x", replies=(reply,)), reads=True)["q1"]

        found = scores(wrong, copy)
        assert (found["hit@1"], found["hit@5"], found["mrr@10"], found["source"]) == (0.0, 1.0, 0.5, 0.0)
        assert found["em"] == 0.0
        assert found["f1"] == pytest.approx(0.8)  # 2 words of 3 and of 2: 2 * (2/3 * 1) / (2/3 + 1)
        assert scores(copy)["source"] == 1.0


def test_what_did_not_run_and_what_failed_is_said_under_the_table() -> None:
    lexical = peer("bm25s")
    scores: dict[str, dict[str, float | None]] = {"q1": dict.fromkeys(QUALITY, 1.0)}
    reply = Reply("q1", Found((0,), 1.0, failure="its reader broke"), 2.0)
    ran = system_figures(lexical, Outcome("bm25s", "", 1.0, 2.0, 80.0, (reply,)), scores, None, 10)
    assert ran["passages_per_second"] == 5.0
    not_run = system_figures(peer("txtai"), Outcome("txtai", why="it is\x1b[31m broken"), {}, None, 10)
    told = {"systems": [ran, not_run], "questions": {"n": 1, "answerable": 1}, "threads": 1, "method": ["so"]}
    lines = notes(told)
    assert "bm25s: at 1 of 1 questions it failed, which counts as no answer: its reader broke" in lines
    for width in (160, 80):
        screen = StringIO()
        from rich.console import Console

        show(told, Console(file=screen, width=width))
        assert "not run: txtai: it is[31m broken" in screen.getvalue()
        assert "5.00" in screen.getvalue()
        assert all(len(line) <= width for line in screen.getvalue().splitlines() if "bm25s 0" in line)


def test_the_exported_reader_says_what_ours_says(tmp_path: Path) -> None:
    """Two implementations of one network: transformers on the export, and ours on the shipped weights."""
    import numpy as np
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    from rag.reader.crossencoder import CrossEncoderReader, _run

    write_question_answering(folder(), tmp_path)
    model = AutoModelForQuestionAnswering.from_pretrained(str(tmp_path)).eval()
    assert type(model).__name__ == "BertForQuestionAnswering"
    tokens = AutoTokenizer.from_pretrained(str(tmp_path))(QUESTIONS[0].text, TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        theirs = model(**tokens)
    reader = CrossEncoderReader(folder(), exact=True)
    ids, types, mask = (
        tokens[name].numpy().astype(np.int32) for name in ("input_ids", "token_type_ids", "attention_mask")
    )
    hidden, _ = _run(reader._begin, ids, types, mask)
    said = reader._end(hidden, mask)
    start, end = said["start"], said["end"]
    assert tokens["token_type_ids"].sum() > 0
    np.testing.assert_allclose(theirs.start_logits.numpy(), start, atol=2e-3)
    np.testing.assert_allclose(theirs.end_logits.numpy(), end, atol=2e-3)

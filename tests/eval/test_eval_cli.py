"""The commands, with the real assistant over a small corpus, from a set of questions to a gate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from cases import FILES, ROWS

from eval.significance import SEED
from rag.settings import RANKING

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "run",
    "report",
    "compare",
    "gate",
    "check",
    "explain",
    "calibrate",
    "new",
    "import",
    "export",
    "peers",
)


def rag(
    *arguments: str | Path, cwd: Path, base: tuple[str, ...] = ("eval",), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rag", *base, *map(str, arguments)],
        cwd=cwd,
        env=variables(cwd, **environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def variables(home: Path, **more: str) -> dict[str, str]:
    """A home of its own, and the reader that needs no weights: commands are the subject here, not answers."""
    mine = {"PYTHONPATH": str(ROOT), "HOME": str(home), "RAG_READER_MODEL": "similarity", "NO_COLOR": "1"}
    return {**os.environ, **mine, **more}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, questions and two finished runs over them."""
    folder = tmp_path_factory.mktemp("cli")
    for name, text in FILES.items():
        path = folder / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    first = rag("run", "set.jsonl", "--corpus", "corpus", "--out", "runs/a", cwd=folder)
    assert first.returncode == 0, first.stderr
    assert "7 questions" in first.stdout
    second = rag("run", "set.jsonl", "--store", "runs/a/store", "--out", "runs/b", cwd=folder)
    assert second.returncode == 0, second.stderr
    return folder


def test_the_real_assistant_gives_the_same_rows_twice_and_exact_quotes(place: Path) -> None:
    for name in ("rows.jsonl", "passages.jsonl", "scores.jsonl", "aggregate.json"):
        assert (place / "runs/a" / name).read_bytes() == (place / "runs/b" / name).read_bytes(), name
    scores = [json.loads(line) for line in (place / "runs/a/scores.jsonl").read_text().splitlines()]
    assert {row["quote_verbatim"] for row in scores} <= {1.0, None}
    assert any(row["quote_verbatim"] == 1.0 for row in scores)
    assert str(place) not in (place / "runs/a/rows.jsonl").read_text()


def test_a_run_says_what_it_was_made_with(place: Path) -> None:
    info = json.loads((place / "runs/a/run.json").read_text())
    assert info["settings"]["reader"]["model"] == "similarity"
    assert info["versions"]["numpy"]
    assert info["ranking"] == asdict(RANKING)
    assert info["store"] == "store"
    assert len(info["store_fingerprint"]["sha256"]) == len(info["code_sha256"]) == 64
    assert info["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert info["seed"] == SEED


def test_report_writes_a_page_and_shows_the_figures(place: Path) -> None:
    done = rag("report", "runs/a", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "hit@5" in done.stdout
    assert (place / "runs/a/report.html").read_text().startswith("<!doctype html>")


def test_compare_and_gate_find_no_difference_in_a_rerun(place: Path) -> None:
    compared = rag("compare", "runs/a", "runs/b", "--html", "flips.html", cwd=place)
    assert "ranking" not in compared.stdout
    assert "0 went wrong, 0 came right" in compared.stdout
    assert (place / "flips.html").exists()
    (place / "gate.toml").write_text("[floors]\nquote_verbatim = 1.0\n[drops]\nright = 0.02\n")
    kept = rag("gate", "runs/a", "--baseline", "base", "--keep", cwd=place)
    assert kept.returncode == 0, kept.stderr
    passed = rag("gate", "runs/b", "--baseline", "base", "--rules", "gate.toml", cwd=place)
    assert (passed.returncode, passed.stderr) == (0, "")
    (place / "strict.toml").write_text("[floors]\nright = 1.0\n")
    tripped = rag("gate", "runs/b", "--baseline", "base", "--rules", "strict.toml", cwd=place)
    assert tripped.returncode == 8
    assert "FAIL  right at least 100 %" in tripped.stdout


def test_check_names_what_is_wrong_and_exits_with_8(place: Path) -> None:
    done = rag("check", "set.jsonl", "--corpus", "corpus", cwd=place)
    assert done.returncode == 8
    assert "error: q7: evidence 1: 2016-05-01-minutes.txt: the quote does not stand" in done.stdout
    assert "7 questions (5 dev, 2 test), 6 answerable" in done.stdout


def test_our_own_set_stands_in_our_own_corpus(tmp_path: Path) -> None:
    data = ROOT / "eval" / "data"
    done = rag("check", data / "questions", "--corpus", data / "corpus", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "error:" not in done.stdout


def test_explain_says_with_which_other_numbers_it_tries(place: Path) -> None:
    path = place / "runs/b/run.json"
    kept = path.read_text()
    info = json.loads(kept)
    info["ranking"]["bm25_weight"] += 1
    path.write_text(json.dumps(info))
    done = rag("explain", "runs/b", "q2", cwd=place)
    path.write_text(kept)
    before, now = RANKING.bm25_weight + 1, RANKING.bm25_weight
    assert f"tried with other numbers than the run's: ranking.bm25_weight: {before} → {now}" in done.stderr
    assert "tried with other numbers" not in rag("explain", "runs/b", "q2", cwd=place).stderr


def test_explain_tries_the_words_that_would_have_found_it(place: Path) -> None:
    done = rag("explain", "runs/a", "q2", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "gold passage: 2018-06-01-review.txt" in done.stdout
    assert "dense rank" in done.stdout
    told = json.loads(rag("explain", "runs/a", "q2", "--json", cwd=place).stdout)
    assert told["row"]["id"] == "q2"
    unknown = rag("explain", "runs/a", "q99", cwd=place)
    assert unknown.returncode == 2
    assert 'no question "q99"' in unknown.stderr


def test_export_writes_what_is_named_and_nothing_else(place: Path) -> None:
    done = rag("export", "runs/a", "--trec-run", "--qrels", "--squad-predictions", "--out", "out", cwd=place)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (place / "out").iterdir())
    assert names == ["na_prob.json", "predictions.json", "qrels.txt", "run.trec"]
    assert rag("export", "runs/a", cwd=place).returncode == 2


def test_import_says_what_to_run_next(place: Path) -> None:
    rows = {
        "id": "s",
        "title": "T",
        "context": "Ann left.",
        "question": "who?",
        "answers": [{"text": "Ann", "start": 0}],
    }
    (place / "rows.jsonl").write_text(json.dumps(rows) + "\n")
    done = rag("import", "squad", "rows.jsonl", "--out", "sets/s", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "1 documents, 1 questions\nnext: rag eval run sets/s/questions.jsonl" in done.stdout
    assert rag("import", "marc", "rows.jsonl", "--out", "sets/m", cwd=place).returncode == 2


def test_another_run_in_the_folder_is_refused_unless_fresh(place: Path) -> None:
    one = ["run", "set.jsonl", "--store", "runs/a/store", "--out", "runs/one", "--limit", "1"]
    assert rag(*one, cwd=place).returncode == 0
    two = ["run", "set.jsonl", "--store", "runs/a/store", "--out", "runs/one", "--limit", "2"]
    refused = rag(*two, cwd=place)
    assert refused.returncode == 2
    assert "questions_sha256 differ" in refused.stderr
    assert "--fresh" in refused.stderr
    assert rag(*two, "--fresh", cwd=place).returncode == 0


def test_interrupted_a_run_keeps_what_is_done_and_the_same_command_goes_on(place: Path) -> None:
    many = [
        {"id": f"m{i}", "question": f"when did Ann Carver resign, time {i}", "answers": ["May"]}
        for i in range(3000)
    ]
    (place / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in many))
    command = ["run", "many.jsonl", "--store", "runs/a/store", "--out", "runs/many"]
    child = subprocess.Popen(
        [sys.executable, "-m", "rag", "eval", *command],
        cwd=place,
        env=variables(place),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = place / "runs/many/rows.jsonl"
    limit = time.monotonic() + 120
    while time.monotonic() < limit and not (rows.exists() and rows.read_bytes().count(b"\n") >= 3):
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "the same command goes on from here" in told
    assert 3 <= rows.read_bytes().count(b"\n") < 3000


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_for_every_option_and_an_example(command: str) -> None:
    from typer.main import get_command

    from eval.cli import app

    found = get_command(app).commands[command]  # type: ignore[attr-defined]
    assert found.help
    assert found.epilog.startswith(f"Example: rag eval {command} ")
    assert all(getattr(parameter, "help", None) for parameter in found.params if parameter.name != "help")


def test_both_a_store_and_a_corpus_are_refused(place: Path) -> None:
    done = rag("run", "set.jsonl", "--store", "x", "--corpus", "y", cwd=place)
    assert (done.returncode, "exclude each other" in done.stderr) == (2, True)


def test_a_run_at_a_tag_asks_what_it_keeps_and_says_so(place: Path) -> None:
    index = ["index", "--store", "tagged"]
    assert rag(*index, "corpus", "--tag", "v1", base=(), cwd=place).returncode == 0
    (place / "later").mkdir()
    (place / "later" / "note.txt").write_text("A note that came later, about Ann Carver and the reservoir.\n")
    assert rag(*index, "later", base=(), cwd=place).returncode == 0
    asked = ["run", "set.jsonl", "--store", "tagged", "--limit", "2"]
    for name, at in (("now", []), ("then", ["--at", "v1"])):
        done = rag(*asked, *at, "--out", f"runs/{name}", cwd=place)
        assert done.returncode == 0, done.stderr
    now, then = (json.loads((place / f"runs/{name}/run.json").read_text()) for name in ("now", "then"))
    assert (now.get("tag"), then["tag"]) == (None, "v1")
    assert now["store_fingerprint"] != then["store_fingerprint"]
    assert (
        then["store_fingerprint"] == json.loads((place / "runs/a/run.json").read_text())["store_fingerprint"]
    )
    explained = rag("explain", "runs/then", "q2", cwd=place)
    assert (explained.returncode, explained.stderr) == (0, "")
    assert rag("index", "--untag", "v1", "--store", "tagged", base=(), cwd=place).returncode == 0
    assert "the tag v1 that the run asked is gone" in rag("explain", "runs/then", "q2", cwd=place).stderr
    refused = rag("run", "set.jsonl", "--corpus", "corpus", "--at", "v1", cwd=place)
    assert (refused.returncode, "--at names a tag of a store" in refused.stderr) == (2, True)


@pytest.mark.parametrize("module", ["eval.measure.followups", "eval.measure.speed"])
def test_what_is_measured_apart_says_how_to_run_it(module: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True
    )
    assert f"python -m {module}" in shown.stdout
    assert "STORE" in shown.stdout.upper()

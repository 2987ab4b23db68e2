"""``rag bench``: it runs at a thousand passages, its figures add up, and it leaves nothing else behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from test_eval_cli import rag, variables

from eval.bench.card import show
from eval.bench.cli import PARTS as NAMED_PARTS
from eval.bench.jobs import StageTimes
from eval.bench.measure import PARTS
from eval.bench.plot import svg

ROOT = Path(__file__).parents[3]
SMALL, LARGE = 100, 1000
STAGES = ("encode", "dense", "lexical", "fuse", "read", "cite")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two cards: of a small size everything, of a thousand passages what takes less."""
    home = tmp_path_factory.mktemp("bench")
    limits = (
        "--embed-up-to",
        str(SMALL),
        "--peers-up-to",
        str(SMALL),
        "--n-questions",
        "6",
        "--threads",
        "1",
    )
    for name, arguments in (
        ("small", ("--sizes", str(SMALL))),
        ("large", ("--sizes", str(LARGE), "--only", "ask", "--only", "peers")),
    ):
        done = rag(*arguments, *limits, "--out", f"out/{name}", base=("bench",), cwd=home)
        assert done.returncode == 0, done.stderr
        (home / f"{name}.txt").write_text(done.stdout)
    return home


@pytest.fixture(scope="module")
def card(place: Path) -> dict[str, Any]:
    """The small card, with both sizes in it."""
    small, large = (
        json.loads((place / "out" / name / "bench.json").read_text()) for name in ("small", "large")
    )
    whole: dict[str, Any] = {**small, "sizes": small["sizes"] + large["sizes"]}
    return whole


def numbers(value: Any) -> list[float]:
    """Every number in a tree of JSON."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_every_size_holds_as_many_passages_as_were_asked_for(card: dict[str, Any]) -> None:
    assert [one["n_passages"] for one in card["sizes"]] == [SMALL, LARGE]
    for one in card["sizes"]:
        assert one["n_wanted"] == one["n_passages"]
        assert 0 < one["n_real_passages"] < one["n_passages"]
        assert one["index"]["n_skipped"] == 0
    assert [one["vectors"] for one in card["sizes"]] == ["real", "mixed"]


def test_every_figure_is_positive(card: dict[str, Any]) -> None:
    assert all(limit is None or limit > 0 for limit in card["limits"].values())
    for one in card["sizes"]:
        assert all(number >= 0 for number in numbers(one))
        assert one["index"]["passages_per_second"] > 0
        assert one["open"]["store_ms"] > 0
        assert one["memory"]["peak_mb"] >= one["memory"]["resident_mb"] > 10
    small = card["sizes"][0]
    assert small["cold"]["p50_ms"] > small["open"]["store_ms"]
    assert all(small[part]["written_bytes"] > 0 for part in ("add", "delete"))


def test_the_stages_of_a_question_add_up_to_the_whole(card: dict[str, Any]) -> None:
    for one in card["sizes"]:
        times = one["ask"]["latency_ms"]
        assert sum(times[stage]["mean"] for stage in STAGES) == pytest.approx(
            times["total"]["mean"], rel=0.02, abs=0.5
        )
        assert sum(times[stage]["mean"] for stage in STAGES[1:4]) == pytest.approx(times["search"]["mean"])
        for figures in times.values():
            assert figures["p50"] <= figures["p95"] <= figures["p99"]
        assert sum(one["ask"]["statuses"].values()) == one["ask"]["n"] == 6


def test_the_stages_of_indexing_add_up_to_the_whole(card: dict[str, Any]) -> None:
    for one in card["sizes"]:
        for figures in (one[part] for part in ("index", "add", "delete") if part in one):
            for parts in (figures["stages"], figures["steps"]):
                assert sum(parts.values()) == pytest.approx(figures["seconds"], rel=0.02, abs=0.05)
        assert {"load", "prepare", "embed", "group", "write"} <= set(one["index"]["stages"])


def test_the_files_of_a_store_add_up_to_its_bytes_a_passage(card: dict[str, Any]) -> None:
    for one in card["sizes"]:
        disk = one["disk"]
        assert sum(disk["bytes_per_passage_by_file"].values()) == pytest.approx(disk["bytes_per_passage"])
        assert disk["bytes"] == pytest.approx(disk["bytes_per_passage"] * one["n_passages"])
        assert "passages.sqlite" in disk["bytes_per_passage_by_file"]


def test_what_was_added_is_deleted_again(card: dict[str, Any]) -> None:
    small = card["sizes"][0]
    assert (small["add"]["n"], small["add"]["n_passages"]) == (SMALL, 2 * SMALL)
    assert (small["delete"]["n"], small["delete"]["n_passages"]) == (SMALL, SMALL)
    assert small["delete"]["n_embedded"] == 0


def test_other_systems_run_up_to_the_size_named_and_say_why_not_above(card: dict[str, Any]) -> None:
    small, large = (one["peers"] for one in card["sizes"])
    assert [peer["name"] for peer in small] == [peer["name"] for peer in large]
    assert all(peer["why"].startswith(f"not tried above {SMALL}") for peer in large)
    ran = {peer["name"]: peer for peer in small if not peer["why"]}
    assert {"sentence-transformers + faiss", "bm25s"} <= set(ran)
    for peer in ran.values():
        assert peer["passages_per_second"] > 0
        assert peer["latency_ms"]["search"]["p50"] <= peer["latency_ms"]["total"]["p99"]
    assert ran["bm25s"]["vectors"] is None
    assert ran["sentence-transformers + faiss"]["vectors"] == "own"


def test_every_key_is_documented_and_every_key_documented_is_there(card: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    _, whole, size = re.split(r"^\| key.*\n\|---\|---\|\n", text, flags=re.MULTILINE)
    assert documented(whole) == set(card)
    assert documented(size) == set().union(*card["sizes"])
    inner = [card["machine"], card["limits"], card["corpus"]]
    small = card["sizes"][0]
    inner += [small[name] for name in ("index", "disk", "open", "ask", "memory", "cold", "add", "delete")]
    inner += small["peers"]
    missing = {key for each in inner for key in each if f"`{key}`" not in text}
    assert missing == set()


def documented(table: str) -> set[str]:
    """The keys in the first column of a table's rows."""
    return {
        key
        for line in table.splitlines()
        if line.startswith("| `")
        for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }


def test_nothing_is_left_but_the_card_its_picture_and_the_logs_of_others(place: Path) -> None:
    left = {path.name for path in (place / "out" / "small").iterdir()}
    assert left == {"bench.json", "bench.svg", f"peers-{SMALL}"}
    assert {path.name for path in (place / "out" / "large").iterdir()} == {"bench.json", "bench.svg"}
    assert str(place) not in (place / "out" / "small" / "bench.json").read_text()


def test_the_picture_is_sound_and_names_what_it_shows(place: Path, card: dict[str, Any]) -> None:
    ElementTree.fromstring((place / "out" / "small" / "bench.svg").read_text(encoding="utf-8"))
    tree = ElementTree.fromstring(svg(card))
    said = " ".join(element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text"))
    for words in ("whole p50", "search p95", "plain loop p50", "1,000", "disk, B"):
        assert words in said


def test_the_screen_has_a_column_a_size_and_is_one_screen(place: Path) -> None:
    small, large = ((place / f"{name}.txt").read_text() for name in ("small", "large"))
    for words in ("limits: matrix product", "passages", "100", "a question, p50 / p95 / p99 ms", "deleting"):
        assert words in small
    assert "not run at 1,000: bm25s: not tried above 100" in large
    assert len(small.splitlines()) <= 55


def test_a_part_that_was_not_measured_is_a_dash_or_no_row(card: dict[str, Any]) -> None:
    from rich.console import Console

    part = {"n_passages": 50, "vectors": "real", "index": card["sizes"][0]["index"]}
    screen = StringIO()
    bare = {**card, "limits": None, "sizes": [part]}
    show(bare, Console(file=screen, width=100))
    assert "indexing, passages/s" in screen.getvalue()
    assert "deleting" not in screen.getvalue()
    assert "not measured" in svg(bare)


def test_limits_alone_need_no_corpus_and_take_no_time(place: Path) -> None:
    done = rag("--only", "limits", "--json", "--out", "alone", base=("bench",), cwd=place)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["sizes"] == []
    assert told["limits"]["memory_read_gb_per_second"] > 0.1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sizes", "many"), 'expected numbers, got "many"'),
        (("--sizes", "1000,5"), "expected 100 passages or more, got 5"),
        (("--only", "everything"), 'no part is called "everything"'),
        (("--corpus", "short"), "sentences that stand alone; 20 are needed"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "a.txt").write_text("The trust was opened in June by the council.\n")
    done = rag(*arguments, "--out", "out", base=("bench",), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rag",
        "bench",
        "--sizes",
        "100000",
        "--embed-up-to",
        "0",
        "--out",
        "a/b",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, env=variables(tmp_path), stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        until = time.monotonic() + 120
        while not list(tmp_path.glob("a/b/.bench-*/100000/corpus/made/*/*.md")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert not (tmp_path / "a").exists()


def test_the_parts_on_the_command_line_are_those_that_are_measured() -> None:
    assert NAMED_PARTS == PARTS


def test_what_passes_between_two_stages_is_counted_to_neither() -> None:
    now = iter([0.0, 1.0, 3.0, 3.5, 7.5, 8.0, 9.0, 10.0])
    times = StageTimes(None, lambda: next(now))
    for stage in ("reading", "embedding", "writing"):
        times.start(stage, 1)
        times.advance()
        times.finish()
    times.end()
    assert times.seconds == {
        "open": 1.0,
        "load": 2.0,
        "prepare": 0.5,
        "embed": 4.0,
        "group": 0.5,
        "write": 1.0,
        "close": 1.0,
    }

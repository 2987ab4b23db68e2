"""What the shell offers: the store's documents and tags, settings and choices, at no cost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import support

from rag.cli.completion import document_paths, fitting
from rag.store import Store

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    corpus = support.write_corpus(tmp_path / "corpus", support.FIRST)
    support.run([corpus], tmp_path / "store", tag="spring")
    support.write_corpus(corpus, support.SECOND)
    support.run([corpus], tmp_path / "store")
    return tmp_path / "store"


def offered(line: str, here: Path, shell: str = "zsh", store: Path | None = None) -> list[str]:
    """What a shell is told of the end of a command line, in a process of its own; errors are none."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    if store is not None:
        kept["RAG_STORE"] = str(store)
    done = subprocess.run(
        [sys.executable, "-m", "rag"],
        env=kept | asked | {"_RAG_COMPLETE": f"complete_{shell}", "PYTHONPATH": str(ROOT), "HOME": str(here)},
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]  # nothing to offer is one empty line


@pytest.mark.parametrize("shared", [False, True])
def test_the_documents_offered_are_those_the_store_serves(
    shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shared:
        support.sharing_segments(monkeypatch.setattr)
    corpus = support.write_corpus(tmp_path / "corpus", support.FIRST)
    support.run([corpus], tmp_path / "store", tag="spring")
    first = document_paths(tmp_path / "store")
    support.write_corpus(corpus, support.SECOND)
    support.run([corpus], tmp_path / "store")
    with Store.open(tmp_path / "store") as served, Store.open(tmp_path / "store", at="spring") as tagged:
        assert sorted(document_paths(tmp_path / "store")) == sorted(one.path for one in served.sources)
        assert sorted(document_paths(tmp_path / "store", "spring")) == sorted(
            one.path for one in tagged.sources
        )
    assert sorted(document_paths(tmp_path / "store", "spring")) == sorted(first)


def test_bash_is_offered_names_it_can_put_on_the_command_line(store: Path, tmp_path: Path) -> None:
    assert offered("rag show new", tmp_path, "bash", store) == ["new\\ name.txt"]
    assert offered("rag search x --in mil", tmp_path, "bash", store) == ["mill.md"]
    assert offered("rag diff sp", tmp_path, "bash", store) == ["spring"]
    assert offered("rag ask x --at s", tmp_path, "bash", store) == ["spring"]


def test_the_store_and_the_tag_typed_before_are_those_looked_at(store: Path, tmp_path: Path) -> None:
    assert offered(f"rag show --store {store} --at spring old", tmp_path, "bash") == ["old\\ name.txt"]
    assert offered(f"rag show --store {store} old", tmp_path, "bash") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rag info retrieval.k", ["retrieval.k"]),
        ("rag info ra", ["ray", "ray.address", "ray.shards"]),
        ("rag export a.jsonl --to c", ["csl"]),
        ("rag check a.txt --only f", ["figure"]),
    ],
)
def test_settings_and_fixed_choices_are_offered_by_their_beginning(
    line: str, expected: list[str], tmp_path: Path
) -> None:
    assert offered(line, tmp_path, "bash") == expected


def test_nothing_is_offered_nor_said_without_a_store_or_with_a_broken_one(
    store: Path, tmp_path: Path
) -> None:
    assert offered("rag show m", tmp_path, "bash", tmp_path / "none") == []
    assert offered("rag diff s", tmp_path, "bash", tmp_path / "none") == []
    for manifest in store.glob("generations/*/manifest.json"):
        manifest.write_bytes(b"{}")
    assert offered("rag show m", tmp_path, "bash", store) == []
    (store / "CURRENT").write_bytes(b"\xff")
    assert offered("rag show m", tmp_path, "bash", store) == []


def test_no_library_is_imported_for_the_list_of_documents(store: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.cli.completion import document_paths;"
        f"assert document_paths(Path({str(store)!r}));"
        "print(sorted(set(sys.modules) & {'numpy', 'faiss', 'torch', 'openvino', 'rag.store'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_with_a_control_character_is_not_offered() -> None:
    assert fitting(["/d/a\x1b[2J.txt", "/d/ab.txt"], "a", Path("/d")) == ["ab.txt"]

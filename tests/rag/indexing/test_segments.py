"""A large store is not written again for a small change: what it holds afterwards is the same."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from support import (
    FIRST,
    SECOND,
    WordEncoder,
    copy_store,
    run,
    sharing_segments,
    steps_against_fresh,
    write_corpus,
)

from rag.errors import StoreDamagedError
from rag.records import Passage
from rag.store import Store
from rag.store.layout import PASSAGES, VECTORS, generation_folder
from rag.store.manifest import read_manifest


@pytest.fixture(autouse=True)
def _sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    sharing_segments(monkeypatch.setattr)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", FIRST)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def contents(store: Path) -> dict[str, object]:
    """All that a store serves, whatever the rows: equal contents answer equally."""
    with Store.open(store) as opened:
        words = {row: (one.document_id, one.start, one.text) for row, one in places(opened).items()}
        queries = WordEncoder().encode(["the trust was opened", "cookies", "flood at the mill"])
        scores, found = opened.vectors.search(queries, 20)
        assert opened.sentences is not None
        return {
            "documents": list(opened.documents()),
            "sources": [(one.id, one.path, one.sha256, one.title, one.n_chars) for one in opened.sources],
            "passages": sorted(words.values()),
            "excluded": opened.excluded(),
            "groups": sorted(
                {
                    tuple(sorted(words[row] for row in opened.members(label)))
                    for label in opened.labels(opened.rows)
                }
            ),
            "counts": (opened.manifest.n_documents, opened.n_passages, opened.manifest.n_excluded),
            "dense": [
                sorted((round(float(score), 5), words[int(row)]) for score, row in zip(*each, strict=True))
                for each in zip(scores, found, strict=True)
            ],
            "lexical": sorted(
                words[int(row)] for row in opened.lexical.search("was the trust in June", 20)[1]
            ),
            "sentences": sorted(
                zip(
                    np.round(opened.sentences.best(queries[2], opened.rows), 5).tolist(),
                    words.values(),
                    strict=True,
                )
            ),
            "roots": opened.manifest.roots,
            "kept": opened.manifest.kept,
        }


def places(opened: Store) -> dict[int, Passage]:
    return dict(zip(opened.rows.tolist(), opened.passages(opened.rows), strict=True))


def segments(store: Path) -> list[str]:
    return [one.name for one in read_manifest(store).segments]


def test_a_change_is_written_as_a_segment_beside_the_base(corpus: Path, store: Path, tmp_path: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, SECOND)
    encoder = WordEncoder()
    summary = run([corpus], store, encoder)
    assert segments(store) == ["000001", "000002"]
    assert (summary.added, summary.changed, summary.removed, summary.renamed) == (1, 1, 1, 1)
    assert not any("flood" in text for text in encoder.encoded)
    run([corpus], tmp_path / "fresh")
    assert contents(store) == contents(tmp_path / "fresh")
    files = [generation_folder(store, number) / "000001" / PASSAGES for number in (1, 2)]
    assert files[0].samefile(files[1])


def test_what_is_only_let_go_writes_no_passage(corpus: Path, store: Path, tmp_path: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, {"sub/gone.txt": None, "same.txt": None})
    summary = run([corpus], store, WordEncoder())
    assert (summary.committed, summary.removed, summary.duplicates) == (True, 2, 0)
    assert segments(store) == ["000001"]
    run([corpus], tmp_path / "fresh")
    assert contents(store) == contents(tmp_path / "fresh")


def test_what_an_earlier_segment_says_is_known_for_a_copy(corpus: Path, store: Path) -> None:
    long = (
        "The panel met on Tuesday and heard that the works at the mill had been finished early and that "
        "nobody had been hurt in the course of them, as the engineers wrote in their letter to the council."
    )
    write_corpus(corpus, {"panel.txt": long})
    run([corpus], store)
    write_corpus(corpus, {"same again.txt": FIRST["same.txt"], "panel again.txt": long + " it said"})
    run([corpus], store)
    with Store.open(store) as opened:
        groups = {tuple(opened.members(label)) for label in opened.labels(opened.rows)}
        together = [{one.text for one in opened.passages(rows)} for rows in groups if len(rows) > 1]
    assert {long, long + " it said"} in together
    assert {FIRST["same.txt"]} in together


def test_past_its_share_what_is_dead_or_new_is_merged(
    corpus: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([corpus], store)
    monkeypatch.setattr("rag.indexing.merging.DEAD_SHARE", 0.01)
    write_corpus(corpus, SECOND)
    run([corpus], store)
    assert segments(store) == ["000002"]


def test_small_segments_are_merged_with_what_comes(corpus: Path, store: Path) -> None:
    for number in range(4):
        write_corpus(
            corpus, {f"letter {number}.txt": f"Letter {number} of the harbour. It has {number} pages."}
        )
        run([corpus], store)
    assert segments(store) == ["000001", "000004"]


def test_a_text_brought_back_writes_every_row_anew(corpus: Path, store: Path) -> None:
    from rag.store import boilerplate_key

    run([corpus], store)
    with Store.open(store) as opened:
        (notice,) = opened.excluded()
    run([corpus], store, keep=[boilerplate_key(notice.text)])
    assert segments(store) == ["000002"]
    with Store.open(store) as opened:
        assert notice.text in [one.text for one in opened.passages(opened.rows)]


def test_a_rebuild_finds_every_vector_in_its_segments(corpus: Path, store: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, SECOND)
    run([corpus], store)
    encoder = WordEncoder()
    run(None, store, encoder, rebuild=True)
    assert encoder.encoded == []
    assert segments(store) == ["000003"]


def test_damage_in_a_shared_segment_is_damage_of_every_generation(corpus: Path, store: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, SECOND)
    run([corpus], store)
    path = generation_folder(store, 1) / "000001" / VECTORS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError, match="000001/vectors"):
        Store.open(store)


def test_where_the_file_system_knows_no_links_a_segment_is_copied(
    corpus: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    run([corpus], store)
    monkeypatch.setattr(os, "link", refuse)
    write_corpus(corpus, SECOND)
    run([corpus], store)
    shutil.rmtree(generation_folder(store, 1))
    with Store.open(store) as opened:
        opened.verify()
    assert segments(store) == ["000001", "000002"]


def test_a_store_copied_whole_is_one_like_another(corpus: Path, store: Path, tmp_path: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, SECOND)
    run([corpus], store)
    copied = copy_store(store, tmp_path / "copied")
    assert contents(copied) == contents(store)
    assert not run([corpus], copied).committed


FILES = st.sampled_from(["a.txt", "b.md", "c.txt", "sub/d.txt"])
WORDS = st.sampled_from(
    [
        "The trust was opened in June.",
        "The trust was opened in July. It had ninety staff.",
        "We use cookies. Accept all cookies\n\nA flood at the mill closed the road.",
        "A flood at the mill closed the road.",
        None,
    ]
)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(FILES, WORDS, min_size=1), min_size=2, max_size=5))
def test_indexing_in_segments_equals_indexing_at_once(steps: list[dict[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stepwise, fresh in steps_against_fresh(steps, Path(folder)):
            assert contents(stepwise) == contents(fresh)

"""The store on disk: what is written is read again, and what is not whole is refused."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DIM, FIRST, SECOND, WordEncoder, folders, picture, run, write_corpus

from embeddings.compact import pack, packed_width
from embeddings.index import VectorIndex
from rag.errors import (
    DocumentNotFoundError,
    EncoderMismatchError,
    StoreDamagedError,
    StoreError,
    StoreFormatError,
    StoreMissingError,
    UsageError,
)
from rag.passages.duplicates import group
from rag.records import Block, BlockKind, Document, Passage, Place, sha256_text
from rag.retrieval.lexical import ARRAYS, HEADER
from rag.store import Entry, FileRow, Manifest, Store, boilerplate_key
from rag.store.content import arrange
from rag.store.integrity import faults
from rag.store.journal import Made
from rag.store.layout import (
    BAND_ROWS,
    BANDS,
    BY_LABEL,
    CURRENT,
    EMBEDDED,
    FORMAT,
    LABELS,
    MANIFEST,
    PASSAGES,
    SENTENCE_STARTS,
    SENTENCES,
    STARTS,
    VECTORS,
    files_under,
    generation_folder,
    stamp,
)
from rag.store.manifest import current_line, read_manifest
from rag.store.proofs import text_proof
from rag.store.writer import Build, NewSegment, commit
from rag.text.english import ENGLISH

TEXT = st.text(st.characters(), min_size=1, max_size=80)  # surrogates and control characters too

DEFINED = (Block(BlockKind.DEFINITION, 1, 2, lead=(0, 1)),)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Documents with any text, cut anywhere."""
    made = []
    for number, text in enumerate(draw(st.lists(TEXT, min_size=1, max_size=4))):
        path = f"/corpus/{draw(st.sampled_from('abc'))}/{number}"
        cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=3))})
        document = Document(
            id=sha256_text(path)[:16],
            path=path,
            sha256=sha256_text(text),
            media_type="text/plain",
            text=text,
            title=draw(st.none() | TEXT),
            date=draw(st.none() | st.just("2017-03-22")),
            encoding=draw(st.none() | st.just("cp1252")),
            places=tuple(Place(i, page=i + 1) for i in range(draw(st.integers(0, 2)))),
            blocks=(
                Block(BlockKind.TERM, 0, 1, draw(st.integers(0, 1)), draw(st.none() | TEXT)),
                *DEFINED[: len(text) - 1],
            ),
            notes=tuple(draw(st.lists(TEXT, max_size=1))),
        )
        passages = tuple(
            Passage(
                document.id,
                start,
                end,
                text[start:end],
                draw(st.none() | TEXT),
                draw(st.none() | st.just("advert")),
            )
            for start, end in pairwise(cuts)
        )
        file = FileRow(path, document.sha256, draw(st.integers(0, 2**60)), -1, 2**62, 3)
        made.append(Entry(document, file, passages))
    return made


def build(made: list[Entry], kept: tuple[str, ...] = ()) -> Build:
    content = arrange(made, kept)
    texts = [passage.text for passage in content.passages]
    encoder = WordEncoder()
    keys = [text_proof(text) for text in texts]
    embedded = Made.empty(keys, [1] * len(texts), encoder.dim, packed_width(encoder.dim))
    embedded.vectors[:] = encoder.encode(texts)
    embedded.sentences[:] = pack(encoder.encode(texts))
    return Build(
        new=NewSegment(content, texts, group(texts, ENGLISH), embedded),
        dim=encoder.dim,
        language="english",
        encoder_name=encoder.name,
        encoder_fingerprint=encoder.fingerprint,
        settings={},
        rules="",
        roots=("/corpus",),
        kept=kept,
    )


@settings(max_examples=40, deadline=None)
@given(entries())
def test_what_is_committed_is_read_again(made: list[Entry]) -> None:
    keys = {boilerplate_key(p.text) for entry in made for p in entry.passages if p.boilerplate}
    for kept in ((), tuple(sorted(keys))):
        with tempfile.TemporaryDirectory() as folder:
            work = build(made, kept)
            commit(Path(folder), work)
            assert work.new is not None
            with Store.open(folder) as store:
                by_path = sorted(made, key=lambda entry: entry.document.path)
                assert list(store.documents()) == [entry.document for entry in by_path]
                assert store.files() == [entry.file for entry in by_path]
                assert store.passages(store.rows) == list(work.new.content.passages)
                assert store.excluded() == list(work.new.content.excluded)
                assert [store.entry_at(entry.document.path) for entry in by_path] == by_path
                stored = np.array([store.vectors.vector(row) for row in store.rows]).reshape(-1, DIM)
                np.testing.assert_array_equal(stored, work.new.made.vectors.astype(np.float32))
                assert store.n_passages + len(store.excluded()) == sum(len(entry.passages) for entry in made)


def test_rows_are_documents_by_path_and_passages_by_place(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", FIRST)
    run([corpus], tmp_path / "store")
    with Store.open(tmp_path / "store") as store:
        passages = store.passages(store.rows)
        places = [(store.document(p.document_id).path, p.start) for p in passages]
        assert places == sorted(places)
        one = passages[3].document_id
        rows = [row for row, p in enumerate(passages) if p.document_id == one]
        assert store.document_rows([one]).tolist() == rows


def test_a_row_that_does_not_exist_is_an_error_not_the_last_passage(whole: Path) -> None:
    with Store.open(whole) as store:
        for row in (-1, store.n_passages):
            with pytest.raises(IndexError):
                store.passages([row])
        with pytest.raises(DocumentNotFoundError):
            store.document("nobody")


# Damage


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    run([write_corpus(folder / "corpus", FIRST)], folder / "store")
    return folder / "store"


@pytest.fixture
def whole(made: Path, tmp_path: Path) -> Path:
    """A store of its own for the test, to be damaged."""
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store"


def generation(store: Path) -> Path:
    return generation_folder(store, read_manifest(store).generation)


def sign(store: Path, **changes: object) -> None:
    """Make manifest and CURRENT agree with the files as they now are: a writer's defect, not the disk's."""
    manifest = read_manifest(store)
    folder = generation_folder(store, manifest.generation)
    files = {name: stamp(folder / name) for name in files_under(folder) if name != MANIFEST}
    data = replace(manifest, **{"files": files, **changes}).to_bytes()  # type: ignore[arg-type]
    (folder / MANIFEST).write_bytes(data)
    (store / CURRENT).write_bytes(current_line(manifest.generation, data))


FILES = (
    "manifest.json",
    *(f"000001/{name}" for name in (PASSAGES, STARTS, VECTORS, SENTENCES, SENTENCE_STARTS, EMBEDDED)),
    *(f"000001/{name}" for name in (LABELS, BY_LABEL, BANDS, BAND_ROWS)),
    *(f"000001/lexical/{name}.npy" for name in ARRAYS),
    f"000001/lexical/{HEADER}",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("fault", ["flipped bit", "truncated", "missing", "emptied"])
def test_a_damaged_file_is_found_when_the_store_is_opened(name: str, fault: str, whole: Path) -> None:
    path = generation(whole) / name
    data = bytearray(path.read_bytes())
    if fault == "missing":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes({"flipped bit": bytes(data), "truncated": bytes(data[:-7]), "emptied": b""}[fault])
    with pytest.raises(StoreDamagedError) as caught:
        Store.open(whole)
    assert Path(name).name in caught.value.message
    assert "rag index --rebuild" in caught.value.hint


def test_every_file_of_a_generation_is_summed(whole: Path) -> None:
    manifest = read_manifest(whole)
    assert set(FILES) - {MANIFEST} <= set(manifest.checksums)
    assert set(manifest.checksums) | {MANIFEST} == set(files_under(generation(whole)))


@pytest.mark.parametrize("signed", [False, True])
def test_vectors_shifted_by_a_row_are_refused_even_when_every_file_holds_its_sum(
    signed: bool, whole: Path
) -> None:
    path = generation(whole) / "000001" / VECTORS
    VectorIndex.build(np.roll(VectorIndex.open(path).vectors(), 1, axis=0)).save(path)
    if signed:
        sign(whole)
    with pytest.raises(StoreDamagedError, match="do not belong to their passage" if signed else VECTORS):
        Store.open(whole)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (SENTENCES, "do not belong to their passage"),
        (EMBEDDED, "do not belong to their passage"),
        (BY_LABEL, "does not list the passages by their labels"),
        (SENTENCE_STARTS, "does not say where the passages' sentences are"),
        (STARTS, "does not say where the documents' passages are"),
    ],
)
def test_rows_shifted_in_any_file_are_refused_even_when_it_holds_its_sum(
    name: str, said: str, whole: Path
) -> None:
    path = generation(whole) / "000001" / name
    np.save(path, np.roll(np.load(path), 1, axis=0))
    sign(whole)
    with pytest.raises(StoreDamagedError, match=said):
        Store.open(whole)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE passages SET row = CASE row WHEN 0 THEN -1 ELSE row END",
        'UPDATE passages SET start = start + 1, "end" = "end" + 1 WHERE row = 1',
        "UPDATE passages SET vector_proof = (SELECT vector_proof FROM passages WHERE row = 1) WHERE row = 0",
        "DELETE FROM passages WHERE row = 2",
        "UPDATE documents SET text = 'X' || substr(text, 2)",
        "UPDATE documents SET text = (SELECT text FROM documents WHERE position = 1) WHERE position = 0",
    ],
)
def test_rows_changed_in_the_database_are_refused_even_when_the_file_holds_its_sum(
    change: str, whole: Path
) -> None:
    with sqlite3.connect(generation(whole) / "000001" / PASSAGES) as connection:
        connection.execute(change)
    connection.close()
    sign(whole)
    with pytest.raises(StoreDamagedError):
        Store.open(whole)


def test_words_changed_after_opening_are_not_served(whole: Path) -> None:
    with sqlite3.connect(generation(whole) / "000001" / PASSAGES) as connection:
        for position, text in connection.execute("SELECT position, text FROM documents").fetchall():
            changed = zlib.compress(zlib.decompress(text).replace(b"2014", b"2015"))
            connection.execute("UPDATE documents SET text = ? WHERE position = ?", (changed, position))
    connection.close()
    with Store.open(whole, verify=False) as store, pytest.raises(StoreDamagedError):
        store.passages(range(store.n_passages))


@pytest.mark.parametrize("fault", ["missing", "truncated"])
def test_without_verifying_every_file_is_still_there_in_its_size(fault: str, whole: Path) -> None:
    path = generation(whole) / "000001" / SENTENCES
    path.unlink() if fault == "missing" else os.truncate(path, 5)
    with pytest.raises(StoreDamagedError, match=SENTENCES):
        Store.open(whole, verify=False)


def test_a_database_torn_under_a_reader_that_did_not_verify_is_refused_when_read(whole: Path) -> None:
    path = generation(whole) / "000001" / PASSAGES
    path.write_bytes(b"SQLite format 3\0" + b"\7" * (path.stat().st_size - 16))
    with Store.open(whole, verify=False) as store, pytest.raises(StoreDamagedError) as caught:
        list(store.documents())
    assert "rag index --rebuild" in caught.value.hint


def test_a_store_that_may_not_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / CURRENT).mkdir()  # even root cannot read this as a file
    assert Store.exists(tmp_path)
    with pytest.raises(StoreError, match="cannot be read") as caught:
        Store.open(tmp_path)
    assert "--store" in caught.value.hint


def test_a_large_store_is_checked_by_samples_and_doctor_checks_it_all(whole: Path) -> None:
    folder, manifest = generation(whole), read_manifest(whole)
    assert list(faults(folder, manifest, thorough=False)) == []
    path = folder / "000001" / VECTORS
    data = path.read_bytes()
    path.write_bytes(data[-4:] + data[:-4])
    assert any(VECTORS in fault for fault in faults(folder, manifest, thorough=False))


def test_a_foreign_file_in_a_generation_is_refused(whole: Path) -> None:
    (generation(whole) / "more.faiss").write_bytes(b"")
    with pytest.raises(StoreDamagedError, match=r"more\.faiss does not belong"):
        Store.open(whole)


def test_the_format_is_looked_at_before_anything_else(whole: Path) -> None:
    folder = generation(whole)
    for name in files_under(folder):
        (folder / name).unlink()
    (folder / MANIFEST).write_text(json.dumps({"format": 99, "unheard": "of"}))
    with pytest.raises(StoreFormatError) as caught:
        Store.open(whole)
    assert "format 99" in caught.value.message
    assert f"reads format {FORMAT}" in caught.value.message
    assert "rag index --rebuild" in caught.value.hint


@pytest.mark.parametrize("line", [b"", b"7\n", b"000001\n", b"\xff\xfe", b"../../etc\n"])
def test_a_current_that_names_no_generation_is_damage(line: bytes, whole: Path) -> None:
    (whole / CURRENT).write_bytes(line)
    assert Store.exists(whole)
    with pytest.raises(StoreDamagedError, match="does not name a generation"):
        Store.open(whole)


def test_a_current_that_names_a_missing_generation_is_damage(whole: Path) -> None:
    (whole / CURRENT).write_text("000009 " + "0" * 64 + "\n")
    with pytest.raises(StoreDamagedError, match="generation 9"):
        Store.open(whole)


def test_another_manifest_than_the_committed_one_is_damage(whole: Path) -> None:
    path = generation(whole) / MANIFEST
    manifest = read_manifest(whole)
    path.write_bytes(replace(manifest, encoder_name="another").to_bytes())
    with pytest.raises(StoreDamagedError, match="not the manifest that was committed"):
        Store.open(whole)


def test_a_manifest_is_read_as_it_was_written(whole: Path) -> None:
    manifest = read_manifest(whole)
    assert Manifest.from_bytes(manifest.to_bytes(), whole) == manifest
    assert (manifest.n_documents, manifest.generation, manifest.format) == (6, 1, FORMAT)
    assert (
        manifest.size
        == sum(path.stat().st_size for path in generation(whole).rglob("*.*"))
        - (generation(whole) / MANIFEST).stat().st_size
    )


def test_where_there_is_no_store_the_hint_makes_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path, tmp_path / "file"):
        assert not Store.exists(path)
        with pytest.raises(StoreMissingError) as caught:
            Store.open(path)
        assert str(path) in caught.value.message
        assert caught.value.hint.startswith("rag index PATH")


def test_a_store_of_another_encoder_is_refused(whole: Path) -> None:
    with Store.open(whole) as store:
        store.check_encoder("words", WordEncoder().fingerprint)
        with pytest.raises(EncoderMismatchError) as caught:
            store.check_encoder("other", WordEncoder(seed="other").fingerprint)
    assert "built with encoder words" in caught.value.message
    assert "rag index --rebuild" in caught.value.hint


# Readers


def test_a_path_with_signs_that_mean_something_in_addresses_is_only_a_path(whole: Path) -> None:
    odd = whole.with_name("a b?c#d%20é")
    whole.rename(odd)
    assert picture(odd)["roots"] == read_manifest(odd).roots


def test_a_reader_keeps_its_generation_through_later_commits(tmp_path: Path) -> None:
    corpus, place = write_corpus(tmp_path / "corpus", FIRST), tmp_path / "store"
    run([corpus], place)
    before = picture(place)
    with Store.open(place) as early:
        for number in range(3):
            write_corpus(corpus, {"trust.txt": f"The trust was closed in 200{number}, said the council."})
            run([corpus], place)
        assert folders(place) == ["000001", "000003", "000004"]
        # Nothing of these was touched before the generation fell behind.
        assert early.passages(early.rows) == before["passages"]
        assert [early.vectors.vector(row).tobytes() for row in early.rows] == before["vectors"]
        assert early.lexical.search("was the trust opened in June", 5)[1].tolist() == before["lexical"][1]  # type: ignore[index]
    write_corpus(corpus, {"trust.txt": "The trust was closed again."})
    run([corpus], place)
    assert folders(place) == ["000004", "000005"]


def test_readers_that_open_while_a_writer_commits_always_get_a_whole_generation(tmp_path: Path) -> None:
    corpus, place = write_corpus(tmp_path / "corpus", FIRST), tmp_path / "store"
    run([corpus], place)
    ended = threading.Event()

    def read() -> int:
        n = 0
        while not ended.is_set():
            with Store.open(place) as store:
                assert len(store.passages(store.rows)) == store.vectors.n == store.lexical.n
            n += 1
        return n

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(8):
                write_corpus(corpus, SECOND if number == 0 else {"added.txt": f"Report number {number}."})
                run([corpus], place)
        finally:
            ended.set()
        assert all(reader.result() > 0 for reader in readers)


def test_threads_share_a_store(whole: Path) -> None:
    with Store.open(whole) as store, ThreadPoolExecutor(8) as pool:
        rows = store.rows
        expected = store.passages(rows)
        assert all(found == expected for found in pool.map(lambda _: store.passages(rows), range(64)))


# Filters


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("dated")
    made = []
    for path, date in {
        "/papers/minutes/may.md": "2017-05-02",
        "/papers/minutes/june.txt": "2017-06-30",
        "/papers/letters/year.txt": "2017",
        "/papers/letters/old.txt": "1999-12-31",
        "/papers/letters/undated.txt": None,
    }.items():
        text = f"Words of {path}"
        document = Document(sha256_text(path)[:16], path, sha256_text(text), "text/plain", text, date=date)
        passage = Passage(document.id, 0, len(text), text)
        made.append(Entry(document, FileRow(path, document.sha256, 1, 2, 3, 4), (passage,)))
    commit(folder, build(made))
    with Store.open(folder) as store:
        yield store


@pytest.mark.parametrize(
    ("filters", "names", "n_undated"),
    [
        ({"after": "2017-05-02"}, ["june.txt", "may.md"], 1),
        ({"after": "2017-05"}, ["june.txt", "may.md"], 1),
        ({"after": "2017"}, ["june.txt", "may.md", "year.txt"], 1),
        ({"before": "2017-05-02"}, ["old.txt", "year.txt"], 1),
        ({"before": "2017"}, ["old.txt"], 1),
        ({"after": "2017-06", "before": "2017-07"}, ["june.txt"], 1),
        ({"inside": "*.md"}, ["may.md"], 0),
        ({"inside": "minutes"}, ["june.txt", "may.md"], 0),
        ({"inside": "/papers/letters/"}, ["old.txt", "undated.txt", "year.txt"], 0),
        ({"inside": "letters/o*"}, ["old.txt"], 0),
        ({"inside": "letters", "after": "2000"}, ["year.txt"], 1),
        ({"inside": "nowhere"}, [], 0),
    ],
)
def test_a_filter_lets_through(
    filters: dict[str, str], names: list[str], n_undated: int, dated: Store
) -> None:
    allowed = dated.allowed(**filters)
    assert allowed.rows is not None
    paths = [dated.document(p.document_id).path for p in dated.passages(allowed.rows.tolist())]
    assert sorted(Path(path).name for path in paths) == names
    assert (allowed.n_documents, allowed.n_undated) == (len(names), n_undated)


def test_no_filter_lets_everything_through(dated: Store) -> None:
    assert dated.allowed().rows is None
    assert dated.allowed().n_documents == 5


@pytest.mark.parametrize("day", ["", "yesterday", "22 March 2017", "2017-3-2", "2017-03-22T00:00"])
def test_a_date_that_is_none_is_said_to_be_none(day: str, dated: Store) -> None:
    with pytest.raises(UsageError, match="after: expected a date"):
        dated.allowed(after=day)


def test_a_store_error_is_a_rag_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path)
    assert caught.value.hint

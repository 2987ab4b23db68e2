"""Confidence is made of signals a person can check."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.calibration import Calibrator, Seen, load_calibrator, signals
from rag.answering.question import Kind
from rag.records import Hit, Passage, Ranked
from rag.retrieval.term_weights import Terms

FREQUENCY = {"trust": 50, "council": 20, "decommission": 1}


def terms() -> Terms:
    return Terms(str.split, lambda term: FREQUENCY.get(term, 0), 100)


def seen(text: str, relevance: float, mark: str = "") -> Seen:
    ranked = (Ranked("dense", 1, 0.5), Ranked("sentences", 1, 0.6))
    hit = Hit(Passage("d", 0, len(text), text), 0, 0.1, "fused", ranked)
    return Seen(hit, relevance, text, mark, (3.0, 1.0))


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    weights = terms().weights("trust decommission")
    assert weights == pytest.approx({"trust": math.log(101 / 50.5), "decommission": math.log(101 / 1.5)})


def test_coverage_is_the_weighted_share_of_the_words_present() -> None:
    common, rare = math.log(101 / 50.5), math.log(101 / 1.5)
    assert terms().coverage("trust decommission", "the trust") == pytest.approx(common / (common + rare))
    assert terms().coverage("", "the trust") == 1.0


def test_a_word_the_store_does_not_hold_lowers_what_is_known() -> None:
    assert terms().known("trust council") == 1.0
    assert terms().known("trust pizza") < 0.2


def test_a_year_the_evidence_does_not_name_is_noticed() -> None:
    here = [seen("rated good in 2018", 1.0)]
    assert signals("rating 2018", Kind.WHAT, here, terms())["year_missing"] == 0.0
    assert signals("rating 2019", Kind.WHAT, here, terms())["year_missing"] == 1.0


def test_passages_that_mark_the_same_words_agree() -> None:
    others = [seen("a", 0.0, "the mayor"), seen("b", 0.0, "a bus")]
    found = signals("who", Kind.WHO, [seen("c", 4.0, "Mayor Jones"), *others], terms())
    assert found["agreement"] == 0.5
    assert found["margin"] == 4.0


def test_one_passage_alone_has_no_margin() -> None:
    assert signals("who", Kind.WHO, [seen("c", 4.0)], terms())["margin"] == 0.0


@pytest.mark.parametrize("reader", ["cross-encoder", "similarity"])
def test_a_shipped_calibrator_reads_every_signal_and_states_its_contract(reader: str) -> None:
    calibrator = load_calibrator(reader)
    found = signals("why", Kind.WHY, [seen("because", 2.0, "because")], terms())
    assert set(calibrator.weights) <= set(found)
    assert set(calibrator.subject) <= set(found)
    assert 0.0 < calibrator.answered < 1.0
    assert calibrator.contract
    assert calibrator.reader == reader


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_confidence_is_a_probability_and_rises_with_relevance(value: float) -> None:
    calibrator = Calibrator({"relevance": 1.0}, {"relevance": 0.0}, {"relevance": 1.0}, 0.0, 0.5, {})
    low, high = (calibrator.confidence({"relevance": v}) for v in (value, value + 1))
    assert 0.0 <= low <= high <= 1.0

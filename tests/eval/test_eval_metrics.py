"""Metrics against visible arithmetic, an independently written SQuAD check, enumeration and ir_measures."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    covers_half,
    exact_match,
    f1,
    hit_at,
    judged_list,
    normalise,
    ranking,
    span_overlap,
)
from eval.scoring.confidence import (
    auroc,
    calibration_error,
    coverage_at,
    reliability,
    risk_coverage,
    risk_coverage_area,
)


def squad_tokens(text: str) -> list[str]:
    """What the published rules say, character by character: no ASCII punctuation, no article standing alone.

    A word character is a letter, digit or underscore of any script; an article stands alone when no word
    character touches it.
    """
    kept = "".join(c for c in text.lower() if c not in r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~""")
    out: list[str] = []
    place = 0
    while place < len(kept):
        end = place
        while end < len(kept) and (kept[end].isalnum() or kept[end] == "_"):
            end += 1
        if end == place:
            out.append(kept[place])
            place += 1
        else:
            word = kept[place:end]
            out.append(" " if word in ("a", "an", "the") else word)
            place = end
    return "".join(out).split()


def squad_f1(answer: str, gold: str) -> float:
    got, wanted = squad_tokens(answer), squad_tokens(gold)
    if not got or not wanted:
        return float(got == wanted)
    left = list(wanted)
    shared = 0
    for token in got:
        if token in left:
            left.remove(token)
            shared += 1
    return 2 * shared / (len(got) + len(wanted))  # 2PR/(P+R) with P = s/g and R = s/w


TRICKY = [
    ("The Normans", "Normans"),
    ("a-b", "ab"),
    ("10–12", "10 12"),
    ("the U.S.", "us"),
    ("$1,000.50", "100050"),
    ("An", ""),
    ("", ""),
    ("the", "a"),
    ("theatre", "atre"),
    ("Beyoncé's", "beyoncés"),
    ("ÉCOLE", "école"),
    ("ten ten two", "ten two two"),
    ("a – the", "–"),
    ("  tabs\tand\nlines ", "tabs and lines"),
    ("under_score", "underscore"),
    ("non\u00a0breaking", "non breaking"),
    ("“quoted”", "quoted"),
    ("İstanbul", "i̇stanbul"),
]


@pytest.mark.parametrize(("answer", "gold"), TRICKY)
def test_em_and_f1_are_those_of_squad_on_tricky_cases(answer: str, gold: str) -> None:
    assert normalise(answer).split() == squad_tokens(answer)
    assert exact_match(answer, [gold]) == float(squad_tokens(answer) == squad_tokens(gold))
    assert f1(answer, [gold]) == pytest.approx(squad_f1(answer, gold))


@given(st.text(alphabet="ab the-.,'é–_1 \n", max_size=30), st.text(alphabet="ab the-.,'é–_1 \n", max_size=30))
def test_em_and_f1_are_those_of_squad_on_any_text(answer: str, gold: str) -> None:
    assert exact_match(answer, [gold]) == float(squad_tokens(answer) == squad_tokens(gold))
    assert f1(answer, [gold]) == pytest.approx(squad_f1(answer, gold))
    assert f1(answer, [gold]) == pytest.approx(f1(gold, [answer]))


def test_the_best_gold_answer_counts() -> None:
    assert f1("May 2016", ["June", "in May 2016"]) == pytest.approx(0.8)  # P 2/2, R 2/3
    assert exact_match("May 2016", ["June", "may 2016."]) == 1.0


def test_an_empty_answer_is_right_only_where_nothing_is_right() -> None:
    assert (exact_match("", ["May"]), f1("", ["May"])) == (0.0, 0.0)
    assert (exact_match("", []), f1("", [])) == (1.0, 1.0)


def test_half_of_the_quote_is_enough_and_less_is_not() -> None:
    assert covers_half((0, 105), (100, 110))  # 5 of 10
    assert not covers_half((0, 104), (100, 110))  # 4 of 10
    assert not covers_half((0, 5), (5, 5))


def test_span_overlap_is_shared_over_joined() -> None:
    assert span_overlap((0, 4), [(2, 6)]) == pytest.approx(2 / 6)
    assert span_overlap((0, 4), []) == 0.0


def test_hit_at_looks_no_further_than_k() -> None:
    found: list[list[int]] = [[], [], [1]]
    assert [hit_at(found, k) for k in (1, 2, 3, 10)] == [0.0, 0.0, 1.0, 1.0]


def test_ranking_metrics_equal_plain_arithmetic() -> None:
    from math import log2

    found = {"q": [[], [0], [0], [1]]}  # pieces 0 and 1 of 3, at places 2 and 4
    scores = ranking(found, {"q": [1, 1, 1]}, 10)
    assert scores is not None
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert scores["q"]["ndcg"] == pytest.approx((1 / log2(3) + 1 / log2(5)) / ideal)
    assert scores["q"]["rr"] == pytest.approx(1 / 2)
    assert scores["q"]["recall"] == pytest.approx(2 / 3)


def test_ranking_metrics_equal_ir_measures_on_random_lists() -> None:
    import ir_measures

    rng = random.Random(4)
    for _ in range(50):
        n_pieces = rng.randint(1, 4)
        found = [[p] if (p := rng.randint(0, 9)) < n_pieces else [] for _ in range(rng.randint(0, 15))]
        k = rng.choice([3, 5, 10])
        docs = [ir_measures.ScoredDoc("q", d, -float(i)) for i, d in enumerate(judged_list(found, k))]
        qrels = [ir_measures.Qrel("q", f"piece-{p}", 1) for p in range(n_pieces)]
        ours = ranking({"q": found}, {"q": [1] * n_pieces}, k)
        assert ours is not None
        if not docs:
            assert ours["q"] == {"ndcg": 0.0, "rr": 0.0, "recall": 0.0}
            continue
        # Single-piece hits take one place each, so a cutoff at k is the same as cutting the list at k.
        theirs = ir_measures.calc_aggregate(
            [ir_measures.nDCG @ k, ir_measures.RR @ k, ir_measures.R @ k], qrels, docs
        )
        assert ours["q"]["ndcg"] == pytest.approx(theirs[ir_measures.nDCG @ k])
        assert ours["q"]["rr"] == pytest.approx(theirs[ir_measures.RR @ k])
        assert ours["q"]["recall"] == pytest.approx(theirs[ir_measures.R @ k])


def test_a_list_with_no_hits_scores_zero_and_stays() -> None:
    assert ranking({"a": [[0]], "b": []}, {"a": [1], "b": [1]}, 10) == {
        "a": {"ndcg": 1.0, "rr": 1.0, "recall": 1.0},
        "b": {"ndcg": 0.0, "rr": 0.0, "recall": 0.0},
    }


def test_grades_weigh_in_ndcg() -> None:
    from math import log2

    scores = ranking({"q": [[0], [1]]}, {"q": [1, 2]}, 10)
    assert scores is not None
    assert scores["q"]["ndcg"] == pytest.approx((1 + 2 / log2(3)) / (2 + 1 / log2(3)))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    pairs = [(a, b) for (a, x), (b, y) in itertools.product(rows, rows) if x and not y]
    scores, positive = [float(s) for s, _ in rows], [p for _, p in rows]
    if not pairs:
        assert auroc(scores, positive) is None
    else:
        share = sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)
        assert auroc(scores, positive) == pytest.approx(share)


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=30))
def test_risk_coverage_answers_all_questions_of_a_confidence_together(rows: list[tuple[int, bool]]) -> None:
    confidence, right = [s / 8 for s, _ in rows], [r for _, r in rows]
    for point in risk_coverage(confidence, right):
        taken = [r for c, r in zip(confidence, right, strict=True) if c >= point.threshold]
        assert point.coverage == pytest.approx(len(taken) / len(rows))
        assert point.risk == pytest.approx(taken.count(False) / len(taken))


def test_tied_confidences_cannot_be_ordered_to_advantage() -> None:
    assert (
        risk_coverage_area([0.5, 0.5], [True, False]) == risk_coverage_area([0.5, 0.5], [False, True]) == 0.5
    )


def test_coverage_at_a_precision_is_the_largest_that_holds_it() -> None:
    confidence, right = [0.9, 0.8, 0.7, 0.6, 0.5], [True, True, False, True, True]
    assert coverage_at(1.0, confidence, right) == pytest.approx(2 / 5)
    assert coverage_at(0.8, confidence, right) == pytest.approx(1.0)  # 4 of 5, though 2 of 3 in between
    assert coverage_at(0.9, [0.9], [False]) == 0.0


def test_calibration_error_weighs_bins_by_their_size() -> None:
    confidence, right = [0.95, 0.95, 0.95, 0.15], [True, True, False, False]
    expected = 3 / 4 * abs(0.95 - 2 / 3) + 1 / 4 * abs(0.15 - 0)
    assert calibration_error(confidence, right) == pytest.approx(expected)
    assert [b.n for b in reliability(confidence, right)] == [1, 3]
    assert calibration_error([], []) is None

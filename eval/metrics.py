"""What an answer and a ranked list are worth, each a pure function with values in 0..1.

Ranges are half-open ``(start, end)`` pairs of characters.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Range = tuple[int, int]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """A text as SQuAD compares it: lower case, no ASCII punctuation, no articles, single spaces.

    Punctuation goes before articles, so "a-b" is one word and an en dash, not being ASCII, stays.

    >>> normalise("The  U.S. Army's A-team!")
    'us armys ateam'
    >>> normalise("10–12")
    '10–12'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1 when the answer equals any gold answer after normalising, else 0. No gold: 1 only for no answer.

    >>> exact_match("the Mayor", ["Ros Jones", "mayor"]), exact_match("", []), exact_match("mayor", [])
    (1.0, 1.0, 0.0)
    """
    wanted = {normalise(gold) for gold in golds} or {""}
    return float(normalise(answer) in wanted)


def f1(answer: str, golds: Sequence[str]) -> float:
    """The best token F1 of an answer against the gold answers (Rajpurkar et al. 2016).

    Words count as often as they occur. As in the SQuAD 2.0 script, a side with no words scores 1 only
    against another with none.

    >>> f1("in the spring of 2016", ["spring 2016"])  # 2 shared; precision 2/4, recall 2/2
    0.6666666666666666
    >>> f1("ten ten", ["ten"])  # 1 shared; precision 1/2, recall 1/1
    0.6666666666666666
    """
    return max(_token_f1(normalise(answer).split(), normalise(gold).split()) for gold in golds or [""])


def _token_f1(got: list[str], wanted: list[str]) -> float:
    if not got or not wanted:
        return float(got == wanted)
    shared = sum((Counter(got) & Counter(wanted)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(got), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def holds_answer(text: str, golds: Sequence[str]) -> bool:
    """Whether any gold answer stands in a text as whole words, both normalised.

    >>> holds_answer("It was ordered by Michael Gove.", ["michael gove"]), holds_answer("Gover", ["Gove"])
    (True, False)
    """
    words = f" {normalise(text)} "
    return any(f" {gold} " in words for gold in map(normalise, golds) if gold)


def overlap(one: Range, other: Range) -> int:
    """How many characters two ranges share.

    >>> overlap((0, 10), (6, 20)), overlap((0, 5), (5, 9))
    (4, 0)
    """
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def covers_half(found: Range, wanted: Range) -> bool:
    """Whether ``found`` takes in at least half of ``wanted``'s characters.

    >>> covers_half((0, 15), (10, 20)), covers_half((0, 14), (10, 20))
    (True, False)
    """
    return 2 * overlap(found, wanted) >= wanted[1] - wanted[0] > 0


def span_overlap(found: Range, wanted: Iterable[Range]) -> float:
    """The characters two ranges share out of all they take up (Jaccard), for the best of ``wanted``.

    >>> span_overlap((10, 20), [(15, 25), (90, 95)])  # 5 shared of 15
    0.3333333333333333
    """
    best = 0.0
    for each in wanted:
        shared = overlap(found, each)
        best = max(best, shared / (found[1] - found[0] + each[1] - each[0] - shared))
    return best


def hit_at(found: Sequence[Iterable[int]], k: int) -> float:
    """1 when any of the first ``k`` hits holds a piece of gold evidence, else 0.

    ``found[r]`` are the numbers of the pieces that the hit at place r holds.

    >>> hit_at([[], [0], []], 1), hit_at([[], [0], []], 3)
    (0.0, 1.0)
    """
    return float(any(True for pieces in found[:k] for _ in pieces))


def judged_list(found: Sequence[Iterable[int]], k: int) -> list[str]:
    """The first ``k`` hits as ids for a ranking metric: ``piece-3``, or ``other-0`` for a hit without any.

    A piece counts once, at the first hit that holds it; later hits with the same piece are as good as
    none. A hit that holds several new pieces takes one place for each, so that a list which finds all
    pieces first is ideal however they are divided over passages.

    >>> judged_list([[], [0], [0, 2]], 3)
    ['other-0', 'piece-0', 'piece-2']
    """
    ids: list[str] = []
    seen: set[int] = set()
    for place, pieces in enumerate(found[:k]):
        new = sorted(set(pieces) - seen)
        seen.update(new)
        ids.extend(f"piece-{number}" for number in new)
        if not new:
            ids.append(f"other-{place}")
    return ids


def ranking(
    found: Mapping[str, Sequence[Iterable[int]]], relevance: Mapping[str, Sequence[int]], k: int
) -> dict[str, dict[str, float]] | None:
    """nDCG, reciprocal rank and recall of the first ``k`` hits of each question, through ir_measures.

    ``found`` and ``relevance`` are keyed by question id; ``relevance[q][p]`` grades piece p. A question
    with no hits scores 0, never drops out. None when ir_measures is not installed.
    """
    try:
        from ir_measures import RR, Qrel, R, ScoredDoc, iter_calc, nDCG
    except ImportError:
        return None
    qrels = [
        Qrel(q, f"piece-{p}", grade) for q, grades in relevance.items() for p, grade in enumerate(grades)
    ]
    run = [
        ScoredDoc(q, doc, -float(place))
        for q in relevance
        for place, doc in enumerate(judged_list(found.get(q, ()), k))
    ]
    scores = {q: {"ndcg": 0.0, "rr": 0.0, "recall": 0.0} for q in relevance}
    names = {nDCG @ k: "ndcg", RR: "rr", R @ 1000: "recall"}  # the lists are cut at k already
    for row in iter_calc(list(names), qrels, run) if run else ():
        scores[row.query_id][names[row.measure]] = float(row.value)
    return scores


def sentence_precision_recall(
    cited: Sequence[tuple[str, Range]], pieces: Sequence[Sequence[Sequence[tuple[str, Range]]]]
) -> tuple[float, float]:
    """How far the cited sentences are the gold ones, and how far the gold ones are cited.

    A sentence is (document, range). ``pieces[p][a]`` are the sentences of place a of piece p. Precision:
    the share of cited sentences that are a sentence of any place. Recall: the mean over pieces of the best
    place's share of sentences cited. Nothing cited is 0 and 0.

    >>> gold = [[[("a", (0, 5)), ("a", (5, 9))], [("b", (0, 4))]]]  # one piece, two places
    >>> sentence_precision_recall([("b", (0, 4)), ("b", (4, 9))], gold)
    (0.5, 1.0)
    """
    got = set(cited)
    if not got or not pieces:
        return 0.0, 0.0
    wanted = {sentence for piece in pieces for place in piece for sentence in place}
    recalls = [
        max((len(got & set(place)) / len(set(place)) for place in piece if place), default=0.0)
        for piece in pieces
    ]
    return len(got & wanted) / len(got), sum(recalls) / len(recalls)

"""The judge's pairs: what it learns from fits together, and what it is measured on it has not seen."""

from __future__ import annotations

from embeddings.spans import token_batches
from rag.reader.base import PAIR_LABELS
from rag.training import material, pairs
from rag.training.judge import (
    NEXT_KEPT_OUT,
    TOKENS_A_BATCH,
    Material,
    by_question,
    collection_pairs,
    course,
    flip_pairs,
    implied,
)
from rag.training.pairs import Pair

KNOWN, KEPT_OUT = pairs.written_pairs(name="conflicts-next", kept_out=NEXT_KEPT_OUT)


def pair(one: str, other: str, label: str) -> Pair:
    return Pair("how many", ("", ""), (one, other), label)


def test_the_answering_words_of_every_written_pair_stand_in_its_quotations() -> None:
    rows = material.read(material.FOLDER, "conflicts-next")
    assert all(side["m"] in side["s"] for row in rows for side in (row["a"], row["b"]))
    assert {row["label"] for row in rows} == set(PAIR_LABELS)


def test_no_family_is_both_learnt_from_and_measured_on() -> None:
    assert not {p.question for p in KNOWN} & {p.question for p in KEPT_OUT}
    assert 0.1 < len(by_question(KEPT_OUT)) / len(by_question(KNOWN + KEPT_OUT)) < 0.3


def test_what_agrees_with_one_side_of_a_conflict_is_in_conflict_with_the_other() -> None:
    family = [pair("31", "24", "conflict"), pair("two dozen", "24", "same"), pair("24", "9 in May", "apart")]
    assert [(set(p.quotations), p.label) for p in implied(family)] == [
        ({"31", "two dozen"}, "conflict"),
        ({"9 in May", "two dozen"}, "apart"),
    ]
    assert implied([*family, *implied(family)]) == []


def test_a_flip_lays_the_answer_beside_the_sentence_that_took_its_place() -> None:
    asked = material.Asked("who led it", ((0, "Ann"),), ())
    paragraph = material.Paragraph(
        "squad", "The trust", "Ann led it. It shut.", "Bob left it. It shut.", (asked,)
    )
    assert flip_pairs([paragraph]) == [
        Pair("who led it", ("The trust . ", "The trust . "), ("Ann led it.", "Bob left it."), "apart")
    ]


def test_both_sides_of_a_dispute_are_in_conflict_and_what_stands_near_is_apart() -> None:
    documents = {
        "minutes.txt": "Minutes\n\nThe clerk counted 31 vacant posts in March.\n",
        "news.txt": "News\n\nThe paper found 24 vacant posts in March.\n\nTwo posts were filled in June.\n",
    }
    evidence = [
        {"d": "minutes.txt", "s": "The clerk counted 31 vacant posts in March.", "a": ["31"]},
        {"d": "news.txt", "s": "The paper found 24 vacant posts in March.", "a": ["24"]},
    ]
    question = {"q": "vacant posts in March", "k": "conflict", "all": True, "e": evidence}
    (group,) = collection_pairs([material.Collection("posts", documents, (question,))])
    labels = {p.quotations[1]: p.label for p in group}
    assert labels["The paper found 24 vacant posts in March."] == "conflict"
    assert labels["Two posts were filled in June."] == "apart"


def test_the_course_is_the_same_for_the_same_seed_and_ends_without_public_pairs() -> None:
    families = by_question(KNOWN)
    disputed = [[pair("31", "24", "conflict")], [pair("8", "9", "conflict")]]
    calm = [[pair("31", "June", "apart")]]
    claims = [Pair("", ("", ""), ("It rained.", "It was dry."), "conflict")]
    given = Material(families, disputed + calm, [pair("a", "b", "apart")], claims, [], [], [])
    steps = list(course(given, 10, 0.5, 1))
    assert steps == list(course(given, 10, 0.5, 1))
    assert steps != list(course(given, 10, 0.5, 2))
    assert any(not p.question for p in steps[0])
    assert all(p.question for p in steps[-1])


def test_a_batch_holds_rows_of_like_length_and_none_is_lost() -> None:
    rows = [([0] * n, [0] * n) for n in (5, 700, 300, 900, 40)]
    parts = list(token_batches([len(ids) for ids, _ in rows], TOKENS_A_BATCH))
    assert sorted(i for part in parts for i in part) == [0, 1, 2, 3, 4]
    assert parts[0] == [3]

"""The reader's training rows: offsets exact, wrong rows wrong, groups whole."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import SHARED

from rag.training.course import Course
from rag.training.data import ELSEWHERE, NEAR_MISSES, Pools, Row, build_groups, digest
from rag.training.encoder import triples
from rag.training.features import MAX_PASSAGE, Encoded, batches, encode_rows, token_span
from rag.training.perturb import negate, perturb, swap_antonym, swap_name, swap_number
from rag.training.sources import Example, hold_out, load_all
from rag.training.train import learning_rate
from rag.training.windows import contains, cut_text, n_words, window, without_answer

DATA = SHARED / "data" / "train"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="what it is trained on is not in the repository")

PASSAGE = (
    "The bridge at Marlow was opened in 1832. It was designed by William Tierney Clark. "
    "Its span is 72 metres, the largest on that reach of the river. "
    "A model of it stands in Budapest, where the same engineer built another bridge between 1839 and 1849. "
    "The towers are of stone, and the deck hangs from chains that were renewed in 1966 by the county."
)

sentences = st.lists(
    st.lists(st.sampled_from("river stone bridge 1832 Marlow the of".split()), min_size=1, max_size=30).map(
        lambda words: " ".join(["A", *words]) + "."
    ),
    min_size=1,
    max_size=15,
)


@given(sentences, st.integers(0, 10**6), st.booleans())
def test_a_window_holds_the_answer_at_the_same_words(parts: list[str], seed: int, short: bool) -> None:
    text, rng = " ".join(parts), random.Random(seed)
    start = rng.randrange(len(text))
    end = rng.randint(start + 1, min(len(text), start + 40))
    lo, hi = cut_text(text, start, end, short, rng)
    assert 0 <= lo <= start < end <= hi <= len(text)
    assert text[lo:hi][start - lo : end - lo] == text[start:end]


def test_a_window_is_whole_sentences_within_its_size() -> None:
    start = PASSAGE.index("William")
    lo, hi = window(PASSAGE, start, start + 20, 30, random.Random(1))
    assert PASSAGE[lo:hi].endswith(".")
    assert lo == 0 or PASSAGE[lo - 2] == "."
    assert n_words(PASSAGE[lo:hi]) <= 30


def test_a_passage_robbed_of_its_answer_no_longer_holds_it() -> None:
    start = PASSAGE.index("1832")
    rest = without_answer(PASSAGE, [(start, start + 4)], ["1832"], True, random.Random(3))
    assert rest is not None
    assert rest in PASSAGE
    assert "1832" not in rest


def test_an_answer_counts_as_held_only_as_whole_words() -> None:
    assert contains("In Marlow.", ["marlow"])
    assert not contains("In 18321.", ["1832"])


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("Where is the largest bridge?", "Where is the smallest bridge?"),
        ("Who won?", "Who lost?"),
        ("Who sang?", None),
    ],
)
def test_an_antonym_swap_changes_one_word(question: str, wrong: str | None) -> None:
    assert swap_antonym(question, random.Random(0)) == wrong


def test_a_number_swap_changes_the_number_and_nothing_else() -> None:
    for seed in range(30):
        wrong = swap_number("Who led it in 1832 or so?", PASSAGE, random.Random(seed))
        assert wrong is not None
        assert wrong.startswith("Who led it in ")
        assert wrong.endswith(" or so?")
        assert wrong.split()[4].isdigit()
        assert wrong.split()[4] != "1832"


def test_a_name_swap_takes_a_name_that_the_question_lacks() -> None:
    for seed in range(30):
        wrong = swap_name("What stands in Budapest today?", PASSAGE, random.Random(seed), ["Vienna"])
        assert wrong in ("What stands in Vienna today?", "What stands in Marlow today?")


def test_a_denied_question_is_not_denied_twice() -> None:
    assert negate("Where is it?", random.Random(0)) == "Where is not it?"
    assert negate("Where is it not?", random.Random(0)) is None


def test_a_question_without_number_name_opposite_or_verb_is_left_alone() -> None:
    assert perturb("why so", PASSAGE, random.Random(0)) is None


def example(number: int, source: str = "squad", title: str = "Bridges") -> Example:
    passage = PASSAGE.replace("Marlow", f"Marlow{number}").replace("1832", str(1500 + number))
    start = passage.index(str(1500 + number))
    question = f"When was the bridge at Marlow{number} opened?"
    return Example(f"id{number}", source, title, passage, question, ((start, str(1500 + number)),))


def made_groups(seed: int = 1) -> list[list[Row]]:
    examples = [example(i) for i in range(60)]
    return build_groups(examples, Pools(examples), seed)


def test_every_group_has_one_right_row_that_answers_and_two_wrong_rows_that_do_not() -> None:
    groups = made_groups()
    assert len(groups) == 60
    for right, *wrongs in groups:
        assert right.label == 1
        gold = [right.passage[start:end] for start, end in right.answers]
        assert len(gold) == 1
        assert gold[0].isdigit()
        assert [wrong.kind in ELSEWHERE for wrong in wrongs] == [True, False]
        for wrong in wrongs:
            assert wrong.label == 0
            assert wrong.answers == ()
            if wrong.kind in ("perturbed", "asked"):
                assert wrong.passage == right.passage
                assert wrong.question.lower() != right.question.lower()
            else:
                assert wrong.question == right.question
                assert not contains(wrong.passage, gold)
    assert {row.kind for _, *wrongs in groups for row in wrongs} == {*ELSEWHERE, *NEAR_MISSES}


def test_equal_seeds_give_equal_rows_and_other_seeds_others() -> None:
    assert digest(made_groups(1)) == digest(made_groups(1))
    assert digest(made_groups(1)) != digest(made_groups(2))


def test_an_unanswerable_question_is_the_wrong_row_beside_an_answered_one() -> None:
    answered = example(1)
    unanswerable = replace(answered, id="none", question="Who painted it?", answers=())
    examples = [answered, unanswerable, *(example(i) for i in range(2, 9))]
    group = build_groups(examples, Pools(examples), 1)[1]
    assert [row.kind for row in group][::2] == ["right", "impossible"]
    assert group[-1].question.lower().startswith("who painted it")
    assert group[-1].passage == group[0].passage


def test_held_out_titles_leave_whole() -> None:
    examples = [example(i, title=f"T{i % 7}") for i in range(70)]
    kept, held = hold_out(examples, 15, seed=1)
    assert len(held) == 20
    assert not {e.title for e in kept} & {e.title for e in held}
    assert not {e.passage for e in kept} & {e.passage for e in held}


class Words:
    """A tokenizer that cuts at spaces, with the little of the interface that encoding uses."""

    class Encoding:
        def __init__(self, text: str) -> None:
            at, self.offsets = 0, []
            for word in text.split():
                at = text.index(word, at)
                self.offsets.append((at, at + len(word)))
                at += len(word)
            self.ids = list(range(1000, 1000 + len(self.offsets)))

    def encode_batch(self, texts: list[str], add_special_tokens: bool) -> list[Any]:
        assert not add_special_tokens
        return [self.Encoding(text) for text in texts]


def test_gold_tokens_cover_the_answer_and_lie_in_the_passage() -> None:
    row = Row(0, "squad", "right", 1, "where is it", "Title . ", "It stands in Budapest now", ((13, 21),))
    encoded = encode_rows([row], Words())[0]
    assert encoded.ids[0] == 101
    assert encoded.ids[encoded.second_segment - 1] == 102
    assert encoded.first == 1 + 3 + 1 + 2
    assert encoded.starts == encoded.ends == [encoded.first + 3]
    assert len(encoded.offsets) == 5


def test_an_answer_past_the_last_token_has_no_span() -> None:
    passage = "word " * MAX_PASSAGE + "answer"
    row = Row(0, "squad", "right", 1, "q", "", passage, ((len(passage) - 6, len(passage)),))
    assert encode_rows([row], Words())[0].starts == []
    assert token_span([(0, 4)], 5, 6) is None


def encoded_group(number: int, length: int) -> list[Encoded]:
    return [Encoded(number, label, [7] * (length + label), 3, 2, [], [], []) for label in (1, 0)]


@given(st.lists(st.integers(5, 300), min_size=1, max_size=80), st.integers(0, 99))
def test_batches_lose_no_group_and_split_none(lengths: list[int], seed: int) -> None:
    groups = [encoded_group(i, length) for i, length in enumerate(lengths)]
    made = batches(groups, 1024, 16, random.Random(seed))
    assert sorted(group[0].group for batch in made for group in batch) == list(range(len(lengths)))
    for batch in made:
        rows = [row for group in batch for row in group]
        assert len(rows) <= 16
        assert len(rows) * max(len(row.ids) for row in rows) <= 1024


def test_the_last_part_holds_clean_groups_only_and_first_those_not_yet_seen() -> None:
    first = [encoded_group(i, 20 + i % 5) for i in range(40)]
    again = [encoded_group(100 + i, 20) for i in range(40)]
    clean = {i for i in range(140) if i % 2 == 0}
    course = Course(first, again, clean, 256, 8, seed=1)
    seen = {group[0].group for _ in range(5) for group in course.next_batch(last_part=False)}
    last = {group[0].group for _ in range(8) for group in course.next_batch(last_part=True)}
    assert last <= clean
    assert not last & seen
    resumed = Course(first, again, clean, 256, 8, seed=1)
    resumed.n_main, resumed.n_last = course.n_main, course.n_last
    assert resumed.next_batch(last_part=True) == course.next_batch(last_part=True)


def test_the_learning_rate_ends_at_nought_however_long_the_run() -> None:
    assert learning_rate(1.0, 3.0) == learning_rate(1.2, 3.0) == learning_rate(0.0, 3.0) == 0.0
    assert learning_rate(0.05, 3.0) == pytest.approx(3.0)
    assert learning_rate(0.525, 3.0) == pytest.approx(1.5)


def test_spans_of_one_question_share_one_softmax() -> None:
    import torch

    from rag.training.losses import span_loss

    logits = torch.tensor([[0.0, 2.0, 5.0], [1.0, 3.0, 0.0]])
    passage = torch.tensor([[True, True, False], [True, True, True]])
    gold = torch.tensor([[False, True, False], [False, False, False]])
    loss = span_loss(logits, passage, gold, torch.tensor([0, 0]))
    every = torch.tensor([0.0, 2.0, 1.0, 3.0, 0.0]).exp().sum()
    assert float(loss) == pytest.approx(float(every.log() - 2.0), abs=1e-5)


def test_a_question_with_two_wrong_rows_counts_once_in_every_loss() -> None:
    import torch

    from rag.training.losses import relevance_losses

    labels, groups = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0]), torch.tensor([0, 0, 0, 1, 1])
    by_list, by_row = relevance_losses(torch.zeros(5), labels, groups)
    assert float(by_list) == pytest.approx((math.log(3) + math.log(2)) / 2)
    assert float(by_row) == pytest.approx(math.log(2))


def test_the_encoder_learns_from_texts_that_answer_and_texts_that_do_not() -> None:
    lines = triples(made_groups(), seed=1)
    assert len(lines) > 30
    for row in lines:
        number = re.search(r"marlow(\d+)", row.question.lower())
        assert number is not None
        answer = str(1500 + int(number[1]))
        assert answer in row.right
        assert answer not in row.wrong
        if row.answering and row.beside:
            assert answer in row.right[slice(*row.answering)]
            assert answer not in row.right[slice(*row.beside)]
    assert any(row.answering for row in lines)


@needs_data
def test_answers_of_the_real_rows_stand_where_their_offsets_point() -> None:
    train, held, hashes = load_all(DATA, seed=1, n_per_source=30)
    assert len(hashes) == 11
    assert not {e.passage for e in train} & {e.passage for e in held}
    by_text: dict[tuple[str, str], list[Example]] = {}
    for e in train:
        by_text.setdefault((e.source, e.question.lower().rstrip("? ")), []).append(e)
    for right, *wrongs in build_groups(train, Pools(train), seed=1):
        assert right.answers
        asked = by_text.get((right.source, right.question.lower().rstrip("? ")), [])
        if len(asked) == 1:  # some sources ask the same of many passages
            gold = [text for _, text in asked[0].answers]
            assert all(right.passage[start:end] in gold for start, end in right.answers)
            others = [wrong for wrong in wrongs if wrong.kind in ("mined", "neighbour", "cut")]
            assert not any(contains(other.passage, gold) for other in others)

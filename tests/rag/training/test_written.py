"""The written material: it fits its texts, flips are learnt from both sides, what is kept out stays out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from rag.reader.base import PAIR_LABELS
from rag.training import material, pairs, written
from rag.training.data import Pools, Row
from rag.training.features import encode_rows
from rag.training.sources import Example
from rag.training.train import learning_rate

PARAGRAPHS = material.paragraphs()
COLLECTIONS = material.collections()


def test_every_answer_stands_in_the_version_it_is_said_of() -> None:
    for paragraph in PARAGRAPHS:
        for asked in paragraph.asked:
            for text, answers in ((paragraph.original, asked.original), (paragraph.flip, asked.flip or ())):
                assert all(text[start : start + len(words)] == words for start, words in answers)


def test_a_question_of_a_flip_is_answered_by_one_version_alone_and_both_sides_occur() -> None:
    rows = [row for paragraph in PARAGRAPHS for row in written.flip_rows(paragraph)]
    sides = {paragraph.original for paragraph in PARAGRAPHS}
    from_original = sum(right in sides for _, right, _, _ in rows)
    assert all(answers and right != wrong for _, right, answers, wrong in rows)
    assert 0.35 < from_original / len(rows) < 0.65


def no_pools() -> Pools:
    passages = ["A bridge in York.", "A mill in Leeds."]
    rows = [Example(str(i), "squad", "", text, "what is it", ((0, "A"),)) for i, text in enumerate(passages)]
    return Pools(rows)


def test_in_flip_groups_neither_question_nor_passage_gives_the_label_away() -> None:
    groups = written.flip_groups(PARAGRAPHS[:40], no_pools(), random.Random(1), 100)
    assert [group[0].group for group in groups] == list(range(100, 100 + len(groups)))
    flips = [group for group in groups if group[0].source == "flip"]
    assert all([row.label for row in group[:2]] == [1, 0] for group in flips)
    assert all(group[0].question == group[1].question for group in flips)
    right, wrong = ({group[i].passage for group in flips} for i in (0, 1))
    assert len(right & wrong) > 0.9 * len(right)
    for group in flips:
        for start, end in group[0].evidence:
            assert group[0].passage[start:end].strip()
        assert all(
            any(lo < end and start < hi for lo, hi in group[0].evidence) for start, end in group[0].answers
        )


def test_a_collection_question_is_wrong_only_over_passages_without_its_evidence() -> None:
    shelved = COLLECTIONS[:3]
    sentences = {
        question["q"].lower().rstrip("? "): [e["s"] for e in question["e"]]
        for collection in shelved
        for question in collection.questions
        if "e" in question
    }
    tempting = {
        question["q"]: question["near"]["s"]
        for collection in shelved
        for question in collection.questions
        if question.get("near")
    }
    groups = written.collection_groups(shelved, random.Random(1), 0)
    assert len(groups) > 100
    for right, *wrongs in groups:
        shown = [right.passage[start:end] for start, end in right.evidence]
        evidence = sentences[right.question.lower().rstrip("? ")]
        assert shown
        assert all(text in evidence for text in shown)
        assert all(right.passage[start:end].strip() for start, end in right.answers)
        for wrong in wrongs:
            if wrong.kind == "near miss":
                assert tempting[wrong.question] in wrong.passage
                assert wrong.question.lower().rstrip("? ") not in sentences
            else:
                assert not any(sentence in wrong.passage for sentence in evidence)


def test_what_is_kept_out_is_drawn_by_its_text_and_leaves_whole() -> None:
    out = written.kept_out(PARAGRAPHS, [])
    assert 90 < len(out) < 140
    assert {p.original for p in written.kept_out(PARAGRAPHS[::2], [])} < {p.original for p in out}
    held = Example("1", "squad", PARAGRAPHS[0].title, "another passage", "q", ())
    assert PARAGRAPHS[0] in written.kept_out(PARAGRAPHS, [held])
    assert sum(collection.kept_out for collection in COLLECTIONS) == len(material.KEPT_OUT_COLLECTIONS)
    kept, gone = pairs.written_pairs()
    assert not {pair.question for pair in kept} & {pair.question for pair in gone}
    assert len(kept) + len(gone) == 900


def test_lines_that_do_not_fit_their_text_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "affair"
    folder.mkdir()
    (folder / "a.txt").write_text("The pump failed.\n\nIt cost £5.", "utf-8")
    good = {
        "q": "what failed",
        "k": "what",
        "e": [{"d": "a.txt", "s": "The pump failed.", "a": ["The pump"]}],
    }
    misquoted = {"q": "cost?", "k": "what", "e": [{"d": "a.txt", "s": "It cost £6.", "a": ["£6"]}]}
    lines = [json.dumps(good), json.dumps(misquoted), '{"q": "torn']
    (folder / "questions.jsonl").write_text("\n".join(lines), "utf-8")
    row, n_bad = material._collection_row(folder)
    assert [question["q"] for question in row["questions"]] == ["what failed"]
    assert n_bad == 2
    material.write(tmp_path / "x.jsonl.gz", [row])
    material.write(tmp_path / "y.jsonl.gz", [row])
    assert material.read(tmp_path, "x") == [row]
    assert (tmp_path / "x.jsonl.gz").read_bytes() == (tmp_path / "y.jsonl.gz").read_bytes()


def test_paragraphs_written_since_are_added_with_their_flips_alone(tmp_path: Path) -> None:
    out, packs = tmp_path / "material", tmp_path / "packs"
    out.mkdir()
    packs.mkdir()
    there = {"source": "squad", "title": "Pumps", "original": "The pump failed.", "flip": "", "questions": []}
    material.write(out / "paragraphs.jsonl.gz", [there])
    pack = [
        {"p": 0, "title": "Mill", "context": "Ann Bell opened the mill.", "asked": [], "source": "written"},
        {"p": 1, "title": "Weir", "context": "The weir broke in May.", "asked": [], "source": "written"},
    ]
    questions = [
        {"p": 0, "q": "who opened it", "a": "Ann Bell"},
        {"p": 0, "q": "who paid for it", "t": "Ann Bell", "k": "other_role"},
        {"p": 0, "q": "who owned it", "t": "Bell Ltd", "k": "other_role"},
        {"p": 1, "q": "when did it break", "a": "May"},
    ]
    now = [{"q": "who paid for it", "a": "Ann Bell"}]
    flips = [{"p": 0, "text": "Ann Bell paid for the mill.", "now": now, "gone": ["who opened it"]}]
    for name, rows in (("packx", pack), ("outx", questions), ("flipsx", flips)):
        (packs / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    counts = material.add(tmp_path, packs, out)
    assert counts == {
        "lines left out": 1,  # "Bell Ltd" does not stand in its paragraph
        "paragraphs without a flip": 1,
        "added": 1,
        "paragraphs": 2,
        "questions added": 2,
    }
    mill = material.paragraphs(out)[1]
    assert (mill.source, mill.title, mill.flip) == ("written", "Mill", "Ann Bell paid for the mill.")
    assert [(asked.original, asked.flip) for asked in mill.asked] == [
        (((0, "Ann Bell"),), ()),
        ((), ((0, "Ann Bell"),)),
    ]
    assert material.add(tmp_path, packs, out) == counts  # twice is once


class Words:
    """A tokenizer that cuts at spaces."""

    class Encoding:
        def __init__(self, text: str) -> None:
            at, self.offsets = 0, []
            for word in text.split():
                at = text.index(word, at)
                self.offsets.append((at, at + len(word)))
                at += len(word)
            self.ids = list(range(1000, 1000 + len(self.offsets)))

    def encode(self, text: str, add_special_tokens: bool) -> Words.Encoding:
        return self.Encoding(text)

    def encode_batch(self, texts: list[str], add_special_tokens: bool) -> list[Words.Encoding]:
        return [self.Encoding(text) for text in texts]


def test_the_tokens_to_be_shown_are_those_of_the_evidence() -> None:
    row = Row(0, "flip", "right", 1, "why", "Title . ", "It rained. We left. Late.", ((0, 2),), ((11, 19),))
    encoded = encode_rows([row], Words())[0]
    assert list(encoded.evidence) == [encoded.first + 2, encoded.first + 3]


def test_a_pass_over_the_pairs_takes_each_once_and_a_batch_is_always_the_same() -> None:
    def pair(i: int) -> pairs.Pair:
        return pairs.Pair(f"word{i} " * (i + 1), ("", ""), ("a", "b"), PAIR_LABELS[i % 3])

    written_ones = [pair(i) for i in range(12)]
    course = pairs.PairCourse(written_ones, [], Words(), 4, seed=1)
    lengths = [len(row.ids) for n in range(3) for row in course.batch(n)]
    assert sorted(lengths) == [i + 7 for i in range(12)]
    assert course.batch(5) == course.batch(5)


def test_frozen_layers_keep_their_weights_and_the_first_opinion_its_own() -> None:
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel

    from rag.training.model import Reader
    from rag.training.train import Trainer

    torch.manual_seed(1)
    shape = BertConfig(
        vocab_size=1100,
        hidden_size=16,
        num_hidden_layers=6,
        num_attention_heads=2,
        intermediate_size=32,
    )
    network = Reader(BertModel(shape, add_pooling_layer=False), frozen_layers=4)
    trainer = Trainer(network, lr=0.01)
    before = {name: tensor.clone() for name, tensor in trainer.weights().items()}
    rows = encode_rows(
        [
            Row(0, "flip", "right", 1, "why", "", "It rained. We left.", ((0, 2),), ((0, 10),)),
            Row(0, "flip", "flip", 0, "why", "", "We left. It was late.", ()),
        ],
        Words(),
    )
    parts = trainer.learn(rows, learning_rate(0.05, 0.01))
    assert set(parts) == {"list", "row", "span", "evidence", "loss", "norm"}
    asked = pairs.encode_pairs([pairs.Pair("why", ("", ""), ("a b", "c"), "same")], Words())
    assert trainer.learn_pairs(asked, 0.01)["pair"] == pytest.approx(1.1, abs=0.3)
    changed = {name for name, tensor in trainer.weights().items() if not torch.equal(tensor, before[name])}
    frozen = {name for name in before if name.startswith(("embeddings.", "early."))}
    frozen |= {name for name in before if name.startswith(tuple(f"encoder.layer.{i}." for i in range(4)))}
    assert changed == set(before) - frozen
    outputs = network(torch.tensor([[101, 1000, 102]]), torch.zeros(1, 3, dtype=torch.long), torch.ones(1, 3))
    assert [tuple(output.shape) for output in outputs] == [(1,), (1, 3, 2), (1,), (1, 3)]

"""The field's formats in and out, each by a file made here in its published shape."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small import SmallAssistant

from eval.questions import load_questions
from eval.questions.gold import Library
from eval.questions.importers import import_beir, import_squad
from eval.reports.exporters import export, qrels, squad_predictions, trec_run
from eval.runs import open_run
from eval.runs.runner import run
from eval.scoring.saved import finish
from rag.errors import UsageError

PARAGRAPH = "The Normans came from Normandy. They spoke Old French, and so did their dukes."
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Normans",
            "paragraphs": [
                {
                    "context": PARAGRAPH,
                    "qas": [
                        {
                            "id": "s1",
                            "question": "What did they speak?",
                            "answers": [
                                {"text": "Old French", "answer_start": PARAGRAPH.index("Old")},
                                {"text": "French", "answer_start": PARAGRAPH.index("French")},
                            ],
                            "is_impossible": False,
                        },
                        {"id": "s2", "question": "Who beat them?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(SQUAD))
    return path


def test_squad_becomes_a_document_a_paragraph_and_a_quote_a_question(squad: Path, tmp_path: Path) -> None:
    assert import_squad([squad], tmp_path / "set") == (1, 2)
    (document,) = (tmp_path / "set" / "corpus").iterdir()
    assert document.read_bytes().decode() == PARAGRAPH
    first, second = load_questions([tmp_path / "set" / "questions.jsonl"])
    assert first.answers == ("Old French", "French")
    (place,) = first.evidence[0].any_of
    assert place.quote == "They spoke Old French, and so did their dukes."
    assert place.document == document.name
    assert not second.answerable


def test_rows_of_json_lines_give_the_same_set(squad: Path, tmp_path: Path) -> None:
    rows = [
        {
            "id": qa["id"],
            "title": "Normans",
            "context": PARAGRAPH,
            "question": qa["question"],
            "answers": [{"text": a["text"], "start": a["answer_start"]} for a in qa["answers"]],
            "impossible": qa["is_impossible"],
        }
        for qa in SQUAD["data"][0]["paragraphs"][0]["qas"]  # type: ignore[index]
    ]
    zipped = tmp_path / "dev.jsonl.gz"
    zipped.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    import_squad([squad], tmp_path / "one")
    import_squad([zipped], tmp_path / "two")
    assert (tmp_path / "one" / "questions.jsonl").read_bytes() == (
        tmp_path / "two" / "questions.jsonl"
    ).read_bytes()


def test_an_import_never_mixes_with_another(squad: Path, tmp_path: Path) -> None:
    import_squad([squad], tmp_path / "set")
    with pytest.raises(UsageError, match="holds an import already"):
        import_squad([squad], tmp_path / "set")


def test_what_is_not_squad_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[]")
    with pytest.raises(UsageError, match="not SQuAD"):
        import_squad([path], tmp_path / "set")


def beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d 1", "title": "Roofs", "text": "The roof leaked in winter."}\n'
        '{"_id": "d2", "title": "", "text": "The board met on Tuesday."}\n'
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "1", "text": "roof leaked"}\n{"_id": "2", "text": "unjudged"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n1\td 1\t2\n1\td2\t0\n".replace("d 1", "d1x")
    )
    return folder


def test_a_beir_folder_becomes_documents_and_graded_pieces(tmp_path: Path) -> None:
    source = beir(tmp_path / "beir")
    (source / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td2\t2\n")
    assert import_beir(source, tmp_path / "set") == (2, 1)
    assert (tmp_path / "set" / "corpus" / "d%201.txt").read_text() == "Roofs\n\nThe roof leaked in winter."
    (question,) = load_questions([tmp_path / "set" / "questions.jsonl"])
    assert question.evidence[0].relevance == 2
    assert question.evidence[0].any_of[0].whole


def test_trec_judgements_of_four_columns_are_read_too(tmp_path: Path) -> None:
    source = beir(tmp_path / "trec")
    (source / "qrels" / "test.tsv").unlink()
    (source / "qrels.txt").write_text("1 0 d2 1\n2 0 d2 0\n")
    assert import_beir(source, tmp_path / "set")[1] == 1


def test_an_imported_collection_scores_as_ir_measures_scores_its_export(tmp_path: Path) -> None:
    import ir_measures

    source = beir(tmp_path / "beir")
    (source / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td2\t1\n")
    import_beir(source, tmp_path / "set")
    folder = tmp_path / "run"
    questions = load_questions([tmp_path / "set" / "questions.jsonl"])
    run(SmallAssistant(tmp_path / "set" / "corpus"), questions, folder, info={})
    scores, _ = finish(open_run(folder))
    files = export(open_run(folder), tmp_path / "out", ["trec-run", "qrels"])
    assert [path.name for path in files] == ["run.trec", "qrels.txt"]
    theirs = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10, ir_measures.RR @ 10],
        ir_measures.read_trec_qrels(str(files[1])),
        ir_measures.read_trec_run(str(files[0])),
    )
    assert scores["1"]["ndcg@10"] == pytest.approx(theirs[ir_measures.nDCG @ 10])
    assert scores["1"]["rr@10"] == pytest.approx(theirs[ir_measures.RR @ 10])
    assert "1 0 d2 1\n" in qrels(open_run(folder))


def test_a_trec_run_names_each_document_once_best_first(make_run: Callable[..., Path]) -> None:
    lines = [line.split() for line in trec_run(open_run(make_run("one"))).splitlines()]
    assert all(len(line) == 6 for line in lines)
    for question_id in {line[0] for line in lines}:
        mine = [line for line in lines if line[0] == question_id]
        assert [int(line[3]) for line in mine] == list(range(1, len(mine) + 1))
        assert len({line[2] for line in mine}) == len(mine)
        values = [float(line[4]) for line in mine]
        assert values == sorted(values, reverse=True)


def test_squad_predictions_hold_every_question(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run("one"))
    answers, unsure = (json.loads(text) for text in squad_predictions(run))
    assert set(answers) == set(unsure) == {f"q{i}" for i in range(1, 8)}
    assert answers["q4"] == ""
    assert unsure == {row["id"]: pytest.approx(1 - row["confidence"], abs=1e-6) for row in run.rows}
    assert unsure["q4"] > unsure["q1"]


def test_imported_evidence_stands_in_its_documents(squad: Path, tmp_path: Path) -> None:
    from small import SmallStore

    import_squad([squad], tmp_path / "set")
    library = Library(SmallStore(tmp_path / "set" / "corpus").documents())
    for question in load_questions([tmp_path / "set" / "questions.jsonl"]):
        for ranges, missing in library.pieces(question):
            assert ranges
            assert not missing

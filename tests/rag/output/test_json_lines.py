"""Answers as JSON: held to the schema that ships with the package, and safe to print."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import hand_made
import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.output.json_lines import schema, search_to_json, to_json
from rag.records import Answer, Freshness
from rag.text.sinks import json_line

PATHS = {key: document.path for key, document in hand_made.DOCUMENTS.items()}
ANSWERS = [hand_made.answered, hand_made.weak, hand_made.abstained]


@pytest.mark.parametrize("name", ["answer", "search", "verify", "diff"])
def test_each_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("make", ANSWERS)
def test_an_answer_holds_to_its_schema(make: Callable[[], Answer]) -> None:
    jsonschema.validate(json.loads(json_line(to_json(make(), PATHS.__getitem__))), schema("answer"))


def test_an_answer_has_the_documented_keys() -> None:
    found = to_json(hand_made.answered(), PATHS.__getitem__)
    assert list(found) == [
        "question",
        "status",
        "confidence",
        "reason",
        "answer",
        "spans",
        "citations",
        "hits",
        "notices",
        "disagreements",
        "timings_ms",
        "store",
    ]
    assert found["answer"] == "voted to decommission the trust"
    assert found["timings_ms"] == {"encode": 3.14, "total": 40.0}
    assert found["hits"][0]["scores"] == {"reader": 2.5, "dense": 0.71, "bm25": 4.25}
    assert found["hits"][0]["ranks"] == {"dense": 1, "bm25": 2, "reader": 1}
    assert found["citations"][0]["also_in"][0]["page"] == 1


def test_words_that_count_from_the_document_s_date_come_with_what_they_come_to() -> None:
    answer = hand_made.answered()
    (citation, *_), quote = (
        answer.citations,
        "It rose **last\nOctober**, and will next month, as it had in the last year.",
    )
    made = hand_made.quoting(citation, quote)
    found = to_json(replace(answer, citations=(made,), disagreements=()), PATHS.__getitem__)
    jsonschema.validate(found, schema("answer"))
    assert found["citations"][0]["relative_dates"] == [
        {"text": "last October", "date": "2016-10"},
        {"text": "next month", "date": "2017-04"},
    ]
    undated = replace(answer, citations=(replace(made, date=None),), disagreements=())
    assert to_json(undated, PATHS.__getitem__)["citations"][0]["relative_dates"] == []


def test_spans_and_citations_count_characters_of_the_document() -> None:
    found = to_json(hand_made.answered(), PATHS.__getitem__)
    texts = {document.path: document.text for document in hand_made.DOCUMENTS.values()}
    for span in found["spans"]:
        assert texts[span["document"]][span["start"] : span["end"]] == span["text"]
    for citation in found["citations"]:
        assert texts[citation["document"]][citation["start"] : citation["end"]] == citation["quote"]
    for hit in found["hits"]:
        assert texts[hit["document"]][hit["start"] : hit["end"]] == hit["text"]


def test_the_schema_refuses_an_abstention_with_a_citation() -> None:
    found = to_json(hand_made.answered(), PATHS.__getitem__) | {"status": "abstained", "reason": "none"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema("answer"))


@pytest.mark.parametrize("fresh", list(Freshness))
def test_freshness_is_told(fresh: Freshness) -> None:
    found = to_json(hand_made.answered(fresh), PATHS.__getitem__)
    assert found["citations"][0]["freshness"] == str(fresh)


def test_a_search_holds_to_its_schema() -> None:
    found = search_to_json("trust", hand_made.HITS, PATHS.__getitem__, hand_made.STORE)
    jsonschema.validate(json.loads(json_line(found)), schema("search"))


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_json_says_the_same_and_holds_nothing_a_terminal_acts_on(text: str) -> None:
    # JSON cannot tell a pair of half surrogates from the character they make; no decoder leaves such a pair
    assume(text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == text)
    line = json_line({"quote": text})
    assert json.loads(line) == {"quote": text}
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.bidirectional(c) in BIDI for c in line)


BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}

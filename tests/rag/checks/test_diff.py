"""What became of saved answers, and why: real generations, answers made by hand from their documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from support import run, settings, write_corpus

from rag.checks.diff import Became, Cause, Compared, Comparison, changed_documents, given, read_saved
from rag.citations import cite
from rag.errors import UsageError
from rag.output.json_lines import schema, to_json
from rag.records import Answer, Document, Freshness, Passage, Span, Status
from rag.store import Store

CHAIR = "The panel was chaired by Alan Crossfield."
CHAIR_NOW = "The panel was chaired by Jane Doe."
POSTS = "Tom Hebden reported 24 vacant posts."
BRIDGE = "The bridge was closed in May 2019."
FERRY = "The ferry ran every hour until dusk."
STAYS = "The library keeps the letters of 2014."
LAST = "It was painted green in the year after."
NEW = "A harbour was built in the north."
THEN = {
    "letter.txt": f"{CHAIR}\n\nIt read forty plans.",
    "minutes.txt": f"{POSTS}\n\nThe board noted it.",
    "bridge.txt": BRIDGE,
    "ferry.txt": FERRY,
    "stays.txt": f"{STAYS}\n\n{LAST}",
}
NOW = {
    "letter.txt": f"{CHAIR_NOW}\n\nIt read forty plans.",
    "minutes.txt": f"A paragraph was put in.\n\n{POSTS}\n\nThe board noted it.",
    "bridge.txt": None,
    "ferry.txt": None,
    "boats.txt": FERRY,
    "new.txt": NEW,
}
Q = "what of it?"


class Two:
    """A store that was tagged v1 and changed since, opened at both."""

    def __init__(self, then: Store, now: Store, corpus: Path) -> None:
        self.then, self.now, self.corpus = then, now, corpus

    def compare(
        self, saved: Answer, now: Answer, then: Answer | None = None, generation: int = 1
    ) -> Compared:
        """The saved answer compared; asked of then again it is the same, unless told otherwise."""
        (read,), _ = read_saved([line(saved, generation)], "answers")
        return Comparison(self.then, self.now, lambda _: then or saved, lambda _: now).compare(read)

    def paths(self, compared: Compared) -> list[tuple[str, str | None]]:
        return [(str(one.cause), one.document and Path(one.document).name) for one in compared.why]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    corpus, store = write_corpus(folder / "corpus", THEN), folder / "store"
    run([corpus], store, tag="v1")
    write_corpus(corpus, NOW)
    run([corpus], store)
    with ExitStack() as stack:
        then = stack.enter_context(Store.open(store, at="v1"))
        yield Two(then, stack.enter_context(Store.open(store)), corpus)


def document(store: Store, name: str) -> Document:
    return next(one for one in store.documents() if Path(one.path).name == name)


def answer(store: Store, *cited: tuple[str, str], status: Status = Status.ANSWERED) -> Answer:
    """An answer that cites these words of these files; none of them: abstained."""
    if not cited:
        return Answer(Q, Status.ABSTAINED, 0.1, "The documents do not speak of this.")
    citations, spans = [], []
    for name, words in cited:
        source = document(store, name)
        start, n = source.text.index(words), len(words)
        passage = Passage(source.id, start, start + n, words, None)
        citations.append(cite(source, passage, (0, n), [(0, n)], score=1.0, fresh=Freshness.UNCHANGED))
        spans.append(Span(passage, 0, n, 1.0))
    reason = None if status is Status.ANSWERED else "No passage states it."
    return Answer(Q, status, 0.9, reason, tuple(spans), tuple(citations))


def line(saved: Answer, generation: int = 1) -> str:
    told = to_json(replace(saved, store={"generation": generation, "encoder": "words"}), str)
    return json.dumps(told)


def test_documents_are_told_edited_new_removed_and_renamed(two: Two) -> None:
    changes = changed_documents(two.then, two.now)
    assert [(Path(one.path).name, str(one.became), one.was and Path(one.was).name) for one in changes] == [
        ("boats.txt", "renamed", "ferry.txt"),
        ("bridge.txt", "removed", None),
        ("letter.txt", "edited", None),
        ("minutes.txt", "edited", None),
        ("new.txt", "new", None),
    ]
    assert changed_documents(two.now, two.now) == []
    for one in changes:
        jsonschema.validate(one.to_json(), schema("diff"))


CASES = {
    "same": ([("stays.txt", STAYS)], [("stays.txt", STAYS)], Became.SAME, []),
    "nothing found, then and now": ([], [], Became.SAME, []),
    "other words in the place": (
        [("letter.txt", CHAIR)],
        [("letter.txt", CHAIR_NOW)],
        Became.WORDS,
        [("edited", "letter.txt")],
    ),
    "moved within its document": (
        [("minutes.txt", POSTS)],
        [("minutes.txt", POSTS)],
        Became.MOVED,
        [("edited", "minutes.txt")],
    ),
    "moved with its document": (
        [("ferry.txt", FERRY)],
        [("boats.txt", FERRY)],
        Became.MOVED,
        [("renamed", "boats.txt")],
    ),
    "removed, so another comes first": (
        [("bridge.txt", BRIDGE)],
        [("stays.txt", STAYS)],
        Became.OTHER,
        [("removed", "bridge.txt")],
    ),
    "a new document comes first": (
        [("stays.txt", STAYS)],
        [("new.txt", NEW)],
        Became.OTHER,
        [("new", "new.txt")],
    ),
    "removed, and a new document in its place": (
        [("bridge.txt", BRIDGE)],
        [("new.txt", NEW)],
        Became.OTHER,
        [("removed", "bridge.txt"), ("new", "new.txt")],
    ),
    "edited elsewhere, another document first": (
        [("stays.txt", STAYS)],
        [("letter.txt", CHAIR_NOW)],
        Became.OTHER,
        [("edited", "letter.txt")],
    ),
    "another place of the same document": (
        [("stays.txt", STAYS)],
        [("stays.txt", LAST)],
        Became.OTHER,
        [("corpus", None)],
    ),
    "no longer answered": ([("bridge.txt", BRIDGE)], [], Became.STATUS, [("removed", "bridge.txt")]),
    "answered only now": ([], [("new.txt", NEW)], Became.STATUS, [("new", "new.txt")]),
    "further evidence": (
        [("stays.txt", STAYS)],
        [("stays.txt", STAYS), ("new.txt", NEW)],
        Became.FURTHER,
        [("corpus", None)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_became_of_an_answer_and_why(case: str, two: Two) -> None:
    then, now, became, why = CASES[case]
    compared = two.compare(answer(two.then, *then), answer(two.now, *now))
    assert compared.became is became
    assert two.paths(compared) == why
    jsonschema.validate(compared.to_json(), schema("diff"))


def test_the_words_of_then_and_now_are_told_apart(two: Two) -> None:
    compared = two.compare(
        answer(two.then, ("letter.txt", CHAIR)), answer(two.now, ("letter.txt", CHAIR_NOW))
    )
    assert compared.changes == (
        ("same", "The panel was chaired by"),
        ("gone", "Alan Crossfield."),
        ("new", "Jane Doe."),
    )
    assert [reason.detail for reason in compared.why] == ["letter.txt was edited; these words were changed"]


def test_an_answer_weaker_now_is_told_by_its_status_even_where_its_words_stand(two: Two) -> None:
    before = answer(two.then, ("stays.txt", STAYS))
    now = answer(two.now, ("stays.txt", STAYS), status=Status.WEAK)
    compared = two.compare(before, now)
    assert (compared.before.status, compared.now.status) == (Status.ANSWERED, Status.WEAK)
    assert compared.became is Became.STATUS
    assert [reason.cause for reason in compared.why] == [Cause.CORPUS]


def test_what_the_documents_of_then_already_answer_otherwise_is_not_their_doing(two: Two) -> None:
    saved, now = answer(two.then, ("stays.txt", STAYS)), answer(two.now, ("stays.txt", LAST))
    compared = two.compare(saved, now, then=answer(two.then, ("stays.txt", LAST)))
    assert compared.became is Became.OTHER
    (reason,) = compared.why
    assert reason.cause is Cause.SETTINGS
    assert reason.detail.endswith("settings, filters or weights are others")
    (reason,) = two.compare(saved, now, then=answer(two.then, ("stays.txt", LAST)), generation=7).why
    assert reason.detail.endswith("(that was of generation 7, the tag keeps 1)")


def test_both_causes_are_told_where_both_play_a_part(two: Two) -> None:
    compared = two.compare(
        answer(two.then, ("stays.txt", STAYS)),
        answer(two.now, ("new.txt", NEW)),
        then=answer(two.then, ("stays.txt", LAST)),
    )
    assert two.paths(compared) == [("settings", None), ("new", "new.txt")]


def test_where_no_document_changed_the_index_is_named(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", THEN), tmp_path / "store"
    run([corpus], store, tag="v1")
    run([corpus], store, settings=settings(store, max_words=120), rebuild=True)
    with Store.open(store, at="v1") as then, Store.open(store) as now:
        both = Two(then, now, corpus)
        compared = both.compare(answer(then, ("stays.txt", STAYS)), answer(now, ("stays.txt", LAST)))
    (reason,) = compared.why
    assert reason.cause is Cause.INDEX
    assert reason.detail == (
        "no document has changed; the index was made with other settings: passages.max_words"
    )


def test_the_documents_of_then_are_asked_only_where_the_answer_is_another(two: Two) -> None:
    asked: list[str] = []
    same = answer(two.now, ("stays.txt", STAYS))

    def ask_then(question: str) -> Answer:
        asked.append(question)
        return same

    comparison = Comparison(two.then, two.now, ask_then, lambda _: same)
    assert comparison.compare(given(same)).became is Became.SAME
    assert asked == []


def test_a_saved_answer_is_read_with_its_line_and_id(two: Two) -> None:
    written = line(answer(two.then, ("stays.txt", STAYS)))
    with_id = json.dumps(json.loads(written) | {"id": {"n": 1}})
    failed = '{"line": 2, "question": null, "status": "error", "error": "e", "hint": "h"}'
    saved, errors = read_saved([written, failed, "", with_id], "answers")
    assert [(one.line, one.id, one.generation) for one in saved] == [(1, None, 1), (4, {"n": 1}, 1)]
    assert errors == [2]
    assert saved[0].first is not None
    assert (saved[0].first.line, saved[0].first.cited.quote) == (1, STAYS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": ""}, "expected text under 'question'"),
        ({"question": 7}, "expected text under 'question'"),
        ({"status": "maybe"}, "'maybe' is not a valid Status"),
        ({"confidence": "high"}, "expected a number under 'confidence'"),
        ({"citations": None}, "expected a list of objects under 'citations'"),
        ({"citations": [{"quote": "x"}]}, "no 'document'"),
    ],
)
def test_a_line_that_is_no_answer_is_named(change: dict[str, object], said: str, two: Two) -> None:
    given_line = json.loads(line(answer(two.then, ("stays.txt", STAYS)))) | change
    with pytest.raises(UsageError, match=r"answers:1: ") as caught:
        read_saved([json.dumps(given_line)], "answers")
    assert said in caught.value.message


def test_a_quotation_changed_since_is_refused(two: Two) -> None:
    written = line(answer(two.then, ("letter.txt", CHAIR))).replace("Alan", "Evan")
    with pytest.raises(UsageError, match="a quote does not match its own checksum"):
        read_saved([written], "answers")

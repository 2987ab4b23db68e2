"""Groups of rows from the material written for this project: flips, near misses, small collections.

A flip group is one question over the version of a paragraph that answers it and over the version that does
not, both ways about, so that neither the question nor the paragraph gives the label away. A collection group
is a question over a passage that answers it, over passages of the same collection that are most like it and
do not, and often a question that nothing answers over the passage that tempts. Passages and headers are
those the assistant would read.
"""

import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.training.data import Pools, Row, evidence_of, header, nearest, some_date, typed
from rag.training.material import Answers, Collection, Paragraph
from rag.training.sources import Example
from rag.training.windows import LONG_WORDS, contains, n_words

THIRD_SHARE = 0.35  # of the flip groups have a third row, a passage mined elsewhere
CONTRAST_SHARE = (
    0.3  # of the near misses that neither version answers: they can be told by their manner alone
)
LONGER_SHARE = 0.2  # of the flip groups stand beside a paragraph of the same document
MERGED_SHARE = (
    0.5  # of a collection's passages are read with the next one, as long as those of real documents
)
MERGED_WORDS = 200
DRAWS = 3  # groups of each question of a collection: other evidence, other wrong passages
NEAR_SHARE = 0.5  # of the collection groups have a question that nothing answers, over what tempts
N_LIKE = 8  # passages most like a question, of which two are drawn

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A passage of a collection as it would be read: (start, end) of a document's text, under its header."""

    document: str
    start: int
    end: int
    text: str
    header: str


def spans(answers: Answers) -> Spans:
    """(start, end) of each answer.

    >>> spans(((4, "York"),))
    ((4, 8),)
    """
    return tuple((start, start + len(text)) for start, text in answers)


def flip_rows(paragraph: Paragraph) -> list[tuple[str, str, Answers, str]]:
    """(question, the version that answers, its answers there, the version that does not) of a paragraph."""
    rows = []
    for asked in paragraph.asked:
        if asked.flip is None or not paragraph.flip:
            continue
        if asked.original and not asked.flip:
            rows.append((asked.question, paragraph.original, asked.original, paragraph.flip))
        if asked.flip and not asked.original:
            rows.append((asked.question, paragraph.flip, asked.flip, paragraph.original))
    return rows


def kept_out(paragraphs: Sequence[Paragraph], held: Sequence[Example]) -> list[Paragraph]:
    """The paragraphs not to be trained on: drawn by their hash, or of a document that is held out."""
    titles = {example.title for example in held if example.title}
    texts = {example.passage for example in held}
    return [p for p in paragraphs if p.kept_out or p.title in titles or p.original in texts]


def flip_groups(
    paragraphs: Sequence[Paragraph], pools: Pools, rng: random.Random, numbered_from: int
) -> list[list[Row]]:
    """A group for each question that one version answers and the other does not; a few of near misses."""
    mined = _mined(paragraphs, pools)
    groups: list[list[Row]] = []
    for paragraph in paragraphs:
        for question, right, answers, wrong in flip_rows(paragraph):
            before, after = _beside(paragraph, pools, rng)
            top = _header(paragraph.title, rng)
            asked = typed(question, rng.random() < 0.15, rng.random() < 0.5)
            number = numbered_from + len(groups)
            shifted = tuple((start + len(before), end + len(before)) for start, end in spans(answers))
            text = before + right + after
            shown = evidence_of(text, shifted)
            group = [
                Row(number, "flip", "right", 1, asked, top, text, shifted, shown),
                Row(number, "flip", "flip", 0, asked, top, before + wrong + after, ()),
            ]
            elsewhere = [
                text
                for text in mined.get((paragraph.source, question), ())
                if text != paragraph.original and not contains(text, [answer for _, answer in answers])
            ]
            if elsewhere and rng.random() < THIRD_SHARE:
                other = rng.choice(elsewhere)
                title = _header(pools.title(paragraph.source, other), rng) if top else ""
                group.append(Row(number, "flip", "mined", 0, asked, title, other, ()))
            groups.append(group)
        groups += _contrast_groups(paragraph, rng, numbered_from + len(groups))
    return groups


def _contrast_groups(paragraph: Paragraph, rng: random.Random, numbered_from: int) -> list[list[Row]]:
    """Near misses that neither version answers, each beside a question that the same version does."""
    groups: list[list[Row]] = []
    for missing in paragraph.asked:
        if missing.original or missing.flip or rng.random() >= CONTRAST_SHARE:
            continue
        flipped = bool(paragraph.flip) and rng.random() < 0.5
        text = paragraph.flip if flipped else paragraph.original
        answered = [
            (asked.question, found)
            for asked in paragraph.asked
            if (found := asked.flip if flipped else asked.original)
        ]
        if not answered:
            continue
        question, answers = rng.choice(answered)
        top = _header(paragraph.title, rng)
        number = numbered_from + len(groups)
        shown = evidence_of(text, spans(answers))
        groups.append(
            [
                Row(number, "contrast", "right", 1, question, top, text, spans(answers), shown),
                Row(number, "contrast", "near miss", 0, missing.question, top, text, ()),
            ]
        )
    return groups


def _mined(paragraphs: Sequence[Paragraph], pools: Pools) -> dict[tuple[str, str], list[str]]:
    """{(source, question): the ten passages of the source that BM25 ranks first}."""
    questions: dict[str, list[str]] = defaultdict(list)
    for paragraph in paragraphs:
        questions[paragraph.source] += [asked.question for asked in paragraph.asked]
    found: dict[tuple[str, str], list[str]] = {}
    for source, asked in questions.items():
        passages = pools.passages.get(source)
        if passages:
            for question, ranked in zip(asked, nearest(passages, asked, 10), strict=True):
                found[source, question] = [passages[i] for i in ranked]
    return found


def _header(title: str, rng: random.Random) -> str:
    return header(title if rng.random() < 0.6 else "", some_date(rng) if rng.random() < 0.3 else "")


def _beside(paragraph: Paragraph, pools: Pools, rng: random.Random) -> tuple[str, str]:
    """What stands before and after both versions: mostly nothing, else a paragraph of the same document."""
    if rng.random() >= LONGER_SHARE or not paragraph.title:
        return "", ""
    longest = LONG_WORDS + 10 - max(n_words(paragraph.original), n_words(paragraph.flip))
    others = [
        text
        for text in pools.by_title.get((paragraph.source, paragraph.title), ())
        if text != paragraph.original and n_words(text) <= longest
    ]
    if not others:
        return "", ""
    other = rng.choice(others)
    return (other + "\n\n", "") if rng.random() < 0.5 else ("", "\n\n" + other)


class Shelf:
    """A collection's documents, loaded and split as the assistant does it."""

    def __init__(self, collection: Collection) -> None:
        from rag.loaders import load
        from rag.passages import split
        from rag.passages.header import passage_header
        from rag.settings import PassageSettings

        self.texts: dict[str, str] = {}
        self.places: list[Place] = []
        with tempfile.TemporaryDirectory() as folder:
            for name, text in sorted(collection.documents.items()):
                path = Path(folder) / name
                path.write_text(text, "utf-8")
                document = load(path)
                self.texts[name] = document.text
                for passage in split(document, PassageSettings()):
                    if passage.boilerplate is None:
                        top = passage_header(document, passage)
                        self.places.append(Place(name, passage.start, passage.end, passage.text, top))

    def merged(self, i: int, rng: random.Random) -> Place:
        """The i-th place, sometimes with its neighbour in the document, up to MERGED_WORDS."""
        place = self.places[i]
        if rng.random() >= MERGED_SHARE:
            return place
        first, last = (i, i + 1) if rng.random() < 0.5 else (i - 1, i)
        if first < 0 or last >= len(self.places):
            return place
        a, b = self.places[first], self.places[last]
        if a.document != b.document or b.start < a.end:
            return place
        text = self.texts[a.document][a.start : b.end]
        return Place(a.document, a.start, b.end, text, a.header) if n_words(text) <= MERGED_WORDS else place

    def holding(self, document: str, sentence: str) -> tuple[int, int, int] | None:
        """(place, start and end of the sentence in the document), or None where no one place holds it."""
        start = self.texts.get(document, "").find(sentence)
        end = start + len(sentence)
        for i, place in enumerate(self.places):
            if start >= 0 and place.document == document and place.start <= start and end <= place.end:
                return i, start, end
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a question of a collection is answered: a place, the sentence, and the answering words in it."""

    place: int
    start: int
    end: int
    answers: Spans


def evidence_in(question: Any, shelf: Shelf) -> list[Evidence]:
    """Every place that answers the question, or part of it, with (start, end) in the document's text."""
    found = []
    for entry in question.get("e", ()):
        held = shelf.holding(entry["d"], entry["s"])
        if held is None:
            continue
        i, start, end = held
        words = tuple((start + (at := entry["s"].find(a)), start + at + len(a)) for a in entry.get("a", ()))
        found.append(Evidence(i, start, end, words))
    return found


def collection_groups(
    collections: Sequence[Collection], rng: random.Random, numbered_from: int
) -> list[list[Row]]:
    """DRAWS groups for every question that a collection answers."""
    groups: list[list[Row]] = []
    for collection in collections:
        shelf = Shelf(collection)
        answered = [(q, found) for q in collection.questions if "e" in q and (found := evidence_in(q, shelf))]
        missing: dict[int, list[str]] = defaultdict(list)  # by the place that tempts
        for question in collection.questions:
            near = question.get("near")
            held = shelf.holding(near["d"], near["s"]) if near else None
            if held:
                missing[held[0]].append(question["q"])
        ranked = nearest(
            [f"{p.header} {p.text}" for p in shelf.places], [q["q"] for q, _ in answered], N_LIKE + 8
        )
        for (question, found), like in zip(answered, ranked, strict=True):
            for _ in range(DRAWS):
                number = numbered_from + len(groups)
                group = _collection_group(number, question["q"], found, shelf, like, missing, rng)
                if len(group) > 1:
                    groups.append(group)
    return groups


def _collection_group(
    number: int,
    question: str,
    found: Sequence[Evidence],
    shelf: Shelf,
    like: Sequence[int],
    missing: dict[int, list[str]],
    rng: random.Random,
) -> list[Row]:
    chosen = rng.choice(found)
    place = shelf.merged(chosen.place, rng)
    inside = [e for e in found if _within(e, shelf.places[e.place], place)]
    asked = typed(question, rng.random() < 0.15, rng.random() < 0.5)
    answers = tuple((a - place.start, b - place.start) for e in inside for a, b in e.answers)
    shown = tuple((e.start - place.start, e.end - place.start) for e in inside)
    group = [Row(number, "collection", "right", 1, asked, _top(place), place.text, answers, shown)]
    taken = {e.place for e in found}
    others = [i for i in like if i not in taken][:N_LIKE]
    for i in rng.sample(others, min(2, len(others))):
        other = shelf.merged(i, rng)
        if any(_within(e, shelf.places[e.place], other) for e in found):
            other = shelf.places[i]
        group.append(Row(number, "collection", "same collection", 0, asked, _top(other), other.text, ()))
    if missing and rng.random() < NEAR_SHARE:
        tempting = chosen.place if chosen.place in missing else rng.choice(list(missing))
        over = place if tempting == chosen.place else shelf.merged(tempting, rng)
        near = rng.choice(missing[tempting])
        group.append(Row(number, "collection", "near miss", 0, near, _top(over), over.text, ()))
    return group


def _top(place: Place) -> str:
    return f"{place.header} . " if place.header else ""


def _within(evidence: Evidence, home: Place, place: Place) -> bool:
    same = home.document == place.document
    return same and place.start <= evidence.start and evidence.end <= place.end


def condaqa_groups(rows: Sequence[Any], rng: random.Random, numbered_from: int) -> list[list[Row]]:
    """People's own flips: a question over the edit of a passage that answers it, and over one that does not.

    CondaQA (Ravichander et al. 2022): a negation was changed, and with it the answer. No words are marked.
    """
    by_question: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in rows:
        by_question[row["PassageID"], row["sentence2"]].append(row)
    groups: list[list[Row]] = []
    for versions in by_question.values():
        known = [row["sentence1"] for row in versions if row["label"] != "DON'T KNOW"]
        unknown = [row["sentence1"] for row in versions if row["label"] == "DON'T KNOW"]
        if known and unknown:
            question, number = versions[0]["sentence2"], numbered_from + len(groups)
            right, wrong = rng.choice(known), rng.choice(unknown)
            groups.append(
                [
                    Row(number, "condaqa", "right", 1, question, "", right, ()),
                    Row(number, "condaqa", "flip", 0, question, "", wrong, ()),
                ]
            )
    return groups

"""Does what a text quotes, counts and names stand in the documents? Each finding says what was compared.

A quotation is looked up in every document, word for word; one that stands nowhere is compared with the
passages that share most words with it. A figure or a name is looked up in the passages nearest to its
sentence, since a bare "31" stands somewhere in every library. That the passage and the sentence say the same
of it is not checked, and never claimed.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rag.checks.claims import LIST_NUMBER, Claim, ClaimKind, blank, claims_in, plain
from rag.citations import freshness, location
from rag.errors import UsageError
from rag.records import Freshness, Hit, Location, Passage, sha256_text
from rag.retrieval.term_weights import TermWeights
from rag.store import Store
from rag.text.english import ENGLISH
from rag.text.figures import Figure, Measure, figures_in
from rag.text.language import Language
from rag.text.names import name_spans, opens_sentence
from rag.text.sentences import sentences
from rag.text.terms import terms
from rag.text.typography import differences, folded
from rag.text.wordmatch import Word, WordMatcher, words

Search = Callable[[str], Sequence[Hit]]  # of a sentence: the passages nearest to it

MAX_CHARS = 2_000_000  # of a text: some 300,000 words; what is longer is better checked in parts
TELLING_WORDS = 4  # a shorter quotation ("good") stands in any library: its sentence's passages go first
N_NEAR = 8  # passages each of retriever and word search that a figure, name or changed quotation is held to
N_PLACES = 5  # told of words that stand in several places
N_TRIED = 200  # places of one quotation compared to the character; more are the same words again
ELIDED_CHARS = 4000  # between the parts of a quotation with an ellipsis: some two pages
MAX_NAME_WORDS = 12  # what is longer is a line of capitals
SAME_SHARE = 0.6  # of the words, in order: below that two sentences are two, not one with changes
UNIT_SHARE = 0.5  # of the words that say what is counted
SENTENCE_SHARE = 0.25  # by weight, of the other words of the sentence: where nothing says what is counted
SUBJECT_SHARE = 0.5  # likewise, before another figure is called the nearest one


class ClaimVerdict(StrEnum):
    """How a claim stands in the documents."""

    VERBATIM = "verbatim"
    TYPOGRAPHY = "typography"
    ELIDED = "elided"
    DIFFERS = "differs"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of a word diff: what the text has and what the document has; equal where both agree."""

    text: str
    document: str

    @property
    def same(self) -> bool:
        """Whether text and document agree here, typography aside."""
        return folded(self.text) == folded(self.document)


@dataclass(frozen=True, slots=True)
class Standing:
    """Words of a document: where they stand, the file's SHA-256 when indexed, and what it is now."""

    where: Location
    quote: str
    sha256: str
    fresh: Freshness
    title: str | None
    date: str | None


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """A claim with its verdict. ``compared`` says what it was held to, ``detail`` the verdict in words.

    ``found`` is where it stands, or the nearest words there are; ``diff`` leads from the text's words to
    those; ``also_in`` are further places, ``n_places`` how many there are in all.
    """

    claim: Claim
    verdict: ClaimVerdict
    compared: str
    detail: str
    found: Standing | None = None
    diff: tuple[Change, ...] = ()
    also_in: tuple[Location, ...] = ()
    n_places: int = 0

    @property
    def stands(self) -> bool:
        """Whether the claim stands. A name or phrase may stand anywhere; a figure means nothing alone."""
        if self.verdict is ClaimVerdict.ELSEWHERE:
            return self.claim.kind is not ClaimKind.FIGURE
        return self.verdict in (ClaimVerdict.VERBATIM, ClaimVerdict.TYPOGRAPHY, ClaimVerdict.ELIDED)

    def to_json(self) -> dict[str, Any]:
        """The check under its documented keys (``rag/schema/check.schema.json``)."""
        claim, found = self.claim, self.found
        return {
            "kind": str(claim.kind),
            "text": claim.words,
            "start": claim.start,
            "end": claim.end,
            "line": claim.line,
            "verdict": str(self.verdict),
            "stands": self.stands,
            "compared": self.compared,
            "detail": self.detail,
            "found": None
            if found is None
            else {
                **_place(found.where),
                "quote": found.quote,
                "quote_sha256": sha256_text(found.quote),
                "sha256": found.sha256,
                "freshness": str(found.fresh),
                "title": found.title,
                "date": found.date,
            },
            "diff": [{"same": one.same, "text": one.text, "document": one.document} for one in self.diff],
            "also_in": [_place(where) for where in self.also_in],
            "n_places": self.n_places,
        }


def _place(where: Location) -> dict[str, Any]:
    return {
        "document": where.document,
        "start": where.start,
        "end": where.end,
        "line": where.line,
        "page": where.page,
    }


def check_prose(
    text: str,
    store: Store,
    search: Search,
    *,
    kinds: Collection[ClaimKind] = frozenset(ClaimKind),
    language: Language = ENGLISH,
    max_chars: int = 1000,
) -> list[ClaimCheck]:
    """Every quotation, figure and name of a text with how it stands in the store, in the text's order.

    ``search`` gives the passages nearest to a sentence, which is cut to ``max_chars``. Raises UsageError
    where the text is too long.
    """
    if len(text) > MAX_CHARS:
        raise UsageError(
            f"the text has {len(text):,} characters, more than the {MAX_CHARS:,} that are checked at once",
            "check it in parts",
        )
    claims = [claim for claim in claims_in(text, language) if claim.kind in kinds]
    documents = _Documents(store, claims, text)
    nearby = _Nearby(store, search, language, max_chars)
    checkers = {
        ClaimKind.QUOTATION: lambda claim: _check_quotation(claim, documents, nearby),
        ClaimKind.FIGURE: lambda claim: _check_figure(claim, documents, nearby),
        ClaimKind.NAME: lambda claim: _check_name(claim, documents, nearby),
    }
    return [checkers[claim.kind](claim) for claim in claims if documents.is_claim(claim)]


# What was found where


@dataclass(frozen=True, slots=True)
class _Match:
    """Characters of a document in which the words of a quotation's part stand."""

    document: str
    start: int
    end: int


_ELLIPSIS = re.compile(r"\[[^\[\]]{0,200}\]|\(?(?:…|\.\s?\.\s?\.)\)?")


def _parts(claim: Claim) -> list[str]:
    """A quotation at its ellipses and at what the writer put in brackets.

    >>> from rag.checks.claims import claims_in
    >>> _parts(claims_in('"The council […] ended [it] in 2022"')[0])
    ['The council', 'ended', 'in 2022']
    """
    parts = [part.strip() for part in _ELLIPSIS.split(claim.words)]
    return [part for part in parts if words(part)] if claim.kind is ClaimKind.QUOTATION else [claim.words]


def _keys(text: str) -> tuple[str, ...]:
    return tuple(word.key for word in words(text))


class _Documents:
    """The whole store, read once: where the words of every quotation and name stand."""

    def __init__(self, store: Store, claims: Iterable[Claim], text: str) -> None:
        self._store = store
        looked_up = [claim for claim in claims if claim.kind is not ClaimKind.FIGURE]
        self._numbers: dict[tuple[str, ...], int] = {}
        for claim in looked_up:
            for said in (*_parts(claim), claim.words):
                self._numbers.setdefault(_keys(said), len(self._numbers))
        openers = {_keys(claim.words)[0] for claim in looked_up if claim.opener}
        self._matches: dict[int, list[_Match]] = {number: [] for number in self._numbers.values()}
        self._counts: Counter[int] = Counter()
        self._fresh: dict[str, Freshness] = {}
        small: set[str] = set()  # openers that stand somewhere without a capital: words, not names
        capital: set[str] = set()
        matcher = WordMatcher(self._numbers)
        every = [(document.id, document.text) for document in store.documents()]
        self.n_documents = len(every)
        for document_id, said in [*every, ("", text)]:
            found = words(said)
            for word in found:
                if word.key in openers:
                    if said[word.start].islower():
                        small.add(word.key)
                    elif not opens_sentence(said, word.start):
                        capital.add(word.key)
            if document_id:
                for number, first, last in matcher.find(found):
                    self._counts[number] += 1
                    if self._counts[number] <= N_TRIED:
                        place = _Match(document_id, found[first].start, found[last - 1].end)
                        self._matches[number].append(place)
        self._names = capital - small

    def is_claim(self, claim: Claim) -> bool:
        """Whether a single word that opens a sentence is a name wherever else it stands."""
        return not claim.opener or _keys(claim.words)[0] in self._names

    def of(self, said: str) -> list[_Match]:
        """The places of these words, by document and place; the first ``N_TRIED`` of them."""
        return self._matches[self._numbers[_keys(said)]]

    def count(self, said: str) -> int:
        """How many places there are in all."""
        return self._counts[self._numbers[_keys(said)]]

    def text(self, document_id: str) -> str:
        return self._store.document(document_id).text

    def standing(self, document_id: str, start: int, end: int) -> Standing:
        """The words there with what a reader needs to find and prove them."""
        document = self._store.document(document_id)
        if document_id not in self._fresh:
            self._fresh[document_id] = freshness(document.path, document.sha256)
        return Standing(
            location(document, start, end),
            document.text[start:end],
            document.sha256,
            self._fresh[document_id],
            document.title,
            document.date,
        )

    def also_in(self, matches: Sequence[_Match], but: _Match) -> tuple[Location, ...]:
        others = [match for match in matches[: N_PLACES + 1] if match != but][:N_PLACES]
        return tuple(location(self._store.document(one.document), one.start, one.end) for one in others)


@dataclass(slots=True)
class _Nearby:
    """The passages nearest to a sentence, by the retriever and by their words."""

    store: Store
    search: Search
    language: Language
    max_chars: int
    _cached: dict[str, list[Passage]] = field(default_factory=dict)
    _words: dict[tuple[str, int], list[Word]] = field(default_factory=dict)
    _figures: dict[tuple[str, int], list[tuple[Figure, tuple[int, int]]]] = field(default_factory=dict)

    def of(self, sentence: str) -> list[Passage]:
        """Those passages, each once, the retriever's first."""
        query = sentence[: self.max_chars].strip()
        if query not in self._cached:
            found = [hit.passage for hit in self.search(query)] if words(query) else []
            found += self.sharing(query)
            self._cached[query] = list({(one.document_id, one.start): one for one in found}.values())
        return self._cached[query]

    def sharing(self, said: str) -> list[Passage]:
        """The passages that share most words with a text (BM25)."""
        _, rows = self.store.lexical.search(said, N_NEAR)
        return self.store.passages([int(row) for row in rows])

    def words(self, passage: Passage) -> list[Word]:
        """The words of a passage."""
        key = (passage.document_id, passage.start)
        if key not in self._words:
            self._words[key] = words(passage.text)
        return self._words[key]

    def figures(self, passage: Passage) -> list[tuple[Figure, tuple[int, int]]]:
        """The figures of a passage, each with its sentence."""
        key = (passage.document_id, passage.start)
        if key not in self._figures:
            inside = sentences(passage.text, language=self.language)
            self._figures[key] = [
                (figure, next((pair for pair in inside if pair[0] <= figure.start < pair[1]), (0, 0)))
                for figure in figures_in(LIST_NUMBER.sub(blank, passage.text), self.language)
            ]
        return self._figures[key]

    def weights(self, sentence: str) -> tuple[TermWeights, Mapping[str, float]]:
        weights = TermWeights(
            lambda text: terms(text, self.language),
            self.store.lexical.document_frequency,
            self.store.lexical.n,
        )
        return weights, weights.of(sentence)


# Quotations

_EVERYWHERE = "word for word with the whole text of all {} documents"


def _check_quotation(claim: Claim, documents: _Documents, nearby: _Nearby) -> ClaimCheck:
    compared = _EVERYWHERE.format(documents.n_documents)
    if len(words(claim.words)) < TELLING_WORDS:
        return _check_phrase(claim, documents, nearby)
    matches = documents.of(claim.words)
    if matches:
        return _best(claim, matches, documents, compared)
    parts = _parts(claim)
    if len(parts) > 1 and (elided := _check_parts(claim, parts, documents, compared)):
        return elided
    return _nearest_words(claim, documents, nearby, compared)


def _check_phrase(claim: Claim, documents: _Documents, nearby: _Nearby) -> ClaimCheck:
    """A name or a short quotation: first in the passages nearest to its sentence, then anywhere."""
    near = nearby.of(claim.sentence)
    compared = f"with the {len(near)} passages nearest to its sentence, then with all documents"
    matches = documents.of(claim.words)
    matcher = WordMatcher([_keys(claim.words)])
    inside = [
        _Match(passage.document_id, passage.start + found[first].start, passage.start + found[last - 1].end)
        for passage in near
        for found in [nearby.words(passage)]
        for _, first, last in matcher.find(found)
    ]
    if inside and (near_best := _best(claim, inside, documents, compared)).stands:
        return near_best
    if not matches:
        return ClaimCheck(claim, ClaimVerdict.NOWHERE, compared, "these words stand in no document")
    best = _best(claim, matches, documents, compared)
    if best.verdict is ClaimVerdict.DIFFERS:
        return near_best if inside else best
    detail = "stands in the documents, but in none of the passages nearest to its sentence"
    return replace(best, verdict=ClaimVerdict.ELSEWHERE, detail=detail)


def _best(claim: Claim, matches: Sequence[_Match], documents: _Documents, compared: str) -> ClaimCheck:
    """The place that is most like the claim, to the character if there is one."""
    best: tuple[int, _Match, list[str] | None] | None = None
    for match in matches[:N_TRIED]:
        whole, parted = _as_written(claim.words, documents.text(match.document), match)
        rank = 2 if parted is None else int(bool(parted))
        if best is None or rank < best[0]:
            best = (rank, whole, parted)
        if rank == 0:
            break
    assert best is not None
    rank, match, parted = best
    found = documents.standing(match.document, match.start, match.end)
    also = documents.also_in([one for one in matches if one.start != match.start], match)
    diff: tuple[Change, ...] = ()
    if rank == 0:
        verdict, detail = ClaimVerdict.VERBATIM, "stands there, character for character"
    elif parted is not None:
        verdict, detail = ClaimVerdict.TYPOGRAPHY, "the same words; what differs is " + _listed(parted)
    else:
        verdict = ClaimVerdict.DIFFERS
        detail = "the same words, with other capitals or punctuation"
        diff = word_diff(claim.words, found.quote)
    return ClaimCheck(claim, verdict, compared, detail, found, diff, also, documents.count(claim.words))


def _as_written(said: str, text: str, match: _Match) -> tuple[_Match, list[str] | None]:
    """The match with the punctuation around it that the claim has, and what parts the two (None: more)."""
    inside = words(said)
    before, after = said[: inside[0].start], said[inside[-1].end :]
    start, end = match.start, match.end
    if before and text[max(0, start - len(before)) : start] == before:
        start -= len(before)
    if after and text[end : end + len(after)] == after:
        end += len(after)
    whole, there = _Match(match.document, start, end), text[start:end]
    parted, bare = differences(said, there), plain(there)
    if parted is None and bare != there and (without := differences(said, bare)) is not None:
        return whole, ["the document's markup", *without]
    return whole, parted


def _listed(names: Sequence[str]) -> str:
    """The names as a sentence lists them.

    >>> _listed(["dashes", "white space", "quotation marks"])
    'dashes, white space and quotation marks'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _check_parts(
    claim: Claim, parts: Sequence[str], documents: _Documents, compared: str
) -> ClaimCheck | None:
    """A quotation with words left out, as marked: its parts in their order in one document, not far apart."""
    for first in documents.of(parts[0])[:N_TRIED]:
        chain = [first]
        for part in parts[1:]:
            after = next(
                (
                    match
                    for match in documents.of(part)[:N_TRIED]
                    if match.document == first.document and 0 <= match.start - chain[-1].end <= ELIDED_CHARS
                ),
                None,
            )
            if after is None:
                break
            chain.append(after)
        text = documents.text(first.document)
        if len(chain) < len(parts) or any(
            differences(part, text[one.start : one.end]) is None
            for part, one in zip(parts, chain, strict=True)
        ):
            continue
        found = documents.standing(first.document, chain[0].start, chain[-1].end)
        detail = f"{len(parts)} parts stand there in this order; what the text leaves out or puts in is shown"
        return ClaimCheck(
            claim, ClaimVerdict.ELIDED, compared, detail, found, word_diff(claim.words, found.quote), (), 1
        )
    return None


def _nearest_words(claim: Claim, documents: _Documents, nearby: _Nearby, compared: str) -> ClaimCheck:
    """Of the passages that share most words with a quotation, the stretch most like it, if any is."""
    wanted = words(claim.words)
    best: tuple[float, str, int, int] | None = None
    passages = nearby.sharing(claim.words)
    for passage in passages:
        text = documents.text(passage.document_id)
        begin = max(0, passage.start - len(claim.words))
        stretch = text[begin : passage.end + len(claim.words)]
        found = _alike(wanted, words(stretch))
        if found and (best is None or found[0] > best[0]):
            best = (found[0], passage.document_id, begin + found[1], begin + found[2])
    compared += f", then with the {len(passages)} passages that share most words with it"
    if best is None or best[0] < SAME_SHARE:
        detail = "stands in no document, and no passage compared has most of its words in this order"
        return ClaimCheck(claim, ClaimVerdict.NOWHERE, compared, detail)
    share, document_id, start, end = best
    found_there = documents.standing(document_id, start, end)
    detail = f"stands in no document; in the nearest words, {share:.0%} are the same"
    return ClaimCheck(
        claim,
        ClaimVerdict.DIFFERS,
        compared,
        detail,
        found_there,
        word_diff(claim.words, found_there.quote),
        (),
        1,
    )


def _alike(wanted: Sequence[Word], there: Sequence[Word]) -> tuple[float, int, int] | None:
    """The stretch of ``there`` most like ``wanted``: share of words the same in order, start, end.

    >>> _alike(words("the council decided to close it"), words("So the council voted to close it. Then"))
    (0.8333333333333334, 3, 32)
    """
    mine, its = [word.key for word in wanted], [word.key for word in there]
    longest = difflib.SequenceMatcher(None, its, mine, autojunk=False).find_longest_match()
    if longest.size < 2:
        return None
    slack = len(mine) // 4 + 3
    first = max(0, longest.a - longest.b - slack)
    last = min(len(its), longest.a - longest.b + len(mine) + slack)
    blocks = [
        block
        for block in difflib.SequenceMatcher(
            None, its[first:last], mine, autojunk=False
        ).get_matching_blocks()
        if block.size
    ]
    while len(blocks) > 1 and blocks[0].size == 1 and blocks[1].a - blocks[0].a > slack:
        blocks.pop(0)  # a lone word far before the rest
    while len(blocks) > 1 and blocks[-1].size == 1 and blocks[-1].a - blocks[-2].a - blocks[-2].size > slack:
        blocks.pop()
    begin, stop = first + blocks[0].a, first + blocks[-1].a + blocks[-1].size
    begin = max(0, begin - blocks[0].b)  # words changed at either end are part of the stretch
    stop = min(len(its), stop + len(mine) - blocks[-1].b - blocks[-1].size)
    share = sum(block.size for block in blocks) / max(len(mine), stop - begin)
    return share, there[begin].start, there[stop - 1].end


_PIECE = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")


def word_diff(here: str, there: str) -> tuple[Change, ...]:
    """The stretches in which two texts agree and differ, word by word; typography is no difference.

    >>> [(c.text, c.document) for c in word_diff("It’s  in May.", "It's in June.")]
    [('It’s  in', "It's in"), ('May', 'June'), ('.', '.')]
    """
    mine, its = list(_PIECE.finditer(here)), list(_PIECE.finditer(there))
    matcher = difflib.SequenceMatcher(
        None, [folded(m.group()) for m in mine], [folded(m.group()) for m in its], autojunk=False
    )
    return tuple(
        Change(_stretch(here, mine, a, b), _stretch(there, its, c, d))
        for _, a, b, c, d in matcher.get_opcodes()
    )


def _stretch(text: str, pieces: Sequence[re.Match[str]], first: int, last: int) -> str:
    return text[pieces[first].start() : pieces[last - 1].end()] if first < last else ""


# Figures


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A figure of a passage near the claim; ``share`` is how much of the claim's sentence is beside it."""

    passage: Passage
    figure: Figure
    sentence: tuple[int, int]
    share: float
    counts_alike: bool  # whether a word of what the claim counts follows this figure too


def _check_figure(claim: Claim, documents: _Documents, nearby: _Nearby) -> ClaimCheck:
    assert claim.figure is not None
    figure = claim.figure
    near = nearby.of(claim.sentence)
    unit = set(terms(figure.unit, nearby.language))
    beside = f"the words “{figure.unit}”" if unit else "words of its sentence"
    compared = f"with the figures of the {len(near)} passages nearest to its sentence, and {beside}"
    same, other, alone = _candidates(claim, figure, unit, near, nearby)

    def result(verdict: ClaimVerdict, detail: str, one: _Candidate, words_of: tuple[int, int]) -> ClaimCheck:
        start, end = (one.passage.start + offset for offset in words_of)
        found = documents.standing(one.passage.document_id, start, end)
        return ClaimCheck(claim, verdict, compared, detail, found, (), (), 1)

    if same:
        best = max(same, key=lambda one: (one.share, _written_alike(claim, one)))
        alike = _written_alike(claim, best)
        verdict = ClaimVerdict.VERBATIM if alike else ClaimVerdict.TYPOGRAPHY
        shown = best.passage.text[best.figure.start : best.figure.end]
        stands = "stands in this sentence" if alike else f"stands in this sentence, written “{shown}”"
        rivals = [one for one in other if one.counts_alike]
        rival = max(rivals, key=lambda one: one.share, default=None)
        if unit and rival is not None and rival.share >= best.share:
            told = rival.passage.text[rival.figure.start : rival.figure.end]
            stands += f"; a sentence that shares as many of its words has “{told}”"
            return result(verdict, stands, best, best.sentence)
        return result(verdict, f"{stands}, with {beside}", best, best.sentence)
    if other:
        best = max(other, key=lambda one: (one.counts_alike, one.share))
        shown = best.passage.text[best.figure.start : best.figure.end]
        detail = f"not in these passages with {beside}; the nearest sentence has “{shown}”"
        return result(ClaimVerdict.DIFFERS, detail, best, best.sentence)
    if alone:
        best = max(alone, key=lambda one: one.share)
        detail = f"the figure stands in a passage near its sentence, but without {beside}"
        return result(ClaimVerdict.ELSEWHERE, detail, best, best.sentence)
    return ClaimCheck(
        claim, ClaimVerdict.NOWHERE, compared, "stands in none of these passages; others were not searched"
    )


def _candidates(
    claim: Claim, figure: Figure, unit: set[str], near: Sequence[Passage], nearby: _Nearby
) -> tuple[list[_Candidate], list[_Candidate], list[_Candidate]]:
    """Passages' figures: the same with its words, another with its words, the same without them."""
    weights, wanted = nearby.weights(claim.sentence.replace(claim.words, " "))
    same: list[_Candidate] = []
    other: list[_Candidate] = []
    alone: list[_Candidate] = []
    for passage in near:
        in_passage = set(terms(passage.text, nearby.language))
        for there, sentence in nearby.figures(passage):
            if there.measure is not figure.measure or there.sign != figure.sign:
                continue
            is_same = figure.is_same(there)
            said = passage.text[slice(*sentence)]
            share = weights.coverage(wanted, said) if wanted else 0.0
            # a row of a table has what it counts in its head
            held = in_passage if "|" in said else set(terms(said, nearby.language))
            if unit:
                beside = len(unit & held) / len(unit) >= UNIT_SHARE
            else:
                beside = not wanted or weights.coverage(wanted, passage.text) >= SENTENCE_SHARE
            alike = bool(unit & set(terms(there.unit, nearby.language)))
            one = _Candidate(passage, there, sentence, share, alike)
            if is_same:
                (same if beside else alone).append(one)
            elif beside and share >= SUBJECT_SHARE and figure.measure is not Measure.DATE:
                other.append(one)
    return same, other, alone


def _written_alike(claim: Claim, one: _Candidate) -> bool:
    return claim.words in one.passage.text[one.figure.start : one.figure.end]


# Names


def _check_name(claim: Claim, documents: _Documents, nearby: _Nearby) -> ClaimCheck:
    checked = _check_phrase(claim, documents, nearby)
    if checked.verdict is not ClaimVerdict.NOWHERE:
        return checked
    near = [*nearby.of(claim.sentence), *nearby.sharing(claim.words)]
    nearest = _nearest_name(claim.words, near, nearby.language)
    if nearest is None:
        return checked
    passage, start, end = nearest
    found = documents.standing(passage.document_id, passage.start + start, passage.start + end)
    detail = "this name stands in no document; the nearest one in these passages is shown"
    return ClaimCheck(
        claim,
        ClaimVerdict.DIFFERS,
        f"{checked.compared}, then with the names of the {len(near)} passages that share words with it",
        detail,
        found,
        word_diff(claim.words, found.quote),
        (),
        1,
    )


def _nearest_name(
    name: str, passages: Iterable[Passage], language: Language
) -> tuple[Passage, int, int] | None:
    """The name in these passages that shares a telling word with this one, or differs by a letter or two."""
    best: tuple[float, Passage, int, int] | None = None
    mine = _name_words(name, language)
    if not 0 < len(mine) <= MAX_NAME_WORDS:
        return None
    for passage, (start, end) in _names_of(passages, language):
        its = _name_words(passage.text[start:end], language)
        if len(its) > MAX_NAME_WORDS:
            continue
        shared = len(mine & its) / max(len(mine | its), 1)
        alike = difflib.SequenceMatcher(
            None, " ".join(sorted(mine)), " ".join(sorted(its)), autojunk=False
        ).ratio()
        score = max(shared, alike if alike >= 0.8 else 0.0)
        if score >= 0.3 and (best is None or score > best[0]):
            best = (score, passage, start, end)
    return None if best is None else best[1:]


def _names_of(passages: Iterable[Passage], language: Language) -> Iterator[tuple[Passage, tuple[int, int]]]:
    return ((passage, span) for passage in passages for span in name_spans(passage.text, language))


def _name_words(name: str, language: Language) -> set[str]:
    known = language.names
    return {key for key in _keys(name) if key not in known.titles and key not in known.inside}

"""Where words stand: in the whole store, read once, and in the passages nearest to a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.checks.claims import LIST_NUMBER, Claim, ClaimKind, blank
from rag.checks.prose.verdict import Standing
from rag.citations import freshness, location
from rag.records import Freshness, Hit, Location, Passage
from rag.retrieval.term_weights import TermWeights
from rag.store import Store
from rag.text.figures import Figure, figures_in
from rag.text.language import Language
from rag.text.names import opens_sentence
from rag.text.sentences import sentences
from rag.text.terms import terms
from rag.text.wordmatch import Word, WordMatcher, words

Search = Callable[[str], Sequence[Hit]]  # of a sentence: the passages nearest to it

N_NEAR = 8  # passages each of retriever and word search that a figure, name or changed quotation is held to
N_PLACES = 5  # told of words that stand in several places
N_TRIED = 200  # places of one quotation compared to the character; more are the same words again


@dataclass(frozen=True, slots=True)
class Match:
    """Characters of a document in which the words of a quotation's part stand."""

    document: str
    start: int
    end: int


_ELLIPSIS = re.compile(r"\[[^\[\]]{0,200}\]|\(?(?:…|\.\s?\.\s?\.)\)?")


def parts_of(claim: Claim) -> list[str]:
    """A quotation at its ellipses and at what the writer put in brackets.

    >>> from rag.checks.claims import claims_in
    >>> parts_of(claims_in('"The council […] ended [it] in 2022"')[0])
    ['The council', 'ended', 'in 2022']
    """
    parts = [part.strip() for part in _ELLIPSIS.split(claim.words)]
    return [part for part in parts if words(part)] if claim.kind is ClaimKind.QUOTATION else [claim.words]


def keys(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared."""
    return tuple(word.key for word in words(text))


class Library:
    """The whole store, read once: where the words of every quotation and name stand."""

    def __init__(self, store: Store, claims: Iterable[Claim], text: str) -> None:
        self._store = store
        looked_up = [claim for claim in claims if claim.kind is not ClaimKind.FIGURE]
        self._numbers: dict[tuple[str, ...], int] = {}
        for claim in looked_up:
            for said in (*parts_of(claim), claim.words):
                self._numbers.setdefault(keys(said), len(self._numbers))
        openers = {keys(claim.words)[0] for claim in looked_up if claim.opener}
        self._matches: dict[int, list[Match]] = {number: [] for number in self._numbers.values()}
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
                        place = Match(document_id, found[first].start, found[last - 1].end)
                        self._matches[number].append(place)
        self._names = capital - small

    def is_claim(self, claim: Claim) -> bool:
        """Whether a single word that opens a sentence is a name wherever else it stands."""
        return not claim.opener or keys(claim.words)[0] in self._names

    def of(self, said: str) -> list[Match]:
        """The places of these words, by document and place; the first ``N_TRIED`` of them."""
        return self._matches[self._numbers[keys(said)]]

    def count(self, said: str) -> int:
        """How many places there are in all."""
        return self._counts[self._numbers[keys(said)]]

    def text(self, document_id: str) -> str:
        """All of a document."""
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

    def also_in(self, matches: Sequence[Match], but: Match) -> tuple[Location, ...]:
        """The first other places of these, as a person finds them."""
        others = [match for match in matches[: N_PLACES + 1] if match != but][:N_PLACES]
        return tuple(location(self._store.document(one.document), one.start, one.end) for one in others)


@dataclass(slots=True)
class Nearby:
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
        """How much each word weighs in this store, and those of the sentence."""
        weights = TermWeights(
            lambda text: terms(text, self.language),
            self.store.lexical.document_frequency,
            self.store.lexical.n,
        )
        return weights, weights.of(sentence)

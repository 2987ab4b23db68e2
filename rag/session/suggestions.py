"""What to try where there is no answer: the corpus's own names nearest to the question, and its spelling."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable

from rag.answering.question import content_words
from rag.output.render import Source
from rag.records import Answer
from rag.text.english import ENGLISH
from rag.text.language import Language
from rag.text.names import names_in
from rag.text.terms import terms

N_SUBJECTS = 5
READ_CHARS = 2_000_000  # of a corpus for its words and names: a thousand pages know most of them
LEAST_CHARS = 500  # of one document: its title and first words at least
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
LEAST_LETTERS = 5  # of a word whose spelling is doubted: shorter ones are near to too many
CLOSE = 0.75  # difflib ratio from which a word is taken for a misspelling
LONGEST_SUBJECT = 80


class Vocabulary:
    """The words of a corpus with their counts, the names in it, and spelling."""

    def __init__(self, texts: Iterable[str], language: Language = ENGLISH) -> None:
        forms: dict[str, Counter[str]] = {}
        names: Counter[str] = Counter()
        read = 0
        for text in texts:
            text = text[: max(0, READ_CHARS - read)]
            read += len(text)
            for word in _WORD.findall(text):
                if 3 <= len(word) <= 30:
                    forms.setdefault(word.casefold(), Counter())[word] += 1
            names.update(names_in(text, language))
            if read >= READ_CHARS:
                break
        self.counts = {word: sum(found.values()) for word, found in forms.items()}
        self._plain = {word for word, found in forms.items() if word in found}
        self._usual = {word: found.most_common(1)[0][0] for word, found in forms.items()}
        self.names = [name for name, _ in names.most_common(5000) if " " in name]
        self._sorted = sorted(self.counts)

    def starting_with(self, prefix: str, n: int = 20) -> list[str]:
        """Words that begin so, the frequent ones first; a name has its capital even when none was typed.

        >>> Vocabulary(["The trust, trusted. Trust!", "trustees"]).starting_with("tru")[0]
        'trust'
        """
        from bisect import bisect_left

        low = prefix.casefold()
        at, words = bisect_left(self._sorted, low), []
        while at < len(self._sorted) and self._sorted[at].startswith(low):
            words.append(self._sorted[at])
            at += 1
        words.sort(key=lambda word: (-self.counts[word], word))
        return [word if prefix == low and word in self._plain else self._usual[word] for word in words[:n]]

    def nearest(self, word: str) -> str | None:
        """The known word that a misspelt one most likely means, or None.

        >>> Vocabulary(["It was decommissioned."]).nearest("decomissioned")
        'decommissioned'
        """
        low = word.casefold()
        alike = [known for known in self._sorted if abs(len(known) - len(low)) <= 2 and known[0] == low[0]]
        near = difflib.get_close_matches(low, alike, n=3, cutoff=CLOSE)
        if not near:
            return None
        best = difflib.SequenceMatcher(None, low, near[0]).ratio()
        alike = [w for w in near if difflib.SequenceMatcher(None, low, w).ratio() > best - 0.02]
        return self._usual[max(alike, key=lambda known: self.counts[known])]


def spellings(
    question: str, frequency: Callable[[str], int], vocabulary: Vocabulary, language: Language = ENGLISH
) -> list[tuple[str, str]]:
    """What a question is about that stands nowhere in the corpus, word by word, as the corpus spells it."""
    pairs: list[tuple[str, str]] = []
    for word in dict.fromkeys(content_words(question, language)):
        low = word.casefold()
        if len(low) < LEAST_LETTERS or not _WORD.fullmatch(word) or low in vocabulary.counts:
            continue
        stems = terms(word, language)
        if not stems or any(frequency(term) for term in stems):
            continue
        known = vocabulary.nearest(word)
        if known is not None and not known.casefold().startswith(low):
            pairs.append((word, known))
    return pairs


def subjects(answer: Answer, source: Source, language: Language = ENGLISH, n: int = N_SUBJECTS) -> list[str]:
    """Headings and names of the passages nearest to a question, nearest first.

    The question's own words are no news, so a name that says only those is left out.
    """
    asked = set(terms(answer.question, language))
    known: dict[str, str] = {}

    def add(subject: str | None) -> None:
        words = re.sub(r"^[\d.]+\s+", "", " ".join((subject or "").split()))
        if 3 <= len(words) <= LONGEST_SUBJECT and not set(terms(words, language)) <= asked:
            known.setdefault(words.casefold().replace("’", "'"), words)

    for hit in answer.hits:
        add(hit.passage.heading)
    for hit in answer.hits:
        for name in [name for name in names_in(hit.passage.text, language) if " " in name][:2]:
            add(name)
    for hit in answer.hits:
        add(source(hit.passage.document_id).title)
    return list(known.values())[:n]

"""The lexical index: BM25 over stemmed words (Robertson & Walker 1994, Lucene's variant), in mapped files.

A generation's words stand in segments that never change. `LexicalIndex` is one segment; `LexicalSearch`
searches several as if they were one index. docs/lexical.md says what was measured, and why neither tantivy
nor bm25s does this.

The score of a text of length l for a term that it holds c times is ``idf * c / (c + norm)`` with
``norm = k1 * (1 - b + b * l / mean length)``, that is ``idf / (1 + norm / c)``. The mean length and the idf
are those of all segments and not known when one is built, so that a segment keeps c and l; and for each term
the least ``norm / c`` at its own mean length, from which follows the most that the term can add to a score. A
query adds its terms rarest first, and when those that are left could not lift a new text among the k best, it
looks them up for the texts that still can be (Turtle & Flood 1995). This leaves out work and never a text.

Letters: n texts, t terms, p postings (pairs of a term and a text that holds it).
"""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import SettingsError
from rag.text.language import load_language
from rag.text.terms import terms

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
Array = NDArray[Any]

K1, B = 1.2, 0.75  # the values that Lucene ships with
FORMAT = 1
HEADER = "lexical.json"
ARRAYS: dict[str, tuple[str, ...]] = {  # the types that each file may hold
    "letters": ("uint8",),
    "starts": ("int64",),
    "least": ("float32",),
    "rows": ("uint32",),
    "counts": ("uint8", "uint16", "uint32"),
    "lengths": ("uint8", "uint16", "uint32"),
}
RUN_POSTINGS = 1 << 22  # handled at a time when building: about 150 MB of working memory
LOOKUP_COST = 12  # finding one text in a term's list takes as long as adding this many postings
SLACK = 1e-5  # relative; far above the rounding of a few float32 sums, far below what pruning gains


@dataclass(frozen=True, slots=True, eq=False)
class LexicalIndex:
    """One segment: which of its texts hold which term, and how often. Row i belongs to text i.

    ``letters`` are the terms in UTF-8, sorted and end to end. ``starts`` (2, t + 1) says where each term
    begins, in ``letters`` and in the postings ``rows`` (p,) and ``counts`` (p,), whose rows ascend within a
    term. ``least`` (t,) is each term's least ``norm / c``; ``lengths`` (n,) counts the terms of each text.
    """

    language: str
    letters: Array
    starts: Array
    least: Array
    rows: Array
    counts: Array
    lengths: Array

    @classmethod
    def build(cls, texts: Iterable[str], language: str = "english") -> LexicalIndex:
        """The index of ``texts``, which are gone through once; of none, an index that finds nothing."""
        known = load_language(language)
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__  # a new term gets the next number
        lengths, held, runs, first = array("I"), array("I"), [], 0
        for text in texts:
            words = terms(text, known)
            held.extend(map(numbers.__getitem__, words))
            lengths.append(len(words))
            if len(held) >= RUN_POSTINGS:
                runs.append(_Run.of_texts(held, lengths[first:], first))
                held, first = array("I"), len(lengths)
        runs.append(_Run.of_texts(held, lengths[first:], first))
        vocabulary = sorted(numbers)  # by code point, which is the order of the bytes in UTF-8
        place = np.empty(len(vocabulary), np.int64)  # of each number in the vocabulary
        place[[numbers[term] for term in vocabulary]] = np.arange(len(vocabulary))
        for run in runs:
            run.terms = place[run.terms]
        return _join(language, vocabulary, runs, np.asarray(lengths))

    @classmethod
    def merge(cls, segments: Sequence[LexicalIndex], dead: Rows | None = None) -> LexicalIndex:
        """One index of all texts of ``segments``, in their order, without the ``dead`` rows of the whole.

        No text is needed: what was counted is put together. At least one segment must be given.
        """
        language = _one_language(segments)
        live = np.ones(sum(segment.n for segment in segments), bool)
        live[np.zeros(0, np.int64) if dead is None else dead] = False
        new_rows = (np.cumsum(live) - 1).astype(np.uint32)  # of each live row
        vocabulary = sorted(set().union(*(segment.vocabulary() for segment in segments)))
        numbers = {term: number for number, term in enumerate(vocabulary)}

        def runs() -> Iterator[_Run]:
            offset = 0
            for segment in segments:
                place = np.array([numbers[term] for term in segment.vocabulary()], np.int64)
                starts = segment.starts[1]
                for a, b in _term_ranges(starts, RUN_POSTINGS):
                    held = slice(int(starts[a]), int(starts[b]))
                    rows = segment.rows[held] + np.int64(offset)
                    kept = live[rows]
                    of_term = np.repeat(place[a:b], np.diff(starts[a : b + 1]))[kept]
                    yield _Run(*_groups(of_term), new_rows[rows[kept]], segment.counts[held][kept])
                offset += segment.n

        lengths = np.concatenate([segment.lengths for segment in segments])[live]
        return _join(language, vocabulary, list(runs()), lengths)

    @property
    def n(self) -> int:
        """How many texts are indexed."""
        return len(self.lengths)

    def save(self, folder: Path) -> None:
        """Write the index into ``folder``, which is made. The caller makes it durable."""
        folder.mkdir(parents=True, exist_ok=True)
        header = {"format": FORMAT, "language": self.language, "n": self.n}
        (folder / HEADER).write_text(json.dumps(header) + "\n", "utf-8")
        for name in ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            with (folder / f"{name}.npy").open("wb") as file:  # np.save does not say that a disk is full
                np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
                file.write(array.data)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """The index saved in ``folder``, memory-mapped: what no query needs is not read.

        Raises ValueError or OSError where a file is missing, is not what was written, or does not fit the
        others. That no byte has changed is for the store's checksums to say.
        """
        header = json.loads((folder / HEADER).read_text("utf-8"))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError(f"{HEADER} is not of format {FORMAT}")
        try:
            load_language(header["language"])
        except (KeyError, AttributeError, SettingsError) as error:
            raise ValueError(f"{HEADER} names no language that is known") from error
        index = cls(header["language"], **{name: _mapped(folder / f"{name}.npy", name) for name in ARRAYS})
        n_terms, n_postings = len(index.least), len(index.rows)
        if (
            index.lengths.shape != (header.get("n"),)
            or index.starts.shape != (2, n_terms + 1)
            or index.starts[:, 0].any()
            or index.starts[:, -1].tolist() != [len(index.letters), n_postings]
            or len(index.counts) != n_postings
        ):
            raise ValueError(f"the files of {folder.name} do not belong together")
        return index

    def vocabulary(self) -> list[str]:
        """Every term, sorted."""
        letters, starts = self.letters.tobytes(), self.starts[0].tolist()
        return [letters[a:b].decode() for a, b in pairwise(starts)]

    def postings(self, term: str) -> tuple[int, int, int] | None:
        """A term's number and where its postings begin and end; None for a term that no text holds."""
        wanted = term.encode("utf-8", "surrogatepass")
        letters, starts = self.letters.data, self.starts
        low, high = 0, len(self.least)
        while low < high:
            middle = (low + high) // 2
            if letters[starts[0, middle] : starts[0, middle + 1]].tobytes() < wanted:
                low = middle + 1
            else:
                high = middle
        if low == len(self.least) or letters[starts[0, low] : starts[0, low + 1]].tobytes() != wanted:
            return None
        return low, int(starts[1, low]), int(starts[1, low + 1])

    def document_frequency(self, term: str) -> int:
        """How many texts hold an index term; 0 for one that none holds."""
        held = self.postings(term)
        return 0 if held is None else held[2] - held[1]

    def search(self, query: str, k: int, allowed: Rows | None = None) -> tuple[Scores, Rows]:
        """Scores and rows of the k best texts of this segment alone, as `LexicalSearch.search` gives them.

        For many queries keep one `LexicalSearch`: what it knows of every text is made anew here.
        """
        return LexicalSearch([self]).search(query, k, allowed)


class LexicalSearch:
    """Ranks the texts of several segments with one set of statistics, as one index of all of them would.

    Row i of a segment is row i plus the sizes of the segments before it. Rows that are ``dead`` are never
    found; they count in the statistics until their segment is merged, as they do in Lucene.
    """

    def __init__(self, segments: Sequence[LexicalIndex], dead: Rows | None = None) -> None:
        self._language = load_language(_one_language(segments) if segments else "english")
        self._n = sum(segment.n for segment in segments)
        n_tokens = [int(segment.lengths.sum(dtype=np.int64)) for segment in segments]
        mean_length = sum(n_tokens) / self._n if self._n else 0.0
        dead = _ascending(np.zeros(0, np.int64) if dead is None else dead, self._n)
        self._parts, offset = [], 0
        for segment, tokens in zip(segments, n_tokens, strict=True):
            gone = _between(dead, offset, offset + segment.n)
            self._parts.append(_Part(segment, offset, gone, tokens, mean_length))
            offset += segment.n

    @property
    def n(self) -> int:
        """How many texts are indexed, the dead among them."""
        return self._n

    def document_frequency(self, term: str) -> int:
        """How many texts hold an index term, the dead among them; 0 for one that none holds."""
        return sum(part.segment.document_frequency(term) for part in self._parts)

    def search(self, query: str, k: int, allowed: Rows | None = None) -> tuple[Scores, Rows]:
        """Scores and rows, (k',) each, of the k best texts that share a term, best first, ties by row.

        Only ``allowed`` rows are looked at, where it is given: the k best are the best of these.
        """
        scores, rows = np.zeros(0, np.float32), np.zeros(0, np.int64)
        lists = self._postings(query)
        if k <= 0:
            return scores, rows
        within = None if allowed is None else _ascending(allowed, self._n)
        for part, postings in sorted(
            zip(self._parts, lists, strict=True), key=lambda pair: -pair[0].segment.n
        ):
            floor = float(scores[-1]) if len(scores) == k else 0.0  # what a further text must reach
            local = None if within is None else _between(within, part.offset, part.offset + part.segment.n)
            more_scores, more_rows = part.search(postings, k, floor, local)
            if len(more_rows):
                all_scores = np.concatenate([scores, more_scores])
                scores, rows = _best(all_scores, np.concatenate([rows, more_rows + part.offset]), k)
        return scores, rows

    def _postings(self, query: str) -> list[list[_Postings]]:
        """For each segment the postings of the query's terms, the rarest term of the whole first.

        A term weighs its idf, times how often it is asked for. The order is the same for all segments, and
        whatever they are: a score comes out the same to its last bit.
        """
        terms_held = []
        for term, times in Counter(terms(query, self._language)).items():
            held = [part.segment.postings(term) for part in self._parts]
            frequency = sum(place[2] - place[1] for place in held if place)
            if frequency:
                idf = math.log(1 + (self._n - frequency + 0.5) / (frequency + 0.5))
                terms_held.append((frequency, term, times * idf, held))
        terms_held.sort(key=lambda known: known[:2])
        return [
            [part.postings(weight, place) for *_, weight, held in terms_held if (place := held[i])]
            for i, part in enumerate(self._parts)
        ]


@dataclass(frozen=True, slots=True)
class _Postings:
    """One term of a query in one segment. No text's score can grow by more than ``bound`` through it."""

    weight: np.float32
    rows: Array
    counts: Array
    bound: float


class _Part:
    """One segment as a part of the whole. ``dead`` and all rows in here are the segment's own."""

    def __init__(
        self, segment: LexicalIndex, offset: int, dead: Array, n_tokens: int, mean_length: float
    ) -> None:
        self.segment = segment
        self.offset = offset
        self._dead = dead
        self._mean_length = mean_length
        # Where texts are shorter on the whole than here, ``norm`` is larger than the segment took it to be.
        # Where they are longer it is smaller, though not by more than the ratio of the means.
        own_mean = n_tokens / segment.n if segment.n else 0.0
        self._shrink = min(1.0, own_mean / mean_length) if mean_length else 1.0

    @cached_property
    def _norms(self) -> Scores:
        """The ``norm`` of every text, (n,); made by the first query, as opening need not wait for it."""
        return _norms(self.segment.lengths, self._mean_length)

    def search(
        self, lists: list[_Postings], k: int, floor: float, allowed: Rows | None
    ) -> tuple[Scores, Rows]:
        """The k best of this segment; those that score below ``floor`` may be missing."""
        added, left = 0.0, sum(postings.bound for postings in lists)
        if not lists or left * (1 + SLACK) < floor * (1 - SLACK):
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        if allowed is not None and LOOKUP_COST * len(allowed) < sum(len(p.rows) for p in lists):
            few = np.setdiff1d(allowed, self._dead, assume_unique=True).astype(np.uint32)
            return self._complete(few, np.zeros(len(few), np.float32), lists, k, floor)
        if allowed is None:
            scores = np.zeros(self.segment.n, np.float32)
        else:
            scores = np.full(
                self.segment.n, -np.inf, np.float32
            )  # whatever is added, it stays below any floor
            scores[allowed] = 0
        scores[self._dead] = -np.inf
        for position, postings in enumerate(lists, start=1):
            rows = postings.rows.astype(np.intp)
            now = scores[rows] + self._gains(postings, rows, postings.counts)
            scores[rows] = now
            added, left = added + postings.bound, left - postings.bound
            if added > left and len(rows) >= k and position < len(lists):
                floor = max(floor, _kth(now, k))
            enough = floor * (1 - SLACK) - left * (1 + SLACK)
            if enough > 0:  # the terms left cannot alone lift a text to the floor: no new one comes in
                few = np.flatnonzero(scores >= enough).astype(np.uint32)
                return self._complete(few, scores[few], lists[position:], k, floor)
        matching = np.flatnonzero(scores > 0)
        return _best(scores[matching], matching, k)

    def _complete(
        self, rows: NDArray[np.uint32], scores: Scores, lists: list[_Postings], k: int, floor: float
    ) -> tuple[Scores, Rows]:
        """The k best of ``rows``, which ascend, once the terms of ``lists`` are added to their scores."""
        left = sum(postings.bound for postings in lists)
        for postings in lists:
            self._add(postings, rows, scores)
            left -= postings.bound
            if len(rows) > k:
                floor = max(floor, _kth(scores, k))
                kept = scores >= floor * (1 - SLACK) - left * (1 + SLACK)
                rows, scores = rows[kept], scores[kept]
        matching = scores > 0
        return _best(scores[matching], rows[matching].astype(np.int64), k)

    def _add(self, postings: _Postings, rows: Array, scores: Scores) -> None:
        """Add what a term gives to each of ``rows``."""
        if LOOKUP_COST * len(rows) < len(postings.rows):
            at = np.searchsorted(postings.rows, rows)
            at[at == len(postings.rows)] = 0
            held = np.flatnonzero(postings.rows[at] == rows)
            scores[held] += self._gains(postings, rows[held], postings.counts[at[held]])
        else:
            gains = np.zeros(self.segment.n, np.float32)
            gains[postings.rows] = self._gains(postings, postings.rows, postings.counts)
            scores += gains[rows]

    def _gains(self, postings: _Postings, rows: Array, counts: Array) -> Scores:
        """What a term adds to the score of each of ``rows``, which hold it ``counts`` times."""
        held = counts.astype(np.float32)
        gains: Scores = postings.weight * (held / (held + self._norms[rows]))
        return gains

    def postings(self, weight: float, held: tuple[int, int, int]) -> _Postings:
        """The postings of a term that this segment holds there, as `LexicalIndex.postings` says."""
        number, start, stop = held
        bound = weight / (1 + self._shrink * float(self.segment.least[number]))
        rows, counts = self.segment.rows[start:stop], self.segment.counts[start:stop]
        return _Postings(np.float32(weight), rows, counts, bound)


@dataclass(slots=True, eq=False)
class _Run:
    """Postings of some texts, term after term: each of ``terms`` ascending with its number of postings."""

    terms: Array
    sizes: Array
    rows: Array
    counts: Array

    @classmethod
    def of_texts(cls, held: array[int], lengths: array[int], first_row: int) -> _Run:
        """The run of texts given as the numbers of their terms, end to end."""
        rows = np.repeat(np.arange(first_row, first_row + len(lengths)), np.asarray(lengths))
        pairs = np.asarray(held).astype(np.int64) << 32 | rows
        pairs.sort()
        pairs, counts = _groups(pairs)
        numbers, sizes = _groups(pairs >> 32)
        return cls(numbers, sizes, pairs.astype(np.uint32), counts.astype(_least_type(counts)))


def _join(language: str, vocabulary: list[str], runs: list[_Run], lengths: Array) -> LexicalIndex:
    """The index of ``runs``, which are used up; of one term, the rows of an earlier run are smaller."""
    sizes = np.zeros(len(vocabulary), np.int64)
    for run in runs:
        sizes[run.terms] += run.sizes
    ends = np.cumsum(sizes)
    following = ends - sizes  # where the next posting of each term goes
    most = max((int(run.counts.max()) for run in runs if len(run.counts)), default=0)
    rows = np.empty(int(sizes.sum()), np.uint32)
    counts = np.empty(len(rows), _least_type(most))
    for position, run in enumerate(runs):
        shift = following[run.terms] - (np.cumsum(run.sizes) - run.sizes)
        places = np.repeat(shift, run.sizes) + np.arange(len(run.rows))
        rows[places], counts[places] = run.rows, run.counts
        following[run.terms] += run.sizes
        runs[position] = _NO_RUN  # its memory is free for the next
    held = sizes > 0  # a term whose every text is dead is left out
    encoded = [term.encode() for term, kept in zip(vocabulary, held.tolist(), strict=True) if kept]
    starts = np.zeros((2, len(encoded) + 1), np.int64)
    starts[0, 1:] = np.cumsum([len(term) for term in encoded])
    starts[1, 1:] = ends[held]
    lengths = lengths.astype(_least_type(lengths))
    letters = np.frombuffer(b"".join(encoded), np.uint8)
    least = _least_ratios(starts[1], rows, counts, lengths)
    return LexicalIndex(language, letters, starts, least, rows, counts, lengths)


def _least_ratios(starts: Array, rows: Array, counts: Array, lengths: Array) -> Array:
    """Each term's least ``norm / count``, at the mean length of these texts."""
    least = np.zeros(len(starts) - 1, np.float32)
    norms = _norms(lengths, float(lengths.mean()) if len(lengths) else 0.0)
    for a, b in _term_ranges(starts, RUN_POSTINGS):
        held = slice(int(starts[a]), int(starts[b]))
        least[a:b] = np.minimum.reduceat(norms[rows[held]] / counts[held], starts[a:b] - starts[a])
    return least


def _norms(lengths: Array, mean_length: float) -> Scores:
    """What the length of each text weighs against the count of a term, (n,).

    >>> [round(float(norm), 6) for norm in _norms(np.array([10, 20]), 10.0)]
    [1.2, 2.1]
    """
    norms: Scores = (K1 * (1 - B) + K1 * B / (mean_length or 1.0) * lengths).astype(np.float32)
    return norms


def _term_ranges(starts: Array, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of terms with at most so many postings each, one term's own excepted.

    >>> list(_term_ranges(np.array([0, 2, 3, 9, 10]), 3))
    [(0, 2), (2, 3), (3, 4)]
    """
    first, n_terms = 0, len(starts) - 1
    while first < n_terms:
        end = int(np.searchsorted(starts, starts[first] + most, "right")) - 1
        yield first, max(end, first + 1)
        first = max(end, first + 1)


def _groups(ascending: Array) -> tuple[Array, Array]:
    """The values of an ascending array, each once, and how often each stands in it.

    >>> [part.tolist() for part in _groups(np.array([4, 4, 7]))]
    [[4, 7], [2, 1]]
    """
    new = np.ones(len(ascending), bool)
    new[1:] = ascending[1:] != ascending[:-1]
    at = np.flatnonzero(new)
    return ascending[at], np.diff(at, append=len(ascending))


def _least_type(values: Any) -> Any:
    """The smallest unsigned type, of 8 bits to 32, that holds the values."""
    return np.min_scalar_type(int(np.max(values, initial=0)))


def _kth(scores: Scores, k: int) -> float:
    """The k-th best of at least k scores.

    >>> _kth(np.array([1.0, 3.0, 2.0], np.float32), 2)
    2.0
    """
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def _best(scores: Scores, rows: Rows, k: int) -> tuple[Scores, Rows]:
    """The k best, best first, ties by row.

    >>> [found.tolist() for found in _best(np.array([1, 3, 3], np.float32), np.array([0, 2, 1]), 2)]
    [[3.0, 3.0], [1, 2]]
    """
    if len(scores) > k:
        kept = scores >= _kth(scores, k)
        scores, rows = scores[kept], rows[kept]
    order = np.lexsort((rows, -scores))[:k]
    return scores[order], rows[order]


def _ascending(rows: Rows, n: int) -> Rows:
    """The rows sorted, each once; an IndexError if one is not among n."""
    rows = np.asarray(rows, np.int64)
    if len(rows) > 1 and not (rows[1:] > rows[:-1]).all():
        rows = np.unique(rows)
    if len(rows) and (rows[0] < 0 or rows[-1] >= n):
        raise IndexError(f"rows {rows[0]} to {rows[-1]} of an index of {n}")
    return rows


def _between(rows: Rows, first: int, end: int) -> Rows:
    """Those of ascending rows in a range, counted from its first.

    >>> _between(np.array([1, 4, 6]), 4, 6).tolist()
    [0]
    """
    a, b = np.searchsorted(rows, (first, end))
    return rows[a:b] - first


def _one_language(segments: Sequence[LexicalIndex]) -> str:
    languages = {segment.language for segment in segments}
    if len(languages) != 1:
        raise ValueError(f"segments of one language are needed, not of {sorted(languages)}")
    return languages.pop()


def _mapped(path: Path, name: str) -> Array:
    """An array as it was saved, memory-mapped."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except (
        Exception
    ) as error:  # the header is read as Python's own literals, and a damaged one fails as they do
        raise ValueError(f"{path.name} is no array that was saved: {error}") from error
    kinds, n_axes = ARRAYS[name], 2 if name == "starts" else 1
    if mapped.dtype.name not in kinds or mapped.ndim != n_axes:
        raise ValueError(f"{path.name} holds {mapped.dtype.name} {mapped.shape}, expected {kinds[0]}")
    size, expected = path.stat().st_size, mapped.offset + mapped.nbytes
    if size != expected:
        raise ValueError(f"{path.name} has {size} bytes, expected {expected}")
    return np.asarray(mapped)  # without the class of mapped arrays, whose every slice costs a microsecond


_NO_RUN = _Run(*(np.zeros(0, np.int64) for _ in range(4)))

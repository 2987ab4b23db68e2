"""More text of the kind there is: sentences of real documents mixed anew, with other names and figures.

Everything follows from a seed and a file's number: the same files come out again, one at a time.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.encoder import Encoder, Kind
    from rag.loading import Loaded

PASSAGES_PER_FILE = 50
FILES_PER_FOLDER = 500
WORDS = (40, 160)  # of a paragraph, drawn evenly: between a news paragraph and a page of a report
FROM_ONE_DOCUMENT = 0.7  # of a paragraph's sentences; the rest come from any
HEADING_WORDS = 7
PARAGRAPHS_PER_HEADING = 10
MOST_SENTENCES = 20_000  # kept of a large corpus
NOISE = 0.5  # length of the noise beside a unit vector: a cosine of .89 with what it was added to
N_NOISES = 8192  # directions of noise; each text adds up two of them

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CAPITALISED = re.compile(r"[A-Z][^\W\d_]*(?:['’][^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")
_PROSE = re.compile(r"[A-Z][^\n|*#\[\]<>“”\"‘:;/]*[.!?]")
_BETWEEN = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
# Capitalised, and no names that could be exchanged.
_CALENDAR = frozenset(
    "January February March April May June July August September October November December "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday I".split()
)
_ONSETS = "b br c ch d f g gr h j k l m n p r s st t th tr v w".split()
_NUCLEI = "a e i o u ai ea oo".split()
_CODAS = "l n r s t ck ld ll nd rd sh rn".split()
_ENDINGS = ("", "ton", "ley", "er", "ford", "man", "by", "ham", "sett")


@dataclass(frozen=True, slots=True)
class Material:
    """Sentences of real documents, by document, and which of their words are names."""

    documents: tuple[tuple[str, ...], ...]
    names: frozenset[str]

    @property
    def n_sentences(self) -> int:
        """How many sentences there are."""
        return sum(map(len, self.documents))


def material(loaded: Sequence[Loaded]) -> Material:
    """The sentences of these documents that stand alone as prose, each once, and the names in them."""
    from rag.text.sentences import sentences

    seen: set[str] = set()
    inside: set[str] = set()  # capitalised within a sentence
    small: set[str] = set()
    documents = []
    for one in loaded:
        found = []
        for passage in one.passages:
            if passage.boilerplate:
                continue
            for start, end in sentences(passage.text):
                sentence = " ".join(passage.text[start:end].split())
                if sentence not in seen and len(seen) < MOST_SENTENCES and _is_prose(sentence):
                    seen.add(sentence)
                    found.append(sentence)
                    words = _WORD.findall(sentence)
                    inside.update(word for word in words[1:] if word[0].isupper())
                    small.update(word for word in words if word[0].islower())
        if found:
            documents.append(tuple(found))
    names = {
        name
        for name in inside - _CALENDAR
        if _CAPITALISED.fullmatch(name) and len(name) > 2 and name.lower() not in small
    }
    return Material(tuple(documents), frozenset(names))


def _is_prose(sentence: str) -> bool:
    """Whether a sentence is one of prose, which can stand beside any other.

    >>> [_is_prose(text) for text in ("The trust paid £6.5m to it in 2016.", "- a list of items.", "3.")]
    [True, False, False]
    """
    return 6 <= sentence.count(" ") + 1 <= 60 and bool(
        _PROSE.fullmatch(sentence) and not _BETWEEN.search(sentence)
    )


def new_name(draw: random.Random) -> str:
    """A name that nobody has, most likely.

    >>> new_name(random.Random(1))
    'Tetton'
    """
    syllables = draw.choice((1, 1, 2))
    body = "".join(draw.choice(_ONSETS) + draw.choice(_NUCLEI) for _ in range(syllables))
    return (body + draw.choice(_CODAS) + draw.choice(_ENDINGS)).capitalize()


def changed(sentence: str, names: dict[str, str], known: frozenset[str], draw: random.Random) -> str:
    """A sentence with every known name exchanged, as ``names`` has it or will from now on, and every figure.

    >>> changed("In 2016 Hebden paid £45.", {"Hebden": "Orley"}, frozenset({"Hebden"}), random.Random(3))
    'In 2000 Orley paid £92.'
    """

    def name(match: re.Match[str]) -> str:
        word, ending = match[0], ""
        for mark in ("’s", "'s"):
            if word.endswith(mark):
                word, ending = word[: -len(mark)], mark
        if word not in known and word + ending not in known:
            return match[0]
        if word not in names:
            names[word] = new_name(draw)
        return names[word] + ending

    def figure(match: re.Match[str]) -> str:
        digits = match[0]
        if len(digits) == 4 and _FIRST_YEAR <= int(digits) <= _LAST_YEAR:
            return str(draw.randint(1985, 2025))
        first = digits[0] if digits[0] == "0" else str(draw.randint(1, 9))
        return first + "".join(str(draw.randint(0, 9)) for _ in digits[1:])

    return _DIGITS.sub(figure, _WORD.sub(name, sentence))


def paragraphs(source: Material, number: int, n: int, seed: int) -> list[str]:
    """The ``n`` paragraphs of file ``number``."""
    draw = random.Random(f"{seed}:{number}")
    names: dict[str, str] = {}
    made = []
    for _ in range(n):
        main = draw.choice(source.documents)
        wanted, words, parts = draw.randint(*WORDS), 0, list[str]()
        while words < wanted:
            document = main if draw.random() < FROM_ONE_DOCUMENT else draw.choice(source.documents)
            parts.append(changed(draw.choice(document), names, source.names, draw))
            words += parts[-1].count(" ") + 1
        made.append(" ".join(parts))
    return made


def file_text(source: Material, number: int, n: int, seed: int) -> str:
    """File ``number`` as Markdown: a title, a heading for every ten paragraphs, ``n`` paragraphs."""
    draw = random.Random(f"{seed}:{number}:headings")
    lines = [f"# {_heading(source, draw)}"]
    for place, paragraph in enumerate(paragraphs(source, number, n, seed)):
        if place and place % PARAGRAPHS_PER_HEADING == 0:
            lines.append(f"## {_heading(source, draw)}")
        lines.append(paragraph)
    return "\n\n".join(lines) + "\n"


def _heading(source: Material, draw: random.Random) -> str:
    words = draw.choice(draw.choice(source.documents)).split()[:HEADING_WORDS]
    return " ".join(words).rstrip(".,!?")


def file_path(folder: Path, number: int) -> Path:
    """Where file ``number`` stands.

    >>> file_path(Path("made"), 1203).as_posix()
    'made/002/001203.md'
    """
    return folder / f"{number // FILES_PER_FOLDER:03d}" / f"{number:06d}.md"


def write_files(source: Material, folder: Path, first: int, n_passages: int, seed: int) -> list[Path]:
    """Write files from number ``first`` on that hold so many paragraphs; the last may hold fewer than 50."""
    written = []
    for number, begun in enumerate(range(0, n_passages, PASSAGES_PER_FILE), first):
        path = file_path(folder, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        n = min(PASSAGES_PER_FILE, n_passages - begun)
        path.write_text(file_text(source, number, n, seed), encoding="utf-8")
        written.append(path)
    return written


def lookups(source: Material, numbers: Sequence[int], n: int, seed: int) -> Iterator[str]:
    """Questions for two words of a passage of those files, names and figures before other long words."""
    draw = random.Random(f"{seed}:lookups")
    for _ in range(n if numbers else 0):
        passage = draw.choice(paragraphs(source, draw.choice(numbers), PASSAGES_PER_FILE, seed))
        words = [match[0] for match in re.finditer(r"[\w’']+", passage)]
        telling = [word for word in words if word[0].isdigit() or (word[0].isupper() and len(word) > 3)]
        others = [word for word in words if word[0].islower() and len(word) > 6]
        pair = [draw.choice(telling or words), draw.choice(others or words)]
        yield f"what is said about {pair[0]} and {pair[1]}?"


def template(sentence: str) -> str:
    """What stays of a sentence whatever its names and figures are.

    >>> template("In 2016 Hebden paid £45.") == template("In 1999 Orley paid £91.")
    True
    """
    return _DIGITS.sub("0", _CAPITALISED.sub("X", sentence))


class MixtureEncoder:
    """An encoder that looks up what another made of each sentence, and mixes it, instead of running anything.

    A text's vector is the mean of those of its sentences, by length, plus noise drawn from the text itself;
    a sentence that was never encoded is noise alone. It goes by the name and fingerprint of the ``encoder``
    the sentences were encoded with, so that this one may encode the questions.
    """

    def __init__(self, name: str, fingerprint: str, templates: Sequence[str], vectors: NDArray[np.float32]):
        import numpy as np

        self.name = name
        self.fingerprint = fingerprint
        self.dim = vectors.shape[1]
        self._row = {text: row for row, text in enumerate(templates)}
        self._vectors = vectors
        noises = np.random.default_rng(0).standard_normal((N_NOISES, self.dim), np.float32)
        self._noises = noises * (NOISE / np.sqrt(2 * self.dim))

    @classmethod
    def of(cls, source: Material, encoder: Encoder) -> MixtureEncoder:
        """One that knows every sentence of the material."""
        sentences = list({template(one): one for document in source.documents for one in document}.values())
        vectors = encoder.encode(sentences, kind="passage")
        return cls(encoder.name, encoder.fingerprint, list(map(template, sentences)), vectors)

    def save(self, path: Path) -> None:
        """Write what it knows to ``path``, an .npz file."""
        import numpy as np

        np.savez(
            path,
            vectors=self._vectors,
            templates=np.array(list(self._row)),
            identity=np.array([self.name, self.fingerprint]),
        )

    @classmethod
    def open(cls, path: Path) -> MixtureEncoder:
        """The one saved at ``path``."""
        import numpy as np

        with np.load(path, allow_pickle=False) as saved:
            name, fingerprint = map(str, saved["identity"])
            return cls(name, fingerprint, list(map(str, saved["templates"])), saved["vectors"])

    def encode(
        self, texts: Sequence[str], *, kind: Kind = "passage", progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """One unit vector a text, (n, d)."""
        import numpy as np

        rows, weights, ends, noises = list[int](), list[float](), list[int](), list[int]()
        seen: dict[str, int] = {}  # a passage's sentences come again, by themselves
        for text in texts:
            for sentence in _BETWEEN.split(text):  # a header ends with a point, and so before the first
                if sentence not in seen:
                    seen[sentence] = self._row.get(template(sentence), -1)
                if seen[sentence] >= 0:
                    rows.append(seen[sentence])
                    weights.append(len(sentence))
            ends.append(len(rows))
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            noises.append(int.from_bytes(digest, "little"))
        vectors = np.zeros((len(texts), self.dim), np.float32)
        starts = np.array([0, *ends[:-1]])
        filled = np.flatnonzero(np.array(ends) > starts)
        if len(filled):
            weighted = self._vectors[rows] * np.array(weights, np.float32)[:, None]
            vectors[filled] = np.add.reduceat(weighted, starts[filled], axis=0)
            vectors[filled] /= np.linalg.norm(vectors[filled], axis=1, keepdims=True)
        picked = np.array(noises, np.uint64)
        vectors += self._noises[(picked % N_NOISES).astype(np.int64)]
        vectors += self._noises[(picked // N_NOISES % N_NOISES).astype(np.int64)]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        if progress:
            progress(len(texts))
        return vectors

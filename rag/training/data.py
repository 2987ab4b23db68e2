"""Groups of one right and up to two wrong rows for each question, from a folder of QA files and a seed.

python -m rag.training.data --data FOLDER --seed 1 --show 5
"""

import argparse
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rag.training.perturb import names_in, perturb
from rag.training.sources import SOURCES, Example, load_all
from rag.training.windows import contains, cut_text, sentence_spans, some_text, without_answer

# Each question gets one wrong row to be ranked below, and one that nearly answers it.
ELSEWHERE = {"mined": 0.75, "neighbour": 0.25}
NEAR_MISSES = {"perturbed": 0.45, "asked": 0.35, "cut": 0.20}
# where questions say "they" and "the poster", the best BM25 matches answer them as well: look deeper
MINED_RANKS: dict[str, tuple[int, int]] = defaultdict(
    lambda: (0, 10), policyqa=(30, 60), reddit=(5, 30), amazon=(5, 30)
)
N_MINED = 60
N_ASKED = 20  # of the questions most like one, those looked through for a wrong one
IMPOSSIBLE_TIMES = 5  # near misses written by people are few and the best: each is paired that often

TERSE_SHARE = 0.1  # of the questions are typed as into a search box
_SMALL_WORDS = frozenset(
    "a an the of in on at to for by with from as and is was were are be been did do does has have had that "
    "this what which there their its his her".split()
)

_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True)
class Row:
    """One input of the reader; `answers` are (start, end) characters of `passage`, () in a wrong row.

    `evidence` are (start, end) of what a careful person would show for it, () where nobody said.
    """

    group: int
    source: str
    kind: str
    label: int
    question: str
    header: str
    passage: str
    answers: tuple[tuple[int, int], ...]
    evidence: tuple[tuple[int, int], ...] = ()


class Pools:
    """Each source's distinct passages and questions: BM25 neighbours, passages by title, names that occur."""

    def __init__(self, examples: Sequence[Example], asked: Sequence[Example] | None = None) -> None:
        """Index the passages of `examples`, and mine for the questions of `asked` (default: the same)."""
        self.passages: dict[str, list[str]] = {}
        self.titles: dict[str, dict[str, str]] = {}
        self.names: dict[str, list[str]] = {}
        self.mined: dict[tuple[str, str], list[int]] = {}
        self.asked: dict[tuple[str, str], list[Example]] = {}
        self.by_title: dict[tuple[str, str], list[str]] = defaultdict(list)
        for source in SOURCES:
            own = [e for e in examples if e.source == source.name]
            if not own:
                continue
            self.titles[source.name] = {e.passage: e.title for e in own}
            self.passages[source.name] = passages = list(self.titles[source.name])
            for passage in passages:
                if self.titles[source.name][passage]:
                    self.by_title[source.name, self.titles[source.name][passage]].append(passage)
            found = (name for passage in passages for name in names_in(passage))
            self.names[source.name] = sorted(set(found))
            questions = sorted({e.question for e in (asked or own) if e.source == source.name})
            if questions:
                ranked = nearest(passages, questions, N_MINED)
                self.mined.update(zip([(source.name, q) for q in questions], ranked, strict=True))
            if questions and source.clean:
                answered = [e for e in own if e.answers]
                ranked = nearest([e.question for e in answered], questions, N_ASKED)
                for question, row in zip(questions, ranked, strict=True):
                    self.asked[source.name, question] = [answered[i] for i in row]

    def candidates(self, example: Example, ranks: tuple[int, int]) -> list[str]:
        """Passages BM25 ranks between `ranks` for the question that hold no gold answer."""
        passages, answers = self.passages[example.source], [text for _, text in example.answers]
        lo, hi = ranks
        ranked = [passages[i] for i in self.mined[example.source, example.question][lo:hi]]
        return [p for p in ranked if p != example.passage and not contains(p, answers)]

    def other_questions(self, example: Example) -> list[str]:
        """Questions people asked of other passages, like this one in words, without an answer in its passage.

        Those of its own document come first: what they ask could have stood here.
        """
        others = [
            e
            for e in self.asked.get((example.source, example.question), [])
            if e.passage != example.passage
            and e.question.lower() != example.question.lower()
            and not contains(example.passage, [text for _, text in e.answers])
        ]
        near = [e.question for e in others if e.title and e.title == example.title]
        return near or [e.question for e in others]

    def names_beside(self, example: Example, rng: random.Random) -> list[str]:
        """Names of the same document's other passages, or a sample of the source's where it has none."""
        beside = self.by_title[example.source, example.title] if example.title else []
        if len(beside) > 1 and rng.random() < 0.5:
            return [
                n
                for p in rng.sample(beside, min(6, len(beside)))
                if p != example.passage
                for n in names_in(p)
            ]
        names = self.names[example.source]
        return rng.sample(names, min(200, len(names)))

    def title(self, source: str, passage: str) -> str:
        """The title of a passage in its source, or ""."""
        return self.titles[source].get(passage, "")


def nearest(texts: list[str], queries: list[str], k: int) -> list[list[int]]:
    """For each query the indices of its `k` best `texts` by BM25, best first."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    quiet = {"show_progress": False}
    bm25 = bm25s.BM25()
    bm25.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, **quiet), **quiet)
    tokens = bm25s.tokenize(queries, stopwords="en", stemmer=stemmer, return_ids=False, **quiet)
    ranked, _ = bm25.retrieve(tokens, k=min(k, len(texts)), **quiet)
    return [[int(i) for i in row] for row in ranked]


@dataclass(frozen=True)
class Wrong:
    """What is wrong about a row: another passage under its title, or another question."""

    kind: str
    title: str
    passage: str | None = None
    question: str | None = None


def negative(
    example: Example, pools: Pools, shares: Mapping[str, float], short: bool, rng: random.Random
) -> Wrong | None:
    """A wrong row of a kind drawn by share; where that cannot be made, the next that can; else None."""
    kinds = list(shares)
    for kind in (rng.choices(kinds, list(shares.values()))[0], *kinds):
        made = _made(kind, example, pools, short, rng)
        if made is not None:
            return made
    return None


def _made(kind: str, example: Example, pools: Pools, short: bool, rng: random.Random) -> Wrong | None:
    """A wrong row of this kind, or None where the example gives none."""
    answers = [text for _, text in example.answers]
    if kind == "mined":
        found = pools.candidates(example, MINED_RANKS[example.source])
        if not found:
            return None
        passage = rng.choice(found)
        text = some_text(passage, short, rng, example.question)
        return Wrong(kind, pools.title(example.source, passage), passage=text)
    if kind == "neighbour":
        near = pools.by_title[example.source, example.title] if example.title else []
        near = [p for p in near if p != example.passage and not contains(p, answers)]
        if not near:
            return None
        return Wrong(kind, example.title, passage=some_text(rng.choice(near), short, rng, example.question))
    if kind == "cut":
        spans = [(start, start + len(text)) for start, text in example.answers]
        rest = without_answer(example.passage, spans, answers, short, rng)
        return None if rest is None else Wrong(kind, example.title, passage=rest)
    if kind == "asked":
        questions = pools.other_questions(example)
        return Wrong(kind, example.title, question=rng.choice(questions)) if questions else None
    wrong = perturb(example.question, example.passage, rng, pools.names_beside(example, rng))
    return None if wrong is None else Wrong(kind, example.title, question=wrong[0])


def typed(question: str, lower: bool, bare: bool, terse: bool = False) -> str:
    """The question as people type it: in lower case, its question mark dropped, without its small words.

    >>> typed("Who was the head of the trust in 2015?", True, True, True)
    'who head trust 2015'
    """
    question = question.lower() if lower or terse else question
    question = question.rstrip("? ") if (lower and bare) or terse else question
    if not terse:
        return question
    kept = [word for word in question.split() if word not in _SMALL_WORDS]
    return " ".join(kept) if len(kept) > 2 else question


def header(title: str, date: str) -> str:
    """What stands before the passage.

    >>> header("Thames", "22 March 2017"), header("", ""), header("Thames", "")
    ('Thames | 22 March 2017 . ', '', 'Thames . ')
    """
    parts = [part for part in (title, date) if part]
    return " | ".join(parts) + " . " if parts else ""


def evidence_of(text: str, answers: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The sentences that hold the answers, or touch them.

    >>> evidence_of("It rained. We left. It was 5 May.", [(27, 32)])
    ((20, 33),)
    """
    return tuple((lo, hi) for lo, hi in sentence_spans(text) if any(lo < e and hi > s for s, e in answers))


def some_date(rng: random.Random) -> str:
    """A date as documents write it, drawn."""
    return f"{rng.randint(1, 28)} {rng.choice(_MONTHS)} {rng.randint(1990, 2024)}"


def build_group(
    number: int,
    example: Example,
    pools: Pools,
    rng: random.Random,
    wrong_question: str | None = None,
    terse_share: float = TERSE_SHARE,
) -> list[Row]:
    """[right row, wrong rows] for an answerable example, or [] where no wrong row can be made."""
    short, with_title, with_date = rng.random() < 0.65, rng.random() < 0.5, rng.random() < 0.25
    lower, bare, terse = rng.random() < 0.25, rng.random() < 0.5, rng.random() < terse_share
    start, text = example.answers[0]
    lo, hi = cut_text(example.passage, start, start + len(text), short, rng)
    passage = example.passage[lo:hi]
    spans = tuple((s - lo, s + len(t) - lo) for s, t in example.answers if s >= lo and s + len(t) <= hi)
    found = [negative(example, pools, ELSEWHERE, short, rng)]
    if wrong_question is not None:
        found.append(Wrong("impossible", example.title, question=wrong_question))
    else:
        found.append(negative(example, pools, NEAR_MISSES, short, rng))
    date = some_date(rng) if with_date else ""
    rows = [
        Row(
            number,
            example.source,
            "right",
            1,
            typed(example.question, lower, bare, terse),
            header(example.title if with_title else "", date),
            passage,
            spans,
            evidence_of(passage, spans),
        )
    ]
    for wrong in found:
        if wrong is None:
            continue
        other = wrong.kind in ELSEWHERE  # a text of its own has a date of its own
        asked = typed(wrong.question or example.question, lower, bare, terse)
        top = header(wrong.title if with_title else "", some_date(rng) if other and with_date else date)
        rows.append(Row(number, example.source, wrong.kind, 0, asked, top, wrong.passage or passage, ()))
    return rows if len(rows) > 1 else []


def build_groups(
    examples: Sequence[Example], pools: Pools, seed: int, numbered_from: int = 0
) -> list[list[Row]]:
    """The groups of the examples, numbered on; an unanswerable one joins one that its passage answers."""
    answered: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.answers:
            answered[example.passage].append(example)
    groups: list[list[Row]] = []
    for example in examples:
        rng = random.Random(f"{seed} {example.source} {example.id} {example.question}")
        if example.answers:
            pairs: list[tuple[Example, str | None]] = [(example, None)]
        else:
            paired = answered[example.passage] * IMPOSSIBLE_TIMES
            pairs = [
                (right, example.question) for right in rng.sample(paired, min(IMPOSSIBLE_TIMES, len(paired)))
            ]
        for right, wrong in pairs:
            group = build_group(numbered_from + len(groups), right, pools, rng, wrong)
            if group:
                groups.append(group)
    return groups


def digest(groups: Sequence[Sequence[Row]]) -> str:
    """sha256 of the rows in order: equal seed and files give an equal digest."""
    sha = hashlib.sha256()
    for group in groups:
        for row in group:
            sha.update(json.dumps(asdict(row), ensure_ascii=False, sort_keys=True).encode())
    return sha.hexdigest()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of *.jsonl.gz QA files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="groups to print")
    parser.add_argument("--rows", type=int, default=None, help="questions a source, for a quick look")
    options = parser.parse_args()
    train, held, _ = load_all(options.data, options.seed, options.rows)
    groups = build_groups(train, Pools(train), options.seed)
    for group in random.Random(options.seed).sample(groups, min(options.show, len(groups))):
        for row in group:
            print(json.dumps(asdict(row), ensure_ascii=False))
    kinds: dict[str, int] = defaultdict(int)
    for _, *wrong in groups:
        for row in wrong:
            kinds[row.kind] += 1
    print(json.dumps({"groups": len(groups), "held_out": len(held), **kinds, "sha256": digest(groups)}))


if __name__ == "__main__":
    main()

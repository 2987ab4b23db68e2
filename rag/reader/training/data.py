"""Groups of one right and one wrong row for each question, from a folder of QA files and a seed.

python -m rag.reader.training.data --data FOLDER --seed 1 --show 5
"""

import argparse
import hashlib
import json
import random
import re
from collections import defaultdict
from dataclasses import asdict, dataclass

from rag.reader.training.perturb import names_in, perturb
from rag.reader.training.sources import SOURCES, load_all

WINDOW_WORDS = (50, 110)  # what the assistant's own passages hold
LONG_WORDS = 180  # about 256 tokens, the most a passage may take
MIN_CUT_WORDS = 40  # a passage robbed of its answer must still look like one
NEGATIVE_SHARES = {"mined": 0.45, "neighbour": 0.20, "cut": 0.15, "perturbed": 0.20}
# where questions say "they" and "the poster", the best BM25 matches answer them as well: look deeper
MINED_RANKS = defaultdict(lambda: (0, 10), policyqa=(30, 60), reddit=(5, 30), amazon=(5, 30))
N_MINED = 60

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])|\s*\n+\s*|(?<= \.)\s+(?=[A-Z`])")
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True)
class Row:
    """One input of the reader; `answers` are (start, end) characters of `passage`, [] in a wrong row."""

    group: int
    source: str
    kind: str
    label: int
    question: str
    header: str
    passage: str
    answers: tuple[tuple[int, int], ...]


def sentence_spans(text):
    """(start, end) of each sentence, by a plain rule; together they cover all but white space.

    >>> sentence_spans("It rained. We left.")
    [(0, 10), (11, 19)]
    """
    spans, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        quote = match.group()
        end = match.start() + len(quote) - len(quote.lstrip("\"'”’)]"))
        if text[start:end].strip():
            spans.append((start, end))
        start = match.end()
    if text[start:].strip():
        spans.append((start, len(text.rstrip())))
    return spans


def n_words(text):
    return len(text.split())


def window(text, start, end, max_words, rng):
    """(lo, hi): whole sentences around text[start:end], at a random side first, of about `max_words`.

    A sentence is added while it fits; the sentences of the answer are always whole.
    """
    spans = sentence_spans(text)
    inside = [i for i, (lo, hi) in enumerate(spans) if lo < end and hi > start]
    if not inside:
        return 0, len(text)
    first, last = inside[0], inside[-1]
    room = max_words - n_words(text[spans[first][0] : spans[last][1]])
    sides = ["left", "right"]
    lean = rng.random()
    while sides:
        side = sides[0] if len(sides) == 1 else ("left" if rng.random() < lean else "right")
        i = first - 1 if side == "left" else last + 1
        cost = n_words(text[slice(*spans[i])]) if 0 <= i < len(spans) else room + 1
        if cost > room:
            sides.remove(side)
            continue
        room -= cost
        first, last = min(first, i), max(last, i)
    return min(start, spans[first][0]), max(end, spans[last][1])


def clip(text, start, end, max_words):
    """(lo, hi) within text around start..end of at most about `max_words` words, cut at white space."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) <= max_words:
        return 0, len(text)
    first = next((i for i, (_, hi) in enumerate(words) if hi > start), 0)
    last = max((i for i, (lo, _) in enumerate(words) if lo < end), default=first)
    lead = max(0, (max_words - (last - first + 1)) // 2)
    first = max(0, min(first - lead, len(words) - max_words))
    last = max(last, min(len(words), first + max_words) - 1)
    return min(start, words[first][0]), max(end, words[last][1])


def cut_text(text, start, end, short, rng):
    """(lo, hi) as a row shows it: sentences of 50 to 110 words when `short`, else up to 180."""
    lo, hi = window(text, start, end, rng.randint(*WINDOW_WORDS) if short else LONG_WORDS, rng)
    a, b = clip(text[lo:hi], start - lo, end - lo, LONG_WORDS)
    return lo + a, lo + b


def contains(text, answers):
    """Whether the text holds any of the answers as whole words, case ignored."""
    lowered = text.lower()
    return any(
        re.search(rf"(?<!\w){re.escape(answer.strip().lower())}(?!\w)", lowered)
        for answer in answers
        if answer.strip()
    )


def without_answer(text, spans, answers, short, rng):
    """A stretch of whole sentences of `text` beside the answer's, or None if under 40 words remain."""
    sentences = sentence_spans(text)
    hit = [i for i, (lo, hi) in enumerate(sentences) if any(lo < e and hi > s for s, e in spans)]
    if not hit:
        return None
    runs, run = [], []
    for i in range(len(sentences) + 1):
        if i in hit or i == len(sentences):
            if run:
                runs.append((sentences[run[0]][0], sentences[run[-1]][1]))
            run = []
        else:
            run.append(i)
    runs = [(lo, hi) for lo, hi in runs if n_words(text[lo:hi]) >= MIN_CUT_WORDS]
    rng.shuffle(runs)
    for lo, hi in runs:
        kept = some_text(text[lo:hi], short, rng)
        if not contains(kept, answers) and n_words(kept) >= MIN_CUT_WORDS:
            return kept
    return None


def some_text(text, short, rng, question=""):
    """A stretch of the text of the length a row shows: where it is most like the question, or anywhere."""
    spans = sentence_spans(text) or [(0, len(text))]
    start, end = rng.choice(spans)
    words = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 3}
    if words and rng.random() < 0.7:
        start, end = max(
            spans, key=lambda span: len(words & set(re.findall(r"\w+", text[slice(*span)].lower())))
        )
    lo, hi = cut_text(text, start, min(end, start + 400), short, rng)
    return text[lo:hi]


class Pools:
    """Each source's distinct passages: BM25 neighbours, passages by title, names that occur."""

    def __init__(self, examples, asked=None):
        """Index the passages of `examples`, and mine for the questions of `asked` (default: the same)."""
        self.passages, self.titles, self.names, self.mined = {}, {}, {}, {}
        self.by_title = defaultdict(list)
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
                self.mined.update(self._mine(source.name, passages, questions))

    def _mine(self, name, passages, questions):
        import bm25s
        import Stemmer

        stemmer = Stemmer.Stemmer("english")
        quiet = dict(show_progress=False)
        bm25 = bm25s.BM25()
        bm25.index(bm25s.tokenize(passages, stopwords="en", stemmer=stemmer, **quiet), **quiet)
        queries = bm25s.tokenize(questions, stopwords="en", stemmer=stemmer, return_ids=False, **quiet)
        ranked, _ = bm25.retrieve(queries, k=min(N_MINED, len(passages)), **quiet)
        return {
            (name, question): [int(i) for i in row] for question, row in zip(questions, ranked, strict=True)
        }

    def candidates(self, example, ranks):
        """Passages BM25 ranks between `ranks` for the question that hold no gold answer."""
        passages, answers = self.passages[example.source], [text for _, text in example.answers]
        lo, hi = ranks
        ranked = [passages[i] for i in self.mined[example.source, example.question][lo:hi]]
        return [p for p in ranked if p != example.passage and not contains(p, answers)]

    def title(self, source, passage):
        return self.titles[source].get(passage, "")


def negative(example, pools, short, rng):
    """(kind, passage or None, title, wrong question or None): kind drawn by share, the next best if it fails."""
    answers = [text for _, text in example.answers]
    kinds = list(NEGATIVE_SHARES)
    first = rng.choices(kinds, NEGATIVE_SHARES.values())[0]
    for kind in (first, "mined", "neighbour", "cut", "perturbed"):
        if kind == "mined":
            found = pools.candidates(example, MINED_RANKS[example.source])
            if found:
                passage = rng.choice(found)
                return (
                    kind,
                    some_text(passage, short, rng, example.question),
                    pools.title(example.source, passage),
                    None,
                )
        elif kind == "neighbour":
            near = pools.by_title[example.source, example.title] if example.title else []
            near = [p for p in near if p != example.passage and not contains(p, answers)]
            if near:
                return kind, some_text(rng.choice(near), short, rng, example.question), example.title, None
        elif kind == "cut":
            spans = [(start, start + len(text)) for start, text in example.answers]
            passage = without_answer(example.passage, spans, answers, short, rng)
            if passage is not None:
                return kind, passage, example.title, None
        else:
            names = pools.names[example.source]
            wrong = perturb(example.question, example.passage, rng, rng.sample(names, min(200, len(names))))
            if wrong is not None:
                return kind, None, example.title, wrong[0]
    return None


def typed(question, lower, bare):
    """The question as people type it: in lower case, its question mark dropped."""
    question = question.lower() if lower else question
    return question.rstrip("? ") if lower and bare else question


def header(title, date):
    """What stands before the passage.

    >>> header("Thames", "22 March 2017"), header("", ""), header("Thames", "")
    ('Thames | 22 March 2017 . ', '', 'Thames . ')
    """
    parts = [part for part in (title, date) if part]
    return " | ".join(parts) + " . " if parts else ""


def some_date(rng):
    return f"{rng.randint(1, 28)} {rng.choice(_MONTHS)} {rng.randint(1990, 2024)}"


def build_group(number, example, pools, rng, wrong_question=None):
    """[right row, wrong row] for an answerable example, or [] where no wrong row can be made."""
    short, with_title, with_date = rng.random() < 0.65, rng.random() < 0.5, rng.random() < 0.25
    lower, bare = rng.random() < 0.25, rng.random() < 0.5
    start, text = example.answers[0]
    lo, hi = cut_text(example.passage, start, start + len(text), short, rng)
    passage = example.passage[lo:hi]
    spans = tuple((s - lo, s + len(t) - lo) for s, t in example.answers if s >= lo and s + len(t) <= hi)
    if wrong_question is not None:
        made = ("impossible", None, example.title, wrong_question)
    else:
        made = negative(example, pools, short, rng)
    if made is None:
        return []
    kind, other, title, wrong = made
    dates = [some_date(rng) if with_date else "" for _ in range(2)]
    if kind in ("perturbed", "cut", "impossible"):
        dates[1] = dates[0]
    headers = [header(t if with_title else "", d) for t, d in zip((example.title, title), dates, strict=True)]
    asked = [typed(q, lower, bare) for q in (example.question, wrong or example.question)]
    return [
        Row(number, example.source, "right", 1, asked[0], headers[0], passage, spans),
        Row(number, example.source, kind, 0, asked[1], headers[1], other or passage, ()),
    ]


def build_groups(examples, pools, seed, numbered_from=0):
    """The groups of the answerable examples, and of each unanswerable one with a question its passage answers."""
    answered = defaultdict(list)
    for example in examples:
        if example.answers:
            answered[example.passage].append(example)
    groups = []
    for example in examples:
        rng = random.Random(f"{seed} {example.source} {example.id} {example.question}")
        wrong = None
        if not example.answers:
            if not answered[example.passage]:
                continue
            wrong, example = example.question, rng.choice(answered[example.passage])
        group = build_group(numbered_from + len(groups), example, pools, rng, wrong)
        if group:
            groups.append(group)
    return groups


def digest(groups):
    """sha256 of the rows in order: equal seed and files give an equal digest."""
    sha = hashlib.sha256()
    for group in groups:
        for row in group:
            sha.update(json.dumps(asdict(row), ensure_ascii=False, sort_keys=True).encode())
    return sha.hexdigest()


def main():
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
    kinds = defaultdict(int)
    for _, wrong in groups:
        kinds[wrong.kind] += 1
    print(json.dumps({"groups": len(groups), "held_out": len(held), **kinds, "sha256": digest(groups)}))


if __name__ == "__main__":
    main()

"""Stretches of whole sentences: around an answer, beside it, or like a question."""

import random
import re
from collections.abc import Sequence

WINDOW_WORDS = (50, 110)  # what the assistant's own passages hold
LONG_WORDS = 180  # about 256 tokens, the most a passage may take
MIN_CUT_WORDS = 40  # a passage robbed of its answer must still look like one

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])|\s*\n+\s*|(?<= \.)\s+(?=[A-Z`])")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, by a plain rule; together they cover all but white space.

    Not `rag.text.sentences`: half the training sets are tokenised text ("it rained ."), which it does not
    know, and this takes minutes less over 100,000 passages.

    >>> sentence_spans("It rained. We left.")
    [(0, 10), (11, 19)]
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        quote = match.group()
        end = match.start() + len(quote) - len(quote.lstrip("\"'”’)]"))
        if text[start:end].strip():
            spans.append((start, end))
        start = match.end()
    if text[start:].strip():
        spans.append((start, len(text.rstrip())))
    return spans


def n_words(text: str) -> int:
    """The number of words divided by white space."""
    return len(text.split())


def window(text: str, start: int, end: int, max_words: int, rng: random.Random) -> tuple[int, int]:
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


def clip(text: str, start: int, end: int, max_words: int) -> tuple[int, int]:
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


def cut_text(text: str, start: int, end: int, short: bool, rng: random.Random) -> tuple[int, int]:
    """(lo, hi) as a row shows it: sentences of 50 to 110 words when `short`, else up to 180."""
    lo, hi = window(text, start, end, rng.randint(*WINDOW_WORDS) if short else LONG_WORDS, rng)
    a, b = clip(text[lo:hi], start - lo, end - lo, LONG_WORDS)
    return lo + a, lo + b


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether the text holds any of the answers as whole words, case ignored."""
    lowered = text.lower()
    return any(
        answer.strip().lower() in lowered
        and re.search(rf"(?<!\w){re.escape(answer.strip().lower())}(?!\w)", lowered)
        for answer in answers
        if answer.strip()
    )


def without_answer(
    text: str, spans: Sequence[tuple[int, int]], answers: Sequence[str], short: bool, rng: random.Random
) -> str | None:
    """A stretch of whole sentences of `text` beside the answer's, or None if under 40 words remain."""
    sentences = sentence_spans(text)
    hit = [i for i, (lo, hi) in enumerate(sentences) if any(lo < e and hi > s for s, e in spans)]
    if not hit:
        return None
    runs: list[tuple[int, int]] = []
    run: list[int] = []
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


def some_text(text: str, short: bool, rng: random.Random, question: str = "") -> str:
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

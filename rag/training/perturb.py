"""Questions whose words fit a passage and whose fact does not: the hard case for relevance.

After Rajpurkar et al. 2018 (SQuAD 2.0), section 4, and Gardner et al. 2020 (contrast sets): one
number, name or direction is changed, so that the passage no longer answers the question.
"""

import random
import re
from collections.abc import Callable, Sequence

_PAIRS = """
first last|largest smallest|biggest smallest|before after|increase decrease|increased decreased
north south|northern southern|east west|eastern western|oldest youngest|oldest newest|most least|won lost
win lose|minimum maximum|highest lowest|higher lower|more fewer|more less|longest shortest|longer shorter
older younger|earlier later|earliest latest|start end|started ended|begin end|began ended|open close
opened closed|born died|male female|men women|man woman|father mother|brother sister|son daughter
husband wife|king queen|boy girl|best worst|good bad|better worse|positive negative|advantage disadvantage
advantages disadvantages|summer winter|spring autumn|left right|upper lower|inside outside|above below
buy sell|bought sold|success failure|successful unsuccessful|accept reject|accepted rejected|rise fall
rose fell|win lose|allow forbid|allowed forbidden|public private|support oppose|supported opposed
fast slow|fastest slowest|hot cold|strong weak|strongest weakest|rich poor|richest poorest|ancient modern
major minor|dead alive|day night|morning evening|early late|new old|large small|big small|high low
long short|same different|friend enemy|appointed dismissed|elected defeated|created destroyed
built demolished|arrived departed|arrive depart|join leave|joined left|gain lose|gained lost|import export
imports exports|domestic foreign|primary secondary|winner loser|minimum maximum|cause prevent
caused prevented|like dislike|liked disliked|love hate|loved hated|easy difficult|internal external
offensive defensive|victory defeat|profit loss|teacher student|parents children|urban rural
"""
ANTONYMS: dict[str, list[str]] = {}
for _pair in re.split(r"\s*[|\n]\s*", _PAIRS.strip()):
    _one, _other = _pair.split()
    ANTONYMS.setdefault(_one, []).append(_other)
    ANTONYMS.setdefault(_other, []).append(_one)

_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?:,\d{3})*(?![\w]|[.,]\d)")
_NAME = re.compile(r"\b[A-Z][\w'’-]*(?:\s+(?:(?:of|the|de|van|von|and)\s+)?[A-Z][\w'’-]*)*")
_WORD = re.compile(r"[A-Za-z]+")
_NOT_A_NAME = frozenset(
    "What Who Whom Whose Which When Where Why How In On At The A An Of For To From By With Did Do Does "
    "Is Are Was Were Has Have Had Can Could Would Should If After Before During As It He She They We I "
    "You This That These Those And But Or Along According Besides Between About Under While Since Until "
    "Name His Her Their Its There Some Many".split()
)
_VERB = re.compile(
    r"\b(did|does|do|is|are|was|were|can|could|would|should|has|have|had|will)\b(?!n['’]t)(?=\s+\w)"
)


def names_in(text: str) -> list[str]:
    """Capitalised runs of `text` with a leading function word trimmed, in order.

    >>> names_in("When did Marie Curie move to Paris?")
    ['Marie Curie', 'Paris']
    """
    return [text[start:end] for start, end in _name_spans(text)]


def _name_spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for match in _NAME.finditer(text):
        start, end = match.span()
        while start < end:
            word = re.match(r"[\w'’-]+", text[start:end])
            if word is None or word.group() not in _NOT_A_NAME:
                break
            start += len(word.group())
            start += len(text[start:end]) - len(text[start:end].lstrip())
        name = text[start:end]
        if len(name) > 2 and not name.endswith(("'s", "’s")):
            spans.append((start, end))
        elif len(name) > 4:
            spans.append((start, end - 2))
    return spans


def swap_number(question: str, passage: str, rng: random.Random) -> str | None:
    """The question with one number made another: one from the passage if it can, else a near one."""
    found = list(_NUMBER.finditer(question))
    if not found:
        return None
    match = rng.choice(found)
    old: str = match.group()
    others = [n for n in dict.fromkeys(_NUMBER.findall(passage)) if n != old and len(n) == len(old)]
    if others and rng.random() < 0.6:
        new: str = rng.choice(others)
    else:
        value = int(old.replace(",", ""))
        step = rng.choice([1, 2, 3, 5, 10, 20]) if value < 3000 else rng.choice([100, 250, 1000])
        changed = value + step if value <= step or rng.random() < 0.5 else value - step
        new = f"{changed:,}" if "," in old else str(changed)
    return f"{question[: match.start()]}{new}{question[match.end() :]}"


def swap_name(question: str, passage: str, rng: random.Random, pool: Sequence[str] = ()) -> str | None:
    """The question with one name made another of similar length, from the passage or from `pool`."""
    found = _name_spans(question)
    if not found:
        return None
    start, end = rng.choice(found)
    old = question[start:end]
    n_words = len(old.split())

    def alike(name: str) -> bool:
        return (
            abs(len(name.split()) - n_words) <= (1 if n_words > 1 else 0)
            and not set(name.lower().split()) & set(old.lower().split())
            and name.lower() not in question.lower()
        )

    here = [name for name in dict.fromkeys(names_in(passage)) if alike(name)]
    there = [name for name in pool if alike(name) and name not in passage]
    # a name from elsewhere is always wrong; one from the passage is the harder mistake
    choices = here if here and (not there or rng.random() < 0.5) else there
    return question[:start] + rng.choice(choices) + question[end:] if choices else None


def swap_antonym(question: str, rng: random.Random) -> str | None:
    """The question with one word turned into its opposite."""
    found = [match for match in _WORD.finditer(question) if match.group().lower() in ANTONYMS]
    if not found:
        return None
    match = rng.choice(found)
    new = rng.choice(ANTONYMS[match.group().lower()])
    if match.group()[0].isupper():
        new = new.capitalize()
    return question[: match.start()] + new + question[match.end() :]


def negate(question: str, rng: random.Random) -> str | None:
    """The question with its verb denied ("did" becomes "didn't", "is" becomes "is not")."""
    match = _VERB.search(question)
    if match is None or re.search(r"\b(not|never|no)\b|n['’]t\b", question):
        return None
    if match.group() in ("did", "does", "do") and rng.random() < 0.5:
        return question[: match.end()] + "n't" + question[match.end() :]
    if match.group() in ("is", "are", "was", "were", "can", "could", "would", "should", "will"):
        return question[: match.end()] + " not" + question[match.end() :]
    return question[: match.end()] + "n't" + question[match.end() :]


def perturb(
    question: str, passage: str, rng: random.Random, pool: Sequence[str] = ()
) -> tuple[str, str] | None:
    """(wrong question, kind), or None when nothing in the question can be swapped.

    `pool` holds names of other passages. Negation is rare: it is the easiest to notice, often bad
    English, and one that always means "no answer" would be a shortcut.
    """
    makers: list[tuple[str, Callable[[], str | None]]] = [
        ("number", lambda: swap_number(question, passage, rng)),
        ("name", lambda: swap_name(question, passage, rng, pool)),
        ("antonym", lambda: swap_antonym(question, rng)),
    ]
    rng.shuffle(makers)
    negation: tuple[str, Callable[[], str | None]] = ("negation", lambda: negate(question, rng))
    if rng.random() < 0.08:
        makers.insert(0, negation)
    for kind, make in makers:
        wrong = make()
        if wrong is not None and wrong.lower() != question.lower():
            return wrong, kind
    return None

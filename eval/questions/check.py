"""Is a question set itself sound: does every quote and answer stand where it says, is nothing asked twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import normalise
from eval.questions import TRAITS, Question
from eval.questions.gold import GoldRange, Library

MUST_ABSTAIN = ("unanswerable", "off_subject")
MAY_ABSTAIN = (*MUST_ABSTAIN, "false_presupposition", "follow_up", None)
SHARED_WORDS = 4  # in a row: from here on a question borrows its evidence's wording
NEAR_DUPLICATE = 0.8  # share of words two questions have in common

Fault = tuple[str, str]  # level and message


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a question: an ``error`` makes the set unsound, a ``warning`` wants a look."""

    question_id: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Soundness:
    """What a check found, with the counts a reader wants to see."""

    findings: tuple[Finding, ...]
    n_questions: int
    n_answerable: int
    by_type: dict[str, int]
    by_split: dict[str, int]
    by_trait: dict[str, int]
    n_borrowed: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.level != "error" for finding in self.findings)

    @property
    def borrowed_share(self) -> float:
        """The share of answerable questions that borrow four words in a row from their evidence."""
        return self.n_borrowed / self.n_answerable if self.n_answerable else 0.0


def words(text: str) -> list[str]:
    """A text's words, lower case, without punctuation.

    >>> words("Who's in the chair?")
    ["who's", 'in', 'the', 'chair']
    """
    return re.findall(r"\w+(?:['’]\w+)*", text.lower())


def shares_run(one: str, other: str, n: int = SHARED_WORDS) -> bool:
    """Whether two texts have ``n`` words in a row in common.

    >>> shares_run("when was the trust set up", "The trust was set up; when was the trust set", 4)
    True
    >>> shares_run("who left the trust", "the trust left", 4)
    False
    """
    first, second = words(one), words(other)
    runs = {tuple(first[i : i + n]) for i in range(len(first) - n + 1)}
    return any(tuple(second[i : i + n]) in runs for i in range(len(second) - n + 1))


def check(questions: Sequence[Question], library: Library | None) -> Soundness:
    """Every fault of a set, in the order of its questions; without documents only its form is checked."""
    findings: list[Finding] = []
    n_borrowed = 0
    for question in questions:
        findings += [Finding(question.id, *fault) for fault in _form(question)]
        if library is not None:
            faults, quotes = _evidence(question, library)
            findings += [Finding(question.id, *fault) for fault in faults]
            n_borrowed += question.answerable and any(shares_run(question.question, q) for q in quotes)
    findings += _asked_twice(questions)
    return Soundness(
        tuple(findings),
        len(questions),
        sum(q.answerable for q in questions),
        dict(Counter(q.type or "(none)" for q in questions)),
        dict(Counter(q.split or "(none)" for q in questions)),
        {t: n for t in TRAITS if (n := sum(t in q.all_traits for q in questions))},
        n_borrowed,
    )


def _form(question: Question) -> list[Fault]:
    """What is wrong with a question whatever the documents say."""
    faults: list[Fault] = []
    if question.answerable and question.type in MUST_ABSTAIN:
        faults.append(("error", f"of type {question.type}, yet it has answers or evidence"))
    if not question.answerable and question.type not in MAY_ABSTAIN:
        faults.append(("warning", f"of type {question.type}, yet it must abstain"))
    undecided = question.polarity is None and "conflict" not in question.all_traits
    if question.type == "yes_no" and question.answerable and undecided:
        faults.append(("warning", "a yes-or-no question without polarity, and not marked as a conflict"))
    if question.type == "follow_up":
        lacking = [key for key in ("previous", "standalone") if getattr(question, key) is None]
        faults += [("error", f'a follow-up needs "{key}"') for key in lacking]
    faults += [("error", fault) for fault in _trait_faults(question)]
    if question.answers and not question.evidence:
        faults.append(("warning", "no evidence: only its words can be scored, not where they stand"))
    return faults


def _trait_faults(question: Question) -> list[str]:
    """What a marked trait needs and the question lacks."""
    faults: list[str] = []
    traits = question.all_traits
    if "conflict" in traits and len(question.evidence) < 2:
        faults.append("marked as a conflict, yet its evidence has not two pieces: one a side")
    if "false_presupposition" in traits and question.answerable:
        faults.append("marked as a false presupposition, yet it has answers or evidence")
    if "as_of" in traits and not re.search(r"\b\d{4}\b", question.standalone or question.question):
        faults.append("marked as_of, yet it names no year")
    if not question.answerable and not (question.must_not or question.nearest):
        faults += [
            f'marked {trait}, yet neither "must_not" nor "nearest" says what would be wrong'
            for trait in traits
            if trait.startswith("wrong_")
        ]
    return faults


def _evidence(question: Question, library: Library) -> tuple[list[Fault], list[str]]:
    """Faults of the evidence, and the gold quotes' texts."""
    faults: list[Fault] = []
    standing: list[GoldRange] = []
    for number, piece in enumerate(question.evidence, 1):
        for place in piece.any_of:
            ranges, missing = library.place(place, question.answers)
            standing += ranges
            if missing:
                faults.append(("error", f"evidence {number}: {missing.document}: {missing.why}"))
            elif len({each.document for each in ranges}) > 1:
                several = "several documents go by that name"
                faults.append(("error", f"evidence {number}: {place.document}: {several}"))
        if len(set(piece.any_of)) < len(piece.any_of):
            faults.append(("warning", f"evidence {number}: a place is listed twice"))
    if standing and question.answers and not any(each.answers or each.whole for each in standing):
        faults.append(("warning", "no answer stands word for word in a sentence of its evidence"))
    for place in question.nearest:
        missing = library.place(place)[1]
        if missing:  # a warning: what is near may stand in matter that a loader leaves out, an advert say
            faults.append(("warning", f"nearest: {missing.document}: {missing.why}"))
    return faults, [_quoted(each, library) for each in standing]


def _quoted(gold: GoldRange, library: Library) -> str:
    """The words of a gold range; none of a whole document, from which nobody borrows."""
    return "" if gold.whole else library.document(gold.document).text[gold.start : gold.end]


def _asked_twice(questions: Sequence[Question]) -> list[Finding]:
    """Errors for questions asked before in the same words, warnings for those in nearly the same."""
    findings: list[Finding] = []
    asked: dict[str, str] = {}
    bags: list[tuple[str, set[str]]] = []
    for question in questions:
        text = normalise(question.standalone or question.question)
        bag = set(text.split())
        if text in asked:
            findings.append(Finding(question.id, "error", f"asks the same as {asked[text]}"))
        else:
            close = [i for i, other in bags if len(bag & other) >= NEAR_DUPLICATE * len(bag | other)]
            findings += [Finding(question.id, "warning", f"asks nearly the same as {i}") for i in close[:1]]
        asked.setdefault(text, question.id)
        bags.append((question.id, bag))
    return findings

"""Names in a text, by their capital letters; no list of names is needed."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[^\W_]+(?:[’'.-][^\W_]+)*")
# Words that stand inside a name without a capital, between two that have one.
_INSIDE = frozenset("of and the for de la van von du der & in at".split())
_OPENERS = frozenset(
    """a about after again all although an and another any as at because before but by during each every
    for from had has he her here his how i if in into is it its many more most my no nobody not now of
    on once one only or our over she since so some such that the their then there these they this
    those three to two under until we were what when where whether which while who why with within
    without yes yet you your""".split()
)
_MONTHS = frozenset(
    """january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday""".split()
)
TITLES = frozenset("mr mrs ms miss dr sir lady lord councillor cllr professor prof baroness".split())
ORGANISED = frozenset(
    """academy agency association authority authorities board borough bridge building bureau cabinet
    campaign centre college commission committee company council court department desk directorate
    fund gallery group hall house inspectorate institute limited ltd ministry museum office party plc
    road school service services society street survey team trust trustees university ward wing yard
    exchange hoard scheme""".split()
)


def names_in(text: str) -> list[str]:
    """Runs of capitalised words, in order, each once; days, months and words that open a sentence left out.

    >>> names_in("The trust is led by Paul Moffat. Ofsted inspected Doncaster Children's Services Trust.")
    ['Paul Moffat', 'Ofsted', "Doncaster Children's Services Trust"]
    """
    found: dict[str, None] = {}
    run: list[re.Match[str]] = []

    def close() -> None:
        while run and run[-1].group().casefold() in _INSIDE:
            run.pop()
        if run and opens_sentence(run[0].start()) and run[0].group().casefold() in _OPENERS:
            run.pop(0)
        while run and run[0].group().casefold() in _INSIDE | _MONTHS:
            run.pop(0)
        words = " ".join(word.group() for word in run)
        plain = words.casefold()
        if len(words) > 1 and plain not in _MONTHS and plain not in TITLES and plain not in _OPENERS:
            found.setdefault(re.sub(r"['’]s$", "", words))
        run.clear()

    def opens_sentence(start: int) -> bool:
        near = text[max(0, start - 12) : start]
        before = near.rstrip(" \t\n“\"'‘(*-#|")
        return not before or before[-1] in ".!?:;" or "\n\n" in near

    for token in _TOKEN.finditer(text):
        word = token.group()
        if run and not _joined(text[run[-1].end() : token.start()], run[-1].group()):
            close()
        if word[0].isupper() or (run and word in _INSIDE):
            run.append(token)
        else:
            close()
    close()
    return list(found)


def _joined(gap: str, before: str) -> bool:
    """Whether two tokens stand in one run: a space between them, or the stop of an abbreviated title."""
    return gap == " " or (gap == ". " and before.casefold() in TITLES)


def looks_like_person(name: str) -> bool:
    """Whether a name may be a person's: no figures, not all capitals, no word that organisations go by.

    >>> looks_like_person("Paul Moffat"), looks_like_person("Peer Review Board"), looks_like_person("Ofsted")
    (True, False, False)
    """
    words = [word.strip(".").casefold() for word in name.split()]
    if any(re.sub(r"['’]s$", "", word) in ORGANISED | _INSIDE | _MONTHS for word in words):
        return False
    if any(character.isdigit() for character in name) or name.isupper():
        return False
    titled = bool(words) and words[0] in TITLES
    return titled or 2 <= len(words) <= 4

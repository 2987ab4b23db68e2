"""Names in a text, by their capital letters; no list of names is needed."""

from __future__ import annotations

import re
from functools import cache

from rag.text.english import ENGLISH
from rag.text.language import Language

_TOKEN = re.compile(r"[^\W_]+(?:[’'.-][^\W_]+)*")
_OWNER = re.compile(r"['’]s$")


def names_in(text: str, language: Language = ENGLISH) -> list[str]:
    """Runs of capitalised words, in order, each once; days, months and words that open a sentence left out.

    >>> names_in("The trust is led by Paul Moffat. Ofsted inspected Doncaster Children's Services Trust.")
    ['Paul Moffat', 'Ofsted', "Doncaster Children's Services Trust"]
    """
    names: dict[str, None] = {}
    for start, end in name_spans(text, language):
        names.setdefault(" ".join(word.group() for word in _TOKEN.finditer(text[start:end])))
    return list(names)


def opens_sentence(text: str, start: int) -> bool:
    """Whether a word that starts there is the first of its sentence, as far as can be seen before it.

    >>> opens_sentence("It rose. Critics", 9), opens_sentence("It rose, Critics", 9)
    (True, False)
    """
    near = text[max(0, start - 12) : start]
    before = near.rstrip(" \t\n“\"'‘(*-#|")
    return not before or before[-1] in ".!?:;" or "\n\n" in near[len(before) :]


def name_spans(text: str, language: Language = ENGLISH) -> list[tuple[int, int]]:
    """The (start, end) of every name, in order; a possessive at its end is not part of it.

    >>> name_spans("led by Paul Moffat's deputy")
    [(7, 18)]
    """
    known = language.names
    calendar = _calendar(language)
    spans: list[tuple[int, int]] = []
    run: list[re.Match[str]] = []

    def close() -> None:
        while run and run[-1].group().casefold() in known.inside:
            run.pop()
        if run and opens_sentence(text, run[0].start()) and run[0].group().casefold() in known.openers:
            run.pop(0)
        while run and run[0].group().casefold() in known.inside | calendar:
            run.pop(0)
        words = " ".join(word.group() for word in run)
        plain = words.casefold()
        if len(words) > 1 and not (plain in calendar or plain in known.titles or plain in known.openers):
            spans.append((run[0].start(), run[-1].end() - (2 if _OWNER.search(words) else 0)))
        run.clear()

    for token in _TOKEN.finditer(text):
        word = token.group()
        if run and not _joined(text[run[-1].end() : token.start()], run[-1].group(), language):
            close()
        if word[0].isupper() or (run and word in known.inside):
            run.append(token)
        else:
            close()
    close()
    return spans


@cache
def _calendar(language: Language) -> frozenset[str]:
    return frozenset(word.casefold() for word in (*language.dates.months, *language.dates.weekdays))


def _joined(gap: str, before: str, language: Language) -> bool:
    """Whether two tokens stand in one run: a space between them, or the stop of an abbreviated title."""
    return gap == " " or (gap == ". " and before.casefold() in language.names.titles)


def name_parts(text: str, language: Language = ENGLISH) -> frozenset[str]:
    """The words of the names in a text, in small letters; forms of address and words like "of" dropped.

    >>> sorted(name_parts("Cllr Nuala Fennelly and Paul"))
    ['fennelly', 'nuala', 'paul']
    """
    parts = {part.casefold() for name in names_in(text, language) for part in name.split()}
    return frozenset(parts - language.names.inside - language.names.titles.keys())


def looks_like_person(name: str, language: Language = ENGLISH) -> bool:
    """Whether a name may be a person's: no figures, not all capitals, no word that organisations go by.

    >>> looks_like_person("Paul Moffat"), looks_like_person("Peer Review Board"), looks_like_person("Ofsted")
    (True, False, False)
    """
    known = language.names
    words = [word.strip(".").casefold() for word in name.split()]
    never = known.organised | known.inside | _calendar(language)
    if any(_OWNER.sub("", word) in never for word in words):
        return False
    if any(character.isdigit() for character in name) or name.isupper():
        return False
    titled = bool(words) and words[0] in known.titles
    return titled or 2 <= len(words) <= 4


def pronoun_of(name: str, language: Language = ENGLISH) -> str:
    """The pronoun that the title before a name says, or "".

    >>> pronoun_of("Mrs. Crane"), pronoun_of("Cllr Crane")
    ('she', '')
    """
    return language.names.titles.get(name.split()[0].strip(".").casefold(), "")

"""Which paragraphs of a text are a web page's furniture and not its words: notices, offers, comment forms.

A paragraph is judged by what it says and by where it stands. *Decisive* wording addresses a visitor of a
site ("we use cookies", "you must sign in to comment") and is enough by itself, unless the paragraph reports
someone's words. *Leaning* wording ("Have your say", "Learn more") only counts beside something decisive.
Offers are recognised by their price line and the list above it. Everything found is named, so that a person
can look at it and bring it back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.layout import is_complete, is_list_item, n_words, without_bullet


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Wording that makes a paragraph of at most ``max_words`` furniture of the kind ``name``."""

    name: str
    decisive: re.Pattern[str]
    leaning: re.Pattern[str] | None = None
    max_words: int = 90


_SERVICES = r"(?:facebook|twitter|x|linkedin|e-?mail|print|whatsapp|reddit|pinterest|instagram|bluesky|save)"
_SITE = r"(?:this|our) (?:web)?site"
_LINK_LEAD = r"(?:related|read more|more from [\w ]{2,30}|see also|more on this story|most read)"
RULES = (
    Rule(
        "browser notice",
        _any(
            r"your browser (?:is|seems) (?:no longer supported|out of date|outdated|unsupported)",
            r"(?:please|recommend you) (?:upgrade|update|switch) (?:to )?(?:a newer|yours?|another)\b",
            r"(?:enable|turn on|switch on) javascript\b.*\byour browser|your browser\b.*\bjavascript",
            rf"{_SITE} works best in\b",
        ),
    ),
    Rule(
        "cookie notice",
        _any(
            rf"\b(?:we|{_SITE}|this page)(?: and our \w+ partners)? (?:also )?uses? cookies\b",
            r"\b(?:accept|reject|manage|enable|allow|decline)(?: all| the| our| your)* cookies?\b.{0,60}$",
            rf"\bcookies on {_SITE}\b",
            r"\bcookies (?:are |have been )?(?:disabled|switched off|turned off)\b",
            r"\b(?:your|you) (?:consent|agree)\b.{0,40}\bcookies\b",
            r"\bstore (?:and/or access )?(?:information|cookies|data) on (?:your|a) device\b",
            r"^we value your privacy\b",
            r"\bcookie (?:settings|preferences|policy)\W*$",
        ),
        _any(
            r"(?:learn|find out|read) (?:more|how)", r"(?:accept|reject)(?: all)?|ok, got it|i agree|dismiss"
        ),
    ),
    Rule(
        "comment form",
        _any(
            r"^(?:blog )?comments? (?:are )?powered by \w+",
            r"^[•*·-]\s*comments?(?: \(\d+\))?$",
            r"^(?:you (?:must|need to) (?:be )?)?(?:sign|log)(?:ed|ged)?[ -]in to (?:\w+ ){0,3}comment",
            r"^(?:leave|post|add) a (?:comment|reply)$",
            r"^we (?:pre-?)?moderate (?:all )?comments\b|^comments are (?:now )?closed\b",
            r"\byour comments?\b.*\bhtml\b|^links are allowed in comments\b",
            r"\byour e-?mail address will not be published\b",
        ),
        _any(r"have your say|join the (?:debate|discussion|conversation)", r"comments?(?: \(\d+\))?"),
    ),
    Rule(
        "terms notice",
        _any(
            r"\b(?:you|your)\b.*\b(?:post|submi\w+|material)\b.*\b(?:our|these|the) terms\b",
            r"\b(?:post|submission|submitting|submit)\b.*\b(?:our|these) terms\b",
            r"^(?:©|\(c\)|copyright ©?)\s?.{0,60}(?:\d{4}|all rights reserved)",
            r"^all rights reserved\W*$",
        ),
        _any(
            r"(?:terms(?: and conditions| of use)?|privacy(?: policy)?|accessibility|contact us)(?: apply)?"
        ),
    ),
    Rule(
        "sharing line",
        _any(
            r"^share (?:this|via|on)(?: (?:article|page|story|post))?\b.{0,80}$",
            rf"^{_SERVICES}(?:[\s|·•,/]+{_SERVICES})+$",
        ),
        max_words=16,
    ),
    Rule(
        "subscription offer",
        _any(
            r"^(?:[\w ]{4,12}\?.*)?\bsubscribe (?:to|now|today|from)\b.*(?:[£$€]\s?\d|\d+p\b|\byour\b)",
            r"^subscribe (?:now|today|and save)\W*$",
        ),
        max_words=35,
    ),
    Rule(
        "newsletter sign-up",
        _any(
            r"^(?:sign up|subscribe)(?: now| today)? (?:to|for) (?:our|the|a) (?:[\w-]+ ){0,4}newsletter",
            r"\bsign up (?:to|for) our newsletter\W*$",
            r"^to (?:stop receiving|unsubscribe from) (?:this|our|these)\b",
            r"^(?:get|receive)\b.{0,60}\b(?:in|to) your inbox\b",
            r"^unsubscribe\b.{0,40}$",
        ),
        max_words=40,
    ),
    Rule(
        "advertisement",
        _any(r"^advertise?ment(?:\s*:.*)?$", r"^(?:sponsored|promoted)(?: content| post)?\s*[:|].*"),
        max_words=40,
    ),
    Rule("table of contents", _any(r"(?:\.\s?){6,200}\d{1,4}(?:\s|$)"), max_words=5000),
    Rule(
        "link to other pages",
        _any(rf"^{_LINK_LEAD}\s*:\s*[^.]{{3,120}}\.?$", r"^(?:most read|related (?:news|articles|stories))$"),
        max_words=18,
    ),
)

_MAX_CHARACTERS = 100_000  # of a paragraph; a longer one is no notice, not even a table of contents
_MAX_LEANING = 200  # characters; "Have your say" and the like, with what stands around it
_MAX_ABOVE_PRICE = 24  # list items over a price; no offer has more
_PRICE = re.compile(
    r"^(?:(?:from|only|just|was|now|for)\s+)*[£$€]\s?\d[\d.,]*\s*(?:/|per|a|each)\s*(?:month|week|year|issue|quarter)"
    r"(?:\W+(?:now|was|only|for)\s+(?:only\s+)?[£$€]\s?\d[\d.,]*\s*(?:(?:/|per|a)\s*\w+)?)?\W*$",
    re.IGNORECASE,
)
_OFFER_WORD = re.compile(
    r"\b(?:subscri\w+|member(?:ship)?|digital|magazine|in print|issues?|unlimited|articles?|podcasts?|access"
    r"|analysis|updates?|alerts?|archive|guides?|news|free|save|off|trial|e-?paper|app)\b",
    re.IGNORECASE,
)
# Somebody's words are reported: the paragraph speaks about a notice and is not one.
_REPORTING = re.compile(
    r"\b(?:said|says|told|asked|added|according to|reported|announced|consulted|argued|explained|found that"
    r"|ruled|complained|insisted|wrote|warned)\b"
)


def _decisive(text: str) -> str | None:
    if len(text) > _MAX_CHARACTERS:
        return None
    words = text.split()
    flat = " ".join(words)
    if _REPORTING.search(flat):
        return None
    for rule in RULES:
        if len(words) <= rule.max_words and len(flat) <= 12 * rule.max_words and rule.decisive.search(flat):
            return rule.name
    return None


def _leaning(text: str) -> str | None:
    if len(text) > _MAX_LEANING:
        return None
    flat = " ".join(text.split()).strip(" |•*·-.")
    for rule in RULES:
        if rule.leaning and rule.leaning.fullmatch(flat):
            return rule.name
    return None


def is_notice_line(line: str) -> bool:
    """Whether a single line is furniture by its wording alone.

    >>> is_notice_line("Comments powered by Talkback"), is_notice_line("The council consulted on cookies.")
    (True, False)
    """
    return _decisive(line) is not None


def reasons(paragraphs: Sequence[str]) -> list[str | None]:
    """For each paragraph of a text, in order, the kind of furniture it is, or None where it is to be read.

    >>> reasons(["We use cookies. Accept all cookies", "It opened in 2014.", "Comments powered by Talkback"])
    ['cookie notice', None, 'comment form']
    >>> reasons(["The council consulted on cookies in its website policy."])
    [None]
    """
    found = [_decisive(paragraph) for paragraph in paragraphs]
    for row, paragraph in enumerate(paragraphs):
        if len(paragraph) <= _MAX_LEANING and _PRICE.match(" ".join(paragraph.split())):
            _mark_offer(paragraphs, found, row)
    decided = list(found)
    for row, paragraph in enumerate(paragraphs):
        if decided[row] is None and (kind := _leaning(paragraph)):
            beside = [decided[near] for near in (row - 1, row + 1, row + 2) if 0 <= near < len(decided)]
            if any(reason is not None for reason in beside):
                found[row] = kind
    return found


def _mark_offer(paragraphs: Sequence[str], found: list[str | None], price: int) -> None:
    """Mark the offer whose price stands in row ``price``: the list above it and a line over the list."""
    first = price
    while first > 0 and price - first < _MAX_ABOVE_PRICE and _is_pitch(paragraphs[first - 1]):
        first -= 1
    if first > 0 and n_words(paragraphs[first - 1]) <= 8 and not is_complete(paragraphs[first - 1]):
        first -= 1
    words = {word.lower() for row in range(first, price) for word in _OFFER_WORD.findall(paragraphs[row])}
    if first < price and len(words) >= 2:
        for row in range(first, price + 1):
            found[row] = "subscription offer"


def _is_pitch(paragraph: str) -> bool:
    items = paragraph.splitlines()
    return all(
        is_list_item(item) and n_words(without_bullet(item)) <= 10 and not is_complete(item) for item in items
    )

"""Names: anywhere in the documents, else the nearest name beside words of their sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from rag.checks.claims import Claim
from rag.checks.prose.library import Library, Nearby, keys
from rag.checks.prose.quotations import check_phrase
from rag.checks.prose.verdict import ClaimCheck, ClaimVerdict, word_diff
from rag.records import Passage
from rag.text.language import Language
from rag.text.names import name_spans

MAX_NAME_WORDS = 12  # what is longer is a line of capitals


def check_name(claim: Claim, library: Library, nearby: Nearby) -> ClaimCheck:
    """A name as it stands anywhere; one that stands nowhere beside the nearest there is."""
    checked = check_phrase(claim, library, nearby)
    if checked.verdict is not ClaimVerdict.NOWHERE:
        return checked
    near = [*nearby.of(claim.sentence), *nearby.sharing(claim.words)]
    nearest = _nearest_name(claim.words, near, nearby.language)
    if nearest is None:
        return checked
    passage, start, end = nearest
    found = library.standing(passage.document_id, passage.start + start, passage.start + end)
    detail = "this name stands in no document; the nearest one in these passages is shown"
    return ClaimCheck(
        claim,
        ClaimVerdict.DIFFERS,
        f"{checked.compared}, then with the names of the {len(near)} passages that share words with it",
        detail,
        found,
        word_diff(claim.words, found.quote),
        (),
        1,
    )


def _nearest_name(
    name: str, passages: Iterable[Passage], language: Language
) -> tuple[Passage, int, int] | None:
    """The name in these passages that shares a telling word with this one, or differs by a letter or two."""
    best: tuple[float, Passage, int, int] | None = None
    mine = _name_words(name, language)
    if not 0 < len(mine) <= MAX_NAME_WORDS:
        return None
    for passage, (start, end) in _names_of(passages, language):
        its = _name_words(passage.text[start:end], language)
        if len(its) > MAX_NAME_WORDS:
            continue
        shared = len(mine & its) / max(len(mine | its), 1)
        alike = difflib.SequenceMatcher(
            None, " ".join(sorted(mine)), " ".join(sorted(its)), autojunk=False
        ).ratio()
        score = max(shared, alike if alike >= 0.8 else 0.0)
        if score >= 0.3 and (best is None or score > best[0]):
            best = (score, passage, start, end)
    return None if best is None else best[1:]


def _names_of(passages: Iterable[Passage], language: Language) -> Iterator[tuple[Passage, tuple[int, int]]]:
    return ((passage, span) for passage in passages for span in name_spans(passage.text, language))


def _name_words(name: str, language: Language) -> set[str]:
    known = language.names
    return {key for key in keys(name) if key not in known.titles and key not in known.inside}

"""Quotations: word for word in every document, else the words most like them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from rag.checks.claims import Claim, plain
from rag.checks.prose.library import N_TRIED, Library, Match, Nearby, keys, parts_of
from rag.checks.prose.verdict import Change, ClaimCheck, ClaimVerdict, word_diff
from rag.text.typography import differences
from rag.text.wordmatch import Word, WordMatcher, words

TELLING_WORDS = 4  # a shorter quotation ("good") stands in any library: its sentence's passages go first
ELIDED_CHARS = 4000  # between the parts of a quotation with an ellipsis: some two pages
SAME_SHARE = 0.6  # of the words, in order: below that two sentences are two, not one with changes
_EVERYWHERE = "word for word with the whole text of all {} documents"


def check_quotation(claim: Claim, library: Library, nearby: Nearby) -> ClaimCheck:
    """A quotation word for word, with words left out as marked, or changed."""
    compared = _EVERYWHERE.format(library.n_documents)
    if len(words(claim.words)) < TELLING_WORDS:
        return check_phrase(claim, library, nearby)
    matches = library.of(claim.words)
    if matches:
        return _best(claim, matches, library, compared)
    parts = parts_of(claim)
    if len(parts) > 1 and (elided := _check_parts(claim, parts, library, compared)):
        return elided
    return _nearest_words(claim, library, nearby, compared)


def check_phrase(claim: Claim, library: Library, nearby: Nearby) -> ClaimCheck:
    """A name or a short quotation: first in the passages nearest to its sentence, then anywhere."""
    near = nearby.of(claim.sentence)
    compared = f"with the {len(near)} passages nearest to its sentence, then with all documents"
    matches = library.of(claim.words)
    matcher = WordMatcher([keys(claim.words)])
    inside = [
        Match(passage.document_id, passage.start + found[first].start, passage.start + found[last - 1].end)
        for passage in near
        for found in [nearby.words(passage)]
        for _, first, last in matcher.find(found)
    ]
    if inside and (near_best := _best(claim, inside, library, compared)).stands:
        return near_best
    if not matches:
        return ClaimCheck(claim, ClaimVerdict.NOWHERE, compared, "these words stand in no document")
    best = _best(claim, matches, library, compared)
    if best.verdict is ClaimVerdict.DIFFERS:
        return near_best if inside else best
    detail = "stands in the documents, but in none of the passages nearest to its sentence"
    return replace(best, verdict=ClaimVerdict.ELSEWHERE, detail=detail)


def _best(claim: Claim, matches: Sequence[Match], library: Library, compared: str) -> ClaimCheck:
    """The place that is most like the claim, to the character if there is one."""
    best: tuple[int, Match, list[str] | None] | None = None
    for match in matches[:N_TRIED]:
        whole, parted = _as_written(claim.words, library.text(match.document), match)
        rank = 2 if parted is None else int(bool(parted))
        if best is None or rank < best[0]:
            best = (rank, whole, parted)
        if rank == 0:
            break
    assert best is not None
    rank, match, parted = best
    found = library.standing(match.document, match.start, match.end)
    also = library.also_in([one for one in matches if one.start != match.start], match)
    diff: tuple[Change, ...] = ()
    if rank == 0:
        verdict, detail = ClaimVerdict.VERBATIM, "stands there, character for character"
    elif parted is not None:
        verdict, detail = ClaimVerdict.TYPOGRAPHY, "the same words; what differs is " + _listed(parted)
    else:
        verdict = ClaimVerdict.DIFFERS
        detail = "the same words, with other capitals or punctuation"
        diff = word_diff(claim.words, found.quote)
    return ClaimCheck(claim, verdict, compared, detail, found, diff, also, library.count(claim.words))


def _as_written(said: str, text: str, match: Match) -> tuple[Match, list[str] | None]:
    """The match with the punctuation around it that the claim has, and what parts the two (None: more)."""
    inside = words(said)
    before, after = said[: inside[0].start], said[inside[-1].end :]
    start, end = match.start, match.end
    if before and text[max(0, start - len(before)) : start] == before:
        start -= len(before)
    if after and text[end : end + len(after)] == after:
        end += len(after)
    whole, there = Match(match.document, start, end), text[start:end]
    parted, bare = differences(said, there), plain(there)
    if parted is None and bare != there and (without := differences(said, bare)) is not None:
        return whole, ["the document's markup", *without]
    return whole, parted


def _listed(names: Sequence[str]) -> str:
    """The names as a sentence lists them.

    >>> _listed(["dashes", "white space", "quotation marks"])
    'dashes, white space and quotation marks'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _check_parts(claim: Claim, parts: Sequence[str], library: Library, compared: str) -> ClaimCheck | None:
    """A quotation with words left out, as marked: its parts in their order in one document, not far apart."""
    for first in library.of(parts[0])[:N_TRIED]:
        chain = [first]
        for part in parts[1:]:
            after = next(
                (
                    match
                    for match in library.of(part)[:N_TRIED]
                    if match.document == first.document and 0 <= match.start - chain[-1].end <= ELIDED_CHARS
                ),
                None,
            )
            if after is None:
                break
            chain.append(after)
        text = library.text(first.document)
        if len(chain) < len(parts) or any(
            differences(part, text[one.start : one.end]) is None
            for part, one in zip(parts, chain, strict=True)
        ):
            continue
        found = library.standing(first.document, chain[0].start, chain[-1].end)
        detail = f"{len(parts)} parts stand there in this order; what the text leaves out or puts in is shown"
        return ClaimCheck(
            claim, ClaimVerdict.ELIDED, compared, detail, found, word_diff(claim.words, found.quote), (), 1
        )
    return None


def _nearest_words(claim: Claim, library: Library, nearby: Nearby, compared: str) -> ClaimCheck:
    """Of the passages that share most words with a quotation, the stretch most like it, if any is."""
    wanted = words(claim.words)
    best: tuple[float, str, int, int] | None = None
    passages = nearby.sharing(claim.words)
    for passage in passages:
        text = library.text(passage.document_id)
        begin = max(0, passage.start - len(claim.words))
        stretch = text[begin : passage.end + len(claim.words)]
        found = _alike(wanted, words(stretch))
        if found and (best is None or found[0] > best[0]):
            best = (found[0], passage.document_id, begin + found[1], begin + found[2])
    compared += f", then with the {len(passages)} passages that share most words with it"
    if best is None or best[0] < SAME_SHARE:
        detail = "stands in no document, and no passage compared has most of its words in this order"
        return ClaimCheck(claim, ClaimVerdict.NOWHERE, compared, detail)
    share, document_id, start, end = best
    found_there = library.standing(document_id, start, end)
    detail = f"stands in no document; in the nearest words, {share:.0%} are the same"
    return ClaimCheck(
        claim,
        ClaimVerdict.DIFFERS,
        compared,
        detail,
        found_there,
        word_diff(claim.words, found_there.quote),
        (),
        1,
    )


def _alike(wanted: Sequence[Word], there: Sequence[Word]) -> tuple[float, int, int] | None:
    """The stretch of ``there`` most like ``wanted``: share of words the same in order, start, end.

    >>> _alike(words("the council decided to close it"), words("So the council voted to close it. Then"))
    (0.8333333333333334, 3, 32)
    """
    mine, its = [word.key for word in wanted], [word.key for word in there]
    longest = difflib.SequenceMatcher(None, its, mine, autojunk=False).find_longest_match()
    if longest.size < 2:
        return None
    slack = len(mine) // 4 + 3
    first = max(0, longest.a - longest.b - slack)
    last = min(len(its), longest.a - longest.b + len(mine) + slack)
    blocks = [
        block
        for block in difflib.SequenceMatcher(
            None, its[first:last], mine, autojunk=False
        ).get_matching_blocks()
        if block.size
    ]
    while len(blocks) > 1 and blocks[0].size == 1 and blocks[1].a - blocks[0].a > slack:
        blocks.pop(0)  # a lone word far before the rest
    while len(blocks) > 1 and blocks[-1].size == 1 and blocks[-1].a - blocks[-2].a - blocks[-2].size > slack:
        blocks.pop()
    begin, stop = first + blocks[0].a, first + blocks[-1].a + blocks[-1].size
    begin = max(0, begin - blocks[0].b)  # words changed at either end are part of the stretch
    stop = min(len(its), stop + len(mine) - blocks[-1].b - blocks[-1].size)
    share = sum(block.size for block in blocks) / max(len(mine), stop - begin)
    return share, there[begin].start, there[stop - 1].end

"""Does what a text quotes, counts and names stand in the documents? Each finding says what was compared.

A quotation is looked up in every document, word for word; one that stands nowhere is compared with the
passages that share most words with it. A figure or a name is looked up in the passages nearest to its
sentence, since a bare "31" stands somewhere in every library. That the passage and the sentence say the same
of it is not checked, and never claimed.
"""

from __future__ import annotations

from collections.abc import Collection

from rag.checks.claims import ClaimKind, claims_in
from rag.checks.prose.figures import check_figure
from rag.checks.prose.library import N_NEAR, Library, Nearby, Search
from rag.checks.prose.names import check_name
from rag.checks.prose.quotations import check_quotation
from rag.checks.prose.verdict import Change, ClaimCheck, ClaimVerdict, Standing, word_diff
from rag.errors import UsageError
from rag.store import Store
from rag.text.english import ENGLISH
from rag.text.language import Language

__all__ = ["N_NEAR", "Change", "ClaimCheck", "ClaimVerdict", "Standing", "check_prose", "word_diff"]

MAX_CHARS = 2_000_000  # of a text: some 300,000 words; what is longer is better checked in parts


def check_prose(
    text: str,
    store: Store,
    search: Search,
    *,
    kinds: Collection[ClaimKind] = frozenset(ClaimKind),
    language: Language = ENGLISH,
    max_chars: int = 1000,
) -> list[ClaimCheck]:
    """Every quotation, figure and name of a text with how it stands in the store, in the text's order.

    ``search`` gives the passages nearest to a sentence, which is cut to ``max_chars``. Raises UsageError
    where the text is too long.
    """
    if len(text) > MAX_CHARS:
        raise UsageError(
            f"the text has {len(text):,} characters, more than the {MAX_CHARS:,} that are checked at once",
            "check it in parts",
        )
    claims = [claim for claim in claims_in(text, language) if claim.kind in kinds]
    library = Library(store, claims, text)
    nearby = Nearby(store, search, language, max_chars)
    checkers = {
        ClaimKind.QUOTATION: lambda claim: check_quotation(claim, library, nearby),
        ClaimKind.FIGURE: lambda claim: check_figure(claim, library, nearby),
        ClaimKind.NAME: lambda claim: check_name(claim, library, nearby),
    }
    return [checkers[claim.kind](claim) for claim in claims if library.is_claim(claim)]

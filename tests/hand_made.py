"""A small corpus in memory, and answers from it made by hand: real records, no model."""

from __future__ import annotations

from dataclasses import replace

from rag.citations import cite, location
from rag.records import (
    Answer,
    Citation,
    Document,
    Freshness,
    Hit,
    Passage,
    Place,
    Ranked,
    Span,
    Status,
    sha256_text,
)

NOTE = Document(
    id="note",
    path="/docs/note.txt",
    sha256=sha256_text("the note"),
    media_type="text/plain",
    text="The move\n\nIn February 2022 the council's cabinet voted to decommission the trust.\n"
    "It gave two reasons.\n\nStaff kept their pay and their pensions.\n",
    title="The move",
    date="2022-03-01",
)
REVIEW = Document(
    id="review",
    path="/docs/review.pdf",
    sha256=sha256_text("the review"),
    media_type="application/pdf",
    text="Foreword\nThe trust ran services from October 2014.\nStaff\nPay stayed the same.\n",
    title=None,
    date=None,
    places=(Place(0, 1, 1), Place(9, 1, 2), Place(51, 2, 1), Place(57, 2, 2)),
)
DOCUMENTS = {document.id: document for document in (NOTE, REVIEW)}


def passage(document: Document, words: str, heading: str | None = None) -> Passage:
    """The passage that consists of ``words``."""
    start = document.text.index(words)
    return Passage(document.id, start, start + len(words), words, heading)


VOTE = passage(
    NOTE,
    "In February 2022 the council's cabinet voted to decommission the trust.\nIt gave two reasons.",
    "Background",
)
RAN = passage(REVIEW, "The trust ran services from October 2014.")
PAY = passage(NOTE, "Staff kept their pay and their pensions.")
HITS = (
    Hit(
        VOTE,
        0,
        2.5,
        "reader",
        (Ranked("dense", 1, 0.71), Ranked("bm25", 2, 4.25), Ranked("reader", 1, 2.5)),
        (RAN,),
    ),
    Hit(RAN, 1, 0.5, "reader", (Ranked("dense", 3, 0.4), Ranked("reader", 2, 0.5))),
)
STORE = {"generation": 1, "encoder": "all-MiniLM-L6-v2"}


def span_of(of: Passage, words: str, score: float = 2.5) -> Span:
    """The span of a passage that consists of ``words``."""
    start = of.text.index(words)
    return Span(of, start, start + len(words), score)


def answered(fresh: Freshness = Freshness.UNCHANGED) -> Answer:
    """An answer with a main citation, a second one, and a notice."""
    marked, second = span_of(VOTE, "voted to decommission the trust"), span_of(RAN, "October 2014", 0.5)
    end = VOTE.text.index("\nIt gave")
    return Answer(
        question="what did the cabinet decide?",
        status=Status.ANSWERED,
        confidence=0.914,
        reason=None,
        spans=(marked, second),
        citations=(
            cite(
                NOTE,
                VOTE,
                (0, end),
                [(marked.start, marked.end)],
                score=2.5,
                fresh=fresh,
                also_in=(location(REVIEW, 9, 50),),
            ),
            cite(
                REVIEW,
                RAN,
                (0, len(RAN.text)),
                [(second.start, second.end)],
                score=0.5,
                fresh=Freshness.UNCHANGED,
            ),
        ),
        hits=HITS,
        notices=("The documents may disagree: one says two reasons, another gives none.",),
        disagreements=((0, 1),),
        timings_ms={"encode": 3.14159, "total": 40.0},
        store=STORE,
    )


def weak() -> Answer:
    """The nearest evidence, which may not answer."""
    marked = span_of(PAY, "kept their pay")
    return Answer(
        question="why did staff keep their pay?",
        status=Status.WEAK,
        confidence=0.31,
        reason="The documents speak of this, but no passage clearly states a reason.",
        spans=(marked,),
        citations=(
            cite(
                NOTE,
                PAY,
                (0, len(PAY.text)),
                [(marked.start, marked.end)],
                score=0.2,
                fresh=Freshness.UNCHANGED,
            ),
        ),
        hits=HITS,
        store=STORE,
    )


def abstained() -> Answer:
    """Nothing near, yet hits to look at."""
    return Answer(
        question="what is the capital of France?",
        status=Status.ABSTAINED,
        confidence=0.04,
        reason="The documents do not speak of this.",
        hits=HITS,
        store=STORE,
    )


def quoting(citation: Citation, quote: str) -> Citation:
    """The citation with other words, of a plain text of 22 March 2017, and nothing marked."""
    return replace(
        citation,
        quote=quote,
        end=citation.start + len(quote),
        quote_sha256=sha256_text(quote),
        marks=(),
        date="2017-03-22",
        media_type="text/plain",
    )

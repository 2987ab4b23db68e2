"""A small corpus and questions about it, a fault of every kind among them."""

from __future__ import annotations

FILES = {
    "2016-05-01-minutes.txt": (
        "The board met on Tuesday. Ann Carver resigned in May 2016.\n\n"
        "The caseload was 24 children per worker. Vacant posts stood at 41.\n"
    ),
    "2018-06-01-review.txt": (
        "The caseload was 14 children per worker in June 2018.\n\n"
        "The library moved to Mill Street because its roof leaked.\n\n"
        "Cookies help us to improve this page about the harvest festival.\n"
    ),
    "copy/2016-05-01-minutes-copy.txt": "The board met on Tuesday. Ann Carver resigned in May 2016.\n",
}
MINUTES, REVIEW = "2016-05-01-minutes.txt", "2018-06-01-review.txt"


def piece(*places: tuple[str, str]) -> dict[str, object]:
    return {"any_of": [{"document": document, "quote": quote} for document, quote in places]}


ROWS: list[dict[str, object]] = [
    {
        "id": "q1",
        "question": "Ann Carver resigned in",
        "type": "when",
        "split": "dev",
        "answers": ["May 2016"],
        "evidence": [piece((MINUTES, "Ann Carver resigned in May 2016."))],
        "traits": ["wrong_person"],
    },
    {
        "id": "q2",
        "question": "why did the library move to Mill Street",
        "type": "why",
        "split": "test",
        "answers": ["its roof leaked"],
        "evidence": [piece((REVIEW, "because its roof\nleaked"))],
    },
    {
        "id": "q3",
        "question": "how did the caseload children per worker change",
        "type": "change",
        "split": "dev",
        "answers": ["from 24 to 14"],
        "evidence": [
            piece((MINUTES, "The caseload was 24 children per worker.")),
            piece((REVIEW, "The caseload was 14 children per worker in June 2018.")),
        ],
    },
    {"id": "q4", "question": "who won the chess cup", "type": "off_subject", "split": "dev", "answers": []},
    {
        "id": "q5",
        "question": "and when was that resignation of hers",
        "type": "follow_up",
        "split": "dev",
        "previous": "who resigned",
        "standalone": "when was it that Ann Carver resigned",
        "answers": ["May 2016"],
        "evidence": [piece((MINUTES, "Ann Carver resigned in May 2016."))],
    },
    {
        "id": "q6",
        "question": "what is said of the harvest festival",
        "type": "what",
        "split": "dev",
        "answers": ["improve this page"],
        "evidence": [piece((REVIEW, "Cookies help us to improve this page about the harvest festival."))],
    },
    {
        "id": "q7",
        "question": "how many posts stood vacant",
        "type": "how_many",
        "split": "test",
        "answers": ["41"],
        "evidence": [piece((MINUTES, "Vacant posts stood at forty"))],
    },
]

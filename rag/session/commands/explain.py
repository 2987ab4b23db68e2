"""``:why`` and ``:whynot``: what every ranker and the reader said of a passage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from rag.citations import locate
from rag.errors import UsageError
from rag.output.lines import Look, fold, place, rows
from rag.records import Hit, Passage, Ranked
from rag.session.turns import Turn
from rag.settings import RANKING
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.session.session import Session

_RANKERS = {
    "dense": "meaning of the passage",
    "sentences": "what its nearest sentence adds",
    "bm25": "words in common",
    "fused": "the three together",
}
_SIGNALS = (
    ("relevance", "the reader's relevance"),
    ("margin", "ahead of the next, in relevance"),
    ("coverage", "question words in the passage"),
    ("known", "question words known to the documents"),
    ("sentence_cosine", "what the nearest sentence adds"),
    ("agreement", "next passages that agree"),
)
_SHARES = ("coverage", "known", "agreement")
_SHOWN_CHARS = 200
N_FOUND = 3  # passages that :whynot tells of
N_SEARCHED = 2000  # passages that share a word, looked through for all of them
DEEP = 1000  # passages ranked to say where one stands


def hit_of(turn: Turn, position: int) -> int | None:
    """Which of the answer's hits the evidence at a position was quoted from; None when it is not listed."""
    answer = turn.answer
    if not answer.citations:
        return None
    citation = answer.citations[position]
    for number, hit in enumerate(answer.hits):
        passage = hit.passage
        same_file = turn.paths.get(passage.document_id) == citation.document
        if same_file and passage.start <= citation.start and citation.end <= passage.end:
            return number
    return None


def why(session: Session, argument: str) -> None:
    """Why the evidence on the screen, or passage N of the answer, was chosen."""
    turn, look = session.last(), session.screen.look
    hits = turn.answer.hits
    if not hits:
        raise UsageError("no passage was found, so there is nothing to explain", ":set  # shows the filters")
    if argument:
        if not (argument.isascii() and argument.isdigit() and 1 <= int(argument) <= len(hits)):
            raise UsageError(f"there is no passage {argument}", f"a number from 1 to {len(hits)}")
        at = int(argument) - 1
    else:
        cited = hit_of(turn, session.position)
        at = 0 if cited is None else cited
    hit = hits[at]
    session.screen.gap()
    session.screen.show(_where(session, hit.passage, f"Passage {at + 1} of {len(hits)}"))
    session.screen.gap()
    session.screen.show(_rankings(hit.ranked, look))
    if at == 0 and turn.answer.signals:
        session.screen.gap()
        session.screen.show(_signals(turn, look))
    elif at:
        ahead = hits[0].score - hit.score
        session.screen.gap()
        session.screen.say(
            f"The first passage is {ahead:.2f} ahead of it in rank score: the reader's relevance, with a "
            "little for its words and its retrieval."
        )


def _where(session: Session, passage: Passage, lead: str, words: str = "") -> list[Text]:
    """A passage with its place: its beginning, or from shortly before ``words`` on."""
    look = session.screen.look
    document = session.assistant().store.document(passage.document_id)
    page, line = locate(document, passage.start)
    head = Text(lead, style="bold")
    head.append(f"{look.dot}{place(document.path, line, page, look.base)}", style="dim")
    text, dots = clean(passage.text).strip(), "…" if look.unicode else "..."
    at = text.casefold().find(clean(words).casefold()) if words else 0
    if at > _SHOWN_CHARS // 2:
        text = f"{dots} {text[at - _SHOWN_CHARS // 4 :].split(' ', 1)[-1]}"
    if len(text) > _SHOWN_CHARS:
        text = f"{text[:_SHOWN_CHARS].rsplit(' ', 1)[0]} {dots}"
    return [*fold(head, look, "  ", ""), *fold(Text(text), look, "  ")]


def _rankings(ranked: Sequence[Ranked], look: Look) -> list[Text]:
    """Each ranker's place and score; a passage that one did not list is said to be unlisted."""
    listing = {listed.ranker for listed in ranked}
    pairs = [
        (_RANKERS.get(listed.ranker, f"reader ({listed.ranker})"), f"#{listed.rank:<4}{listed.score:.3f}")
        for listed in ranked
    ]
    unlisted = [name for name in ("bm25", "dense", "sentences") if name not in listing]
    pairs += [(_RANKERS[name], f"not among its first {RANKING.depth}") for name in unlisted]
    return rows(pairs, look)


def _signals(turn: Turn, look: Look) -> list[Text]:
    answer = turn.answer
    pairs = [("confidence", f"{answer.confidence:.0%}")]
    for name, words in _SIGNALS:
        if name in answer.signals:
            value = answer.signals[name]
            pairs.append((words, f"{value:.0%}" if name in _SHARES else f"{value:.2f}"))
    if answer.signals.get("year_missing"):
        pairs.append(("the year asked about", "is not in the passage"))
    return rows(pairs, look)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def whynot(session: Session, argument: str) -> None:
    """Why the passages that hold some words were not the answer."""
    if not argument:
        raise UsageError("whose words?", ":whynot WORDS OF THE PASSAGE")
    turn, assistant, screen = session.last(), session.assistant(), session.screen
    words = re.sub(r'^["“](.*)["”]$', r"\1", argument)
    store = assistant.store
    near = [int(row) for row in store.lexical.search(words, N_SEARCHED)[1]]
    passages = dict(zip(near, store.passages(near), strict=True))
    holding = sorted(row for row in near if _plain(words) in _plain(passages[row].text))
    kept_out = [p for p in store.excluded() if _plain(words) in _plain(p.text)]
    if not holding and not kept_out:
        screen.say("These words stand in no passage.")
        if near:
            screen.show(_where(session, passages[near[0]], "The nearest by its words"))
        return
    n_read = max(session.settings.retrieval.n_candidates, session.options.k or session.settings.retrieval.k)
    deep = _deep(session, turn, n_read)
    for row in holding[:N_FOUND]:
        screen.gap()
        screen.show(_where(session, passages[row], "This passage", words))
        screen.say(*_reasons(assistant, turn, row, deep, n_read))
    for passage in kept_out[: max(0, N_FOUND - len(holding))]:
        screen.gap()
        screen.show(_where(session, passage, "This text", words))
        screen.say(
            f"It was kept out of the passages: {passage.boilerplate}. :report tells how to bring it back."
        )
    if len(holding) + len(kept_out) > N_FOUND:
        screen.note(f"and {len(holding) + len(kept_out) - N_FOUND} more; give more of the words")


def _deep(session: Session, turn: Turn, n_read: int) -> tuple[list[Hit], list[Hit]]:
    """Every passage that was read, as the reader ranks them; and the retriever's list as far as it goes."""
    filters = turn.filters

    def work(assistant: Assistant) -> tuple[list[Hit], list[Hit]]:
        read = assistant.ask(turn.question, k=n_read, **filters.arguments()).hits
        ranked = assistant.search(
            turn.question, k=DEEP, after=filters.after, before=filters.before, inside=filters.inside
        )
        return list(read), ranked

    return session.background.run(work, session.screen, "ranking all passages")


def _reasons(
    assistant: Assistant, turn: Turn, row: int, deep: tuple[list[Hit], list[Hit]], n_read: int
) -> list[str]:
    """Sentences that say where a passage was lost, or that it was not."""
    read, ranked = deep
    group = set(assistant.store.members(assistant.store.labels([row])[0]))
    for rank, hit in enumerate(read, start=1):
        if hit.row in group:
            return _read_reasons(turn, hit, rank, read[0])
    for rank, hit in enumerate(ranked, start=1):
        if hit.row in group:
            return [
                f"It was not read: it stands at place {rank} by meaning and words together, "
                f"and the first {n_read} are read.",
                *_by_ranker(hit.ranked),
            ]
    if turn.filters.written():
        return [f"The filters leave it out: {turn.filters.written()}."]
    return ["Neither its meaning nor its words come near the question: no ranker lists it."]


def _by_ranker(ranked: Sequence[Ranked]) -> list[str]:
    places = [f"{_RANKERS.get(listed.ranker, 'the reader')}: #{listed.rank}" for listed in ranked]
    return ["By " + "; by ".join(places) + "."] if places else []


def _read_reasons(turn: Turn, hit: Hit, rank: int, first: Hit) -> list[str]:
    if any(span.passage == hit.passage for span in turn.answer.spans):
        return ["It is among the evidence shown."]
    if rank == 1:
        return [
            "It is the nearest passage, but not sure enough to answer the question.",
            *_by_ranker(hit.ranked),
        ]
    return [
        f"It stands at place {rank}, with a rank score of {hit.score:.2f}; the first has {first.score:.2f}.",
        *_by_ranker(hit.ranked),
    ]

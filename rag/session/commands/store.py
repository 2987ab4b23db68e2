"""Commands on the store: what is in it, its documents, its hygiene, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from rag.citations import freshness
from rag.output import reports
from rag.output.lines import fold, rows, short_path
from rag.records import Freshness
from rag.text.dates import long_date
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.session.session import Session
    from rag.store.content import Source

N_LISTED = 12  # of one kind of finding; the rest are counted


def info(session: Session, argument: str) -> None:
    """What the store holds and what made it."""
    store = session.assistant().store
    manifest, look = store.manifest, session.screen.look
    dates = sorted(document.date for document in store.sources if document.date)
    span = f"{long_date(dates[0])} to {long_date(dates[-1])}" if dates else "none known"
    pairs = [
        ("store", short_path(str(store.path), look.base)),
        ("documents", f"{manifest.n_documents:,}, {len(dates):,} of them dated"),
        ("dates", span),
        ("passages", f"{manifest.n_passages:,}, and {manifest.n_excluded:,} kept out"),
        ("encoder", manifest.encoder_name),
        ("generation", f"{manifest.generation}, made {_day(manifest.created)}"),
        ("asked", f"{len(session.turns)} questions in this session"),
    ]
    session.screen.show(rows(pairs, look))


def _day(created: str) -> str:
    return f"{long_date(created[:10])}, {created[11:16]}" if len(created) >= 16 else created


def sources(session: Session, argument: str) -> None:
    """The documents by date, or those whose name or title has a word in it."""
    look = session.screen.look
    wanted = argument.casefold()
    documents = [
        document
        for document in session.assistant().store.sources
        if wanted in f"{Path(document.path).name} {document.title or ''}".casefold()
    ]
    if not documents:
        session.screen.say(f"No document has {argument!r} in its name or title.")
        return
    documents.sort(key=lambda document: (document.date or "9999", document.path))
    lines: list[Text] = []
    for document in documents:
        dated = long_date(document.date) if document.date else "undated"
        title = clean(document.title or "(no title)")
        lines += fold(Text(title if len(title) <= 160 else title[:159] + "…"), look, "  ", "")
        about = f"{dated}{look.dot}{short_path(document.path, look.base)}"
        lines += fold(Text(about, style="dim"), look, "    ", "  ")
    session.screen.show(lines)
    session.screen.note(f"{len(documents)} document{'' if len(documents) == 1 else 's'}")


def report(session: Session, argument: str) -> None:
    """What was kept out, what repeats, what had to be decided, and which files are no longer as indexed."""
    from rag.checks.hygiene import inspect

    store, screen = session.assistant().store, session.screen
    screen.show(reports.hygiene(inspect(store), screen.look))
    changed = [
        f"{_name(session, document)} ({fresh})"
        for document in store.sources
        if (fresh := freshness(document.path, document.sha256)) is not Freshness.UNCHANGED
    ]
    if changed:
        _listed(session, "Changed since they were indexed:", changed)
        screen.note(":reindex reads again what changed.")


def _name(session: Session, document: Source) -> str:
    return short_path(document.path, session.screen.look.base)


def _listed(session: Session, title: str, names: list[str]) -> None:
    if not names:
        return
    look = session.screen.look
    lines = [Text(), Text(title, style="bold")]
    for name in names[:N_LISTED]:
        lines += fold(Text(clean(name)), look, "    ", "  ")
    if len(names) > N_LISTED:
        lines.append(Text(f"  and {len(names) - N_LISTED} more", style="dim"))
    session.screen.show(lines)


def reindex(session: Session, argument: str) -> None:
    """Read again what changed under the paths indexed before, and ask on over the new generation.

    Stopped with Ctrl-C, it leaves the store as it was.
    """
    from rag.indexing import index
    from rag.output.progress_bar import progress

    assistant, screen = session.assistant(), session.screen
    with progress() as bar:
        summary = index(None, session.settings.store, session.settings, progress=bar)
    counts = [
        (summary.added, "added"),
        (summary.changed, "changed"),
        (summary.removed, "removed"),
        (summary.renamed, "renamed"),
    ]
    changed = ", ".join(f"{n} {word}" for n, word in counts if n)
    if changed:
        n_passages = f"{summary.n_passages:,} passages now"
        screen.say(f"{changed[0].upper()}{changed[1:]}, {summary.unchanged} unchanged: {n_passages}.")
    else:
        screen.say("Nothing changed.")
    for problem in summary.problems[:N_LISTED]:
        screen.error(problem)
    if len(summary.problems) > N_LISTED:
        screen.note(f"and {len(summary.problems) - N_LISTED} more files could not be read")
    if session.at is not None:
        screen.note(f"This session stays with the documents kept as {session.at}.")
    elif summary.generation != assistant.store.manifest.generation:
        session.background.reopen(screen)
        if session.turns:
            screen.note(":again asks the last question of the documents as they are now.")

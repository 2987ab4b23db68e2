"""From a command's paths to what they stand for: settings, an index, an assistant, a library of documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.questions import Question
    from eval.questions.gold import Library
    from eval.runs import Run
    from rag.indexing.progress import Progress
    from rag.settings import Settings


def settings_for(store: Path | None) -> Settings:
    """The settings in force, with the store the command line names."""
    from rag.settings import load_settings

    return load_settings({"store": store}).settings


def index(corpus: Path, settings: Settings) -> None:
    """Bring the store of these settings up to date with a folder of documents."""
    from rag import indexing
    from rag.output.progress_bar import progress
    from rag.output.streams import tell

    with progress() as bar:
        done = indexing.index([corpus], settings.store, settings, progress=bar)
    for problem in done.problems:
        tell(f"skipped: {problem.message}")


def ask_all(
    questions: Sequence[Question],
    settings: Settings,
    out: Path,
    *,
    raw_follow_ups: bool = False,
    at: str | None = None,
) -> None:
    """Ask what has no row yet in the run at ``out``, with a bar on stderr; ``at``: of what a tag keeps."""
    from eval.runs.environment import about
    from eval.runs.runner import run
    from rag.assistant import Assistant
    from rag.output.progress_bar import progress
    from rag.output.streams import tell

    with Assistant.open(settings=settings, at=at) as assistant, progress() as bar:
        info = about(assistant.store, settings, out) | ({} if at is None else {"tag": at})
        # As many hits as are read anyway: asking for more would have more read than a user's question has.
        depth = max(settings.retrieval.k, settings.retrieval.n_candidates)
        try:
            run(
                assistant,
                questions,
                out,
                info=info,
                depth=depth,
                raw_follow_ups=raw_follow_ups,
                progress=on_bar(bar),
            )
        except KeyboardInterrupt:
            tell("stopped; what is done is kept, and the same command goes on from here")
            raise


def on_bar(bar: Progress | None) -> Callable[[int, int], None]:
    """What shows (done, all) on a bar; a resumed run begins where it stopped."""
    begun = False

    def show(done: int, total: int) -> None:
        nonlocal begun
        if bar is None:
            return
        if not begun:
            bar.start("questions", total)
            bar.advance(done - 1)
            begun = True
        bar.advance()

    return show


def library(store: Path | None, corpus: Path | None) -> Library | None:
    """The documents of a folder or of a store; None when neither is named."""
    from eval.questions.gold import Library
    from rag.output.streams import tell

    if corpus is not None:
        from rag.loaders import find_files, load

        files, problems = find_files([corpus])
        for problem in problems:
            tell(f"skipped: {problem.message}")
        limit = settings_for(None).passages.max_file_mb * 1_000_000
        return Library([load(path, max_bytes=limit) for path in files])
    if store is not None:
        from rag.store import Store

        with Store.open(store) as opened:
            return Library(opened.documents())
    return None


@contextmanager
def searching(run: Run, store: Path | None) -> Iterator[Callable[..., Any] | None]:
    """The search of the run's assistant while its index (or the store named) is there, else None."""
    from rag.store import Store
    from rag.store.tags import tag_names

    named = run.info.get("store")
    path = store or (run.folder / named if named else None)  # an absolute name stays absolute
    if path is None or not Store.exists(path):
        yield None
        return
    from rag.assistant import Assistant
    from rag.output.streams import tell

    settings = settings_for(path)
    for difference in changed_since(run, settings):
        tell(f"tried with other numbers than the run's: {difference}")
    tag = None if store is not None else run.info.get("tag")
    if tag is not None and tag not in tag_names(path):
        tell(f"tried with the newest generation: the tag {tag} that the run asked is gone")
        tag = None
    with Assistant.open(settings=settings, at=tag) as assistant:
        yield assistant.search


def changed_since(run: Run, settings: Settings) -> list[str]:
    """In which settings and ranking numbers a run differs from those now in force, each in a line."""
    from eval.runs.environment import conditions_changed, in_force

    recorded = {key: run.info[key] for key in ("settings", "ranking") if key in run.info}
    now = in_force(settings)
    return conditions_changed(recorded, {key: now[key] for key in recorded})

"""``rag index``: read documents into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import completion
from rag.cli.options import RayOption, StoreOption, resolve
from rag.output.progress_bar import progress
from rag.output.streams import look, show, tell

if TYPE_CHECKING:
    from rag.cluster.loading import RayLoadingPool
    from rag.loading import LoadingPool
    from rag.settings import Settings

EPILOG = "Example: rag index letters minutes/2017.md --report"


def index(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...",
            help="Files, and folders to read with all below them. None: what was indexed before, again.",
        ),
    ] = None,
    store: StoreOption = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="List what was kept out and how to bring it back, and what had to be decided."
        ),
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="KEY", help="Bring back the text that --report lists under KEY."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="KEY", help="Leave out again what --keep brought back."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="PATTERN",
            help="Leave out what fits, as in a .gitignore file, now and in later runs.",
        ),
    ] = None,
    unexclude: Annotated[
        list[str] | None,
        typer.Option(
            "--unexclude", metavar="PATTERN", help="Forget a pattern of --exclude; rag info lists them."
        ),
    ] = None,
    tag: Annotated[
        str | None,
        typer.Option(
            "--tag",
            metavar="NAME",
            help="Keep what the store holds after this run, to be asked with --at NAME.",
        ),
    ] = None,
    untag: Annotated[
        list[str] | None,
        typer.Option(
            "--untag",
            metavar="NAME",
            help="Let go what --tag kept. Given alone, nothing is read or indexed.",
            autocompletion=completion.tags,
        ),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read every file again, with the settings now in force.")
    ] = False,
    ray: RayOption = None,
) -> None:
    """Read documents into the store.

    Only what changed since the last time is read again. A file that cannot be read is named, and stops
    nothing.
    """
    settings = resolve(store, ray=ray).settings
    if untag and not (paths or tag or keep or drop or exclude or unexclude or rebuild or report):
        from rag.indexing import untag as let_go

        let_go(settings.store, untag)
        tell(f"let go: {', '.join(untag)}")
        return
    with progress() as bar, _loading_pool(settings) as pool:
        pool.start(settings.passages)  # it starts while the rest is imported
        from rag import indexing

        encoder = None
        if settings.ray.address:
            from rag.cluster.embedding import RayEncoder

            encoder = RayEncoder(settings.encoder, settings.ray.address)
        done = indexing.index(
            paths,
            settings.store,
            settings,
            progress=bar,
            keep=keep or (),
            drop=drop or (),
            rebuild=rebuild,
            exclude=exclude or (),
            unexclude=unexclude or (),
            tag=tag,
            untag=untag or (),
            encoder=encoder,
            loader=pool,
        )
    from rag.output import reports

    for problem in done.problems:
        tell(f"skipped: {problem.message}" + (f" ({problem.hint})" if problem.hint else ""))
    if report:
        from rag.checks.hygiene import inspect
        from rag.store import Store

        with Store.open(settings.store, verify=False) as opened:
            show(reports.hygiene(inspect(opened), look()))
    show(reports.summary(done, settings.store, look()))


def _loading_pool(settings: Settings) -> LoadingPool | RayLoadingPool:
    """What reads the files: child processes here, or on the nodes of a cluster."""
    if settings.ray.address:
        from rag.cluster.loading import RayLoadingPool

        return RayLoadingPool(settings.ray.address)
    from rag.loading import LoadingPool

    return LoadingPool()

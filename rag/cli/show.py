"""``rag show``: the source around a citation."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.cli import completion
from rag.cli.options import AtOption, StoreOption, resolve
from rag.output.streams import look, show

EPILOG = "Example: rag show minutes.md:42 --context 10"


def show_document(
    document: Annotated[
        str,
        typer.Argument(
            metavar="DOCUMENT[:LINE]",
            help="A path, a file name, or a part of one that fits one document; "
            "then a line (:12), a page (:p3) or both (:p3:12).",
            autocompletion=completion.documents,
        ),
    ],
    store: StoreOption = None,
    context: Annotated[
        int, typer.Option("--context", min=0, max=100_000, help="Lines before and after the one asked for.")
    ] = 5,
    at: AtOption = None,
) -> None:
    """Show the source around a citation.

    The text is the one that was indexed; a file that has changed since is said to have. Without a line or
    page the whole document is shown.
    """
    from rag.citations import freshness
    from rag.output import render
    from rag.store import Store
    from rag.store.lookup import around, find_path, parse_name

    with Store.open(resolve(store).settings.store, at=at) as opened:
        ids = {each.path: each.id for each in opened.sources}
        named = parse_name(document, list(ids))
        wanted = opened.document(ids[find_path(named.name, list(ids))])
    lines = around(wanted, named, context)
    show(render.excerpt(wanted, lines, freshness(wanted.path, wanted.sha256), look()))

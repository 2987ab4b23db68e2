"""Options that several commands share: the same name always means the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import completion
from rag.settings import Resolved, RetrievalSettings, load_settings

if TYPE_CHECKING:
    from rag.store import Store


def _iso_date(text: str | None) -> str | None:
    """An ISO date, month or year as given; refused when it is none."""
    if text is None:
        return None
    from rag.errors import UsageError
    from rag.text.dates import checked_date

    try:
        return checked_date(text, "date")
    except UsageError:
        raise typer.BadParameter(f"expected 2017, 2017-03 or 2017-03-22, got {text!r}") from None


StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Folder of the index. Default: RAG_STORE, else a folder in your data directory."
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="NAME",
        help="Ask the documents as they were when rag index --tag NAME was run.",
        autocompletion=completion.tags,
    ),
]
KOption = Annotated[
    int | None,
    typer.Option(
        "-k", "--k", min=1, max=1000, help=f"How many passages to list. Default: {RetrievalSettings().k}."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]
AfterOption = Annotated[
    str | None,
    typer.Option(
        "--after", metavar="DATE", callback=_iso_date, help="Only documents dated on or after this day."
    ),
]
BeforeOption = Annotated[
    str | None,
    typer.Option(
        "--before", metavar="DATE", callback=_iso_date, help="Only documents dated before this day."
    ),
]
InOption = Annotated[
    str | None,
    typer.Option(
        "--in",
        metavar="GLOB",
        help="Only documents whose path fits, like '*.pdf' or 'letters/*'.",
        autocompletion=completion.documents,
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        callback=_iso_date,
        help="Answer as things stood then: nothing dated later.",
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Share the work with a Ray cluster; auto finds this machine's own."
    ),
]


def resolve(store: Path | None = None, k: int | None = None, ray: str | None = None) -> Resolved:
    """The settings in force, with what the command line says on top."""
    return load_settings({"store": store, "retrieval.k": k, "ray.address": ray})


def path_of(store: Store) -> Callable[[str], str]:
    """From a document's id to its path, in one store."""
    return lambda document_id: store.document(document_id).path

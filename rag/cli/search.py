"""``rag search``: the passages alone."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.answering.question import usable_question
from rag.cli.options import (
    AfterOption,
    AtOption,
    BeforeOption,
    InOption,
    JsonOption,
    KOption,
    RayOption,
    StoreOption,
    path_of,
    resolve,
)
from rag.output.streams import look, show, show_json

EPILOG = 'Example: rag search "vacant posts" --in "*.md" --explain'


def search(
    query: Annotated[str, typer.Argument(help="What to look for, in words or as a question.")],
    store: StoreOption = None,
    k: KOption = None,
    as_json: JsonOption = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each ranker's rank and score for every passage.")
    ] = False,
    after: AfterOption = None,
    before: BeforeOption = None,
    inside: InOption = None,
    at: AtOption = None,
    ray: RayOption = None,
) -> None:
    """List the passages nearest to a query."""
    settings = resolve(store, k, ray).settings
    usable_question(query, settings.retrieval.max_question_chars)
    from rag.assistant import Assistant

    with Assistant.open(settings=settings, at=at) as assistant:
        hits = assistant.search(query, after=after, before=before, inside=inside)
        if as_json:
            from rag.output.json_lines import search_to_json

            manifest = assistant.store.manifest
            about: dict[str, object] = {"generation": manifest.generation, "encoder": manifest.encoder_name}
            if assistant.shards is not None:
                about["shards"] = assistant.shards
            show_json(search_to_json(query, hits, path_of(assistant.store), about))
        else:
            from rag.output import render

            show(render.hits(hits, assistant.store.document, look(), explain=explain))

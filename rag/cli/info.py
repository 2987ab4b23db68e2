"""``rag info``: what is in the store, and every setting with where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rag.cli import completion
from rag.cli.options import JsonOption, StoreOption, resolve
from rag.errors import UsageError
from rag.output.streams import look, show, show_json, tell
from rag.settings import Resolved
from rag.text.sinks import shell_word

if TYPE_CHECKING:
    from rag.settings import ReaderSettings
    from rag.store import Store

EPILOG = "Example: rag info --documents"


def info(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SETTING...]",
            help="Settings or sections of them, such as retrieval.k or reader, to be shown alone.",
            autocompletion=completion.settings,
        ),
    ] = None,
    store: StoreOption = None,
    documents: Annotated[bool, typer.Option("--documents", help="List the documents too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is in the store, and each setting."""
    resolved = resolve(store)
    if names:
        _show_settings(_named(settings_rows(resolved), names), as_json)
        return
    from rag.output.lines import rows
    from rag.store import Store

    path = resolved.settings.store
    described: dict[str, Any] = {"store": str(path)}
    if Store.exists(path):
        with Store.open(path) as opened:
            described |= describe(opened, with_documents=documents)
            described["calibration"] = calibration(opened, resolved.settings.reader)
            described["tags"] = tags(path)
    else:
        tell(
            f"note: there is no store at {path} yet; make one with: rag index PATH --store {shell_word(path)}"
        )
    if as_json:
        show_json(described | {"settings": settings_rows(resolved)})
        return
    listed = described.pop("documents", [])
    if described.get("calibration", "") is None:
        del described["calibration"]
    if "tags" in described:
        described["tags"] = [_tag_told(tag) for tag in described["tags"]]
    show(rows([(name, _told(value)) for name, value in described.items()], look()))
    if listed:
        show([Text(), Text("documents", style="bold")])
        show(
            rows(
                [(file["date"] or "undated", f"{file['path']}  {file['title'] or ''}") for file in listed],
                look(),
            )
        )
    show([Text(), Text("settings", style="bold")])
    _show_settings(settings_rows(resolved), as_json)


def describe(store: Store, *, with_documents: bool) -> dict[str, Any]:
    """What a store holds and what made it."""
    manifest = store.manifest
    described: dict[str, Any] = {
        "generation": manifest.generation,
        "created": manifest.created,
        "age": _age(manifest.created),
        "encoder": manifest.encoder_name,
        "fingerprint": manifest.encoder_fingerprint,
        "format": manifest.format,
        "rag_version": manifest.rag_version,
        "n_documents": manifest.n_documents,
        "n_passages": manifest.n_passages,
        "n_excluded": manifest.n_excluded,
        "bytes": manifest.size,
        "roots": list(manifest.roots),
        "excluded": list(manifest.excluded),
        "kept": list(manifest.kept),
    }
    if with_documents:
        described["documents"] = [
            {name: getattr(document, name) for name in ("path", "title", "date", "media_type")}
            for document in store.sources
        ]
    return described


def calibration(store: Store, reader: ReaderSettings) -> dict[str, Any] | None:
    """The store's own calibration and whether it is in use; None where the one shipped is."""
    from rag.answering.calibration import load_calibrator
    from rag.answering.store_calibration import load
    from rag.reader import reader_fingerprint

    own = load(store.path)
    if own is None:
        return None
    encoder = store.manifest.encoder_fingerprint
    in_use = own.holds_for(reader_fingerprint(reader, encoder), encoder, load_calibrator(reader.model))
    return {"in_use": in_use, "answered": own.answered, "precision": own.precision, **own.fitted_on}


def tags(path: Path) -> list[dict[str, Any]]:
    """Every tag with the generation it keeps, and when that was made (None where it cannot be read)."""
    from rag.store.tags import list_tags

    return [
        {"name": tag.name, "generation": tag.generation, "created": tag.created} for tag in list_tags(path)
    ]


def _tag_told(tag: dict[str, Any]) -> str:
    """A tag in a few words."""
    when = tag["created"][:10] if tag["created"] else "damaged: rag doctor"
    return f"{tag['name']} (generation {tag['generation']}, {when})"


def _calibration_told(own: dict[str, Any]) -> str:
    """A calibration in a line."""
    if not own["in_use"]:
        return "your own, not in use: fitted with another reader or encoder; rag eval calibrate"
    questions = f"{own['n_answerable']} answerable and {own['n_unanswerable']} other questions"
    return (
        f"your own, of {own['fitted']}: {questions}; answers from {own['answered']:.2f} on, "
        f"to be right in {own['precision']:.0%}"
    )


def settings_rows(resolved: Resolved) -> list[dict[str, Any]]:
    """Every setting with its value and its origin."""
    return [
        {"name": name, "value": str(value) if name == "store" else value, "origin": origin}
        for name, value, origin in resolved.rows()
    ]


def _named(settings: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The settings that go by these names, or stand in sections called so; each name must fit one."""
    fitting = [row for row in settings if row["name"] in names or row["name"].split(".")[0] in names]
    known = {part for row in settings for part in (row["name"], row["name"].split(".")[0])}
    for name in names:
        if name not in known:
            raise UsageError(f"{name} is no setting and no section of them", "rag info  # lists them all")
    return fitting


def _show_settings(settings: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json({"settings": settings})
        return
    from rag.output.lines import rows

    show(rows([(row["name"], f"{_told(row['value'])}  ({row['origin']})") for row in settings], look()))


def _told(value: object) -> str:
    if isinstance(value, dict):
        return _calibration_told(value)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    return repr(value) if value == "" else str(value)


def _age(created: str) -> str:
    """How long ago an ISO time was, in its largest unit."""
    from datetime import UTC, datetime

    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            n = seconds // size
            return f"{n} {unit}{'' if n == 1 else 's'}"
    return "0 seconds"

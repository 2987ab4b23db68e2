"""What the shell offers when Tab is pressed: documents of the store, its tags, settings, and fixed choices.

Whoever presses Tab waits for no library: the list of documents is read from the store's own files with what
comes with Python; ``rag.store`` would bring numpy. Nothing is checked: where a store cannot be read, nothing
is offered, and the command itself says why.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

from rag.settings import SECTIONS, load_settings, rules

N_OFFERED = 200  # documents; a shell asks before it lists more
_SPECIAL = re.compile(r"([^\w./@%+=:,~-])")


def documents(context: typer.Context, incomplete: str) -> list[str]:
    """The documents whose file name begins like that; with a slash in it, those whose path does."""
    store = _store(context)
    if store is None:
        return []
    return _typed(fitting(document_paths(store, context.params.get("at")), incomplete, Path.cwd()))


def tags(context: typer.Context, incomplete: str) -> list[str]:
    """The store's tags that begin like that."""
    store = _store(context)
    try:
        names = sorted(path.name for path in (store / "tags").iterdir()) if store is not None else []
    except OSError:
        return []
    return _typed(name for name in names if name.startswith(incomplete) and not name.startswith("."))


def settings(incomplete: str) -> list[str]:
    """The settings and their sections that begin like that.

    >>> settings("ray"), settings("retrieval.k")
    (['ray', 'ray.address', 'ray.shards'], ['retrieval.k'])
    """
    names = ["store", *SECTIONS, *rules()]
    return sorted(name for name in names if name.startswith(incomplete))


def choices(*names: str) -> Callable[[str], list[str]]:
    """What offers those of fixed names that begin like what was typed.

    >>> choices("quotation", "figure", "name")("n")
    ['name']
    """

    def offered(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return offered


def fitting(paths: Iterable[str], incomplete: str, here: Path) -> list[str]:
    """What may be typed for documents: names, which several may not share, or paths once a slash is typed.

    Paths are given as they were begun: from the root, or from the folder one stands in.

    >>> fitting(["/d/minutes.md", "/d/a/letter.txt", "/d/b/letter.txt"], "", Path("/d"))
    ['minutes.md']
    >>> fitting(["/d/minutes.md", "/d/a/letter.txt", "/d/b/letter.txt"], "a/", Path("/d"))
    ['a/letter.txt']
    """
    listed = [path for path in paths if path.isprintable()]
    if "/" not in incomplete:
        names = Counter(path.rsplit("/", 1)[-1] for path in listed)
        return sorted(name for name, n in names.items() if n == 1 and name.startswith(incomplete))[:N_OFFERED]
    if incomplete.startswith("/"):
        return sorted(path for path in listed if path.startswith(incomplete))[:N_OFFERED]
    under = f"{here}/".replace("//", "/")
    mark = "./" if incomplete.startswith("./") else ""
    relative = (mark + path.removeprefix(under) for path in listed if path.startswith(under))
    return sorted(path for path in relative if path.startswith(incomplete))[:N_OFFERED]


def document_paths(store: Path, tag: str | None = None) -> list[str]:
    """The paths of the documents that a store serves, or that a tag of it keeps; none where it has none."""
    try:
        return list(_document_paths(store, tag))
    except Exception:  # damage of any kind, a writer that has just swept: the command itself will say it
        return []


def _document_paths(store: Path, tag: str | None) -> Iterator[str]:
    """As the files of format 3 say it; ``rag.store`` writes them, and a test holds the two together."""
    import sqlite3
    from contextlib import closing
    from urllib.parse import quote

    pin = store / "tags" / Path(tag).name if tag else store / "CURRENT"
    number = int(pin.read_text("ascii").split()[0])
    generation = store / "generations" / f"{number:06d}"
    for segment in json.loads((generation / "manifest.json").read_bytes())["segments"]:
        dead = set(segment["dead"])
        place = quote(str((generation / segment["name"] / "passages.sqlite").absolute()))
        with closing(sqlite3.connect(f"file:{place}?mode=ro&immutable=1", uri=True)) as database:
            database.text_factory = bytes
            for position, path in database.execute("SELECT position, path FROM documents"):
                if position not in dead:
                    yield path.decode("utf-8", "surrogatepass")


def _store(context: typer.Context) -> Path | None:
    """The folder that the command will use, as the words typed so far have it; None for wrong settings."""
    try:
        return load_settings({"store": context.params.get("store")}).settings.store
    except Exception:  # whatever is wrong with the settings, the command itself will say it
        return None


def _typed(words: Iterable[str]) -> list[str]:
    """The words as the shell wants them: bash puts them on the command line as they are."""
    if not os.environ.get("_RAG_COMPLETE", "").endswith("bash"):
        return list(words)
    return [_SPECIAL.sub(r"\\\1", word) for word in words]

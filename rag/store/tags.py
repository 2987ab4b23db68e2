"""Tags: generations kept under a name, which no sweep deletes.

A tag is one small file, STORE/tags/NAME, with the line that CURRENT had: it names a generation and pins its
manifest. A name is made of letters, digits, dots, dashes and underscores, so that it is never a path.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StoreDamagedError, StoreError, StoreFormatError, UsageError
from rag.files import replace_file, sync_file
from rag.store.layout import CURRENT, TAGS, Steps, no_steps, writing
from rag.store.manifest import Manifest, pinned_manifest, read_current, read_manifest, read_pin
from rag.text.sinks import shell_word

MAX_NAME_CHARS = 64
_MAX_NAME_BYTES = 200  # file systems allow 255
_NAME = re.compile(r"[^\W_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Tag:
    """A generation kept under a name; ``created`` is when it was committed, None where it cannot be read."""

    name: str
    generation: int
    created: str | None


def checked_name(text: str) -> str:
    """A tag's name without space around it, its letters composed; UsageError where it can be none.

    >>> checked_name(" v1.0 "), checked_name("Fru\\u0308hjahr") == "Fr\\u00fchjahr"
    ('v1.0', True)
    """
    name = unicodedata.normalize("NFC", text.strip())
    if _is_name(name):
        return name
    shown = name if len(name) <= MAX_NAME_CHARS else name[:MAX_NAME_CHARS] + "…"
    raise UsageError(
        f"no tag can be called {shown!r}",
        f"begin with a letter or digit, then letters, digits and . _ -; {MAX_NAME_CHARS} of them at most",
    )


def _is_name(name: str) -> bool:
    """Whether a tag can be called that; letters of every script are letters."""
    if len(name) > MAX_NAME_CHARS or not _NAME.fullmatch(name):
        return False
    return len(name.encode("utf-8")) <= _MAX_NAME_BYTES


def untag_hint(store: Path, name: str) -> str:
    """The command that lets a tag go."""
    return f"rag index --untag {shell_word(name)} --store {shell_word(store)}  # lets the tag go"


def aside_hint(store: Path) -> str:
    """The command that sets aside what of a tag is damaged."""
    return f"rag doctor --repair --store {shell_word(store)}  # sets aside tags that cannot be served"


def tag_names(store: Path) -> list[str]:
    """The names of all tags there are, sorted; any other file among them is none."""
    try:
        found = os.listdir(store / TAGS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in found if _is_name(name))


def read_tag(store: Path, name: str) -> tuple[int, str]:
    """The generation that a tag names and the SHA-256 of its manifest.

    Raises UsageError where there is no such tag or there can be none, StoreMissingError where there is no
    store, StoreDamagedError where the tag is torn.
    """
    name = checked_name(name)
    pin = _pin(store, name)
    if pin is not None:
        return pin
    names = tag_names(store)
    if not names:
        read_manifest(store)  # says so where there is no store
    makes_it = f"rag index --tag {shell_word(name)} --store {shell_word(store)}  # makes it"
    raise UsageError(
        f"there is no tag {name} in the store at {store}",
        f"there are: {', '.join(names)}" if names else makes_it,
    )


def require_tag(store: Path, name: str) -> None:
    """Raise UsageError where there is no such tag; a torn one is there."""
    if not (store / TAGS / checked_name(name)).exists():
        read_tag(store, name)  # says which there are


def _pin(store: Path, name: str) -> tuple[int, str] | None:
    return read_pin(store / TAGS / name, aside_hint(store))


def tagged_manifest(store: Path, name: str) -> Manifest:
    """The manifest of the generation that a tag keeps, proven to be the one it was given to."""
    pin = read_tag(store, name)
    try:
        return pinned_manifest(store, pin, aside_hint(store))
    except StoreFormatError as error:
        raise StoreFormatError(f"tag {name}: {error.message}", untag_hint(store, name)) from None
    except StoreDamagedError as error:
        raise StoreDamagedError(f"tag {name}: {error.message}", aside_hint(store)) from None


def list_tags(store: Path) -> list[Tag]:
    """Every tag that names a generation, by the age of the generation, then by name."""
    found: list[Tag] = []
    for name in tag_names(store):
        try:
            number, _ = read_tag(store, name)
        except (StoreError, OSError):
            continue
        try:
            created = tagged_manifest(store, name).created
        except (StoreError, OSError):
            created = None
        found.append(Tag(name, number, created))
    return sorted(found, key=lambda tag: (tag.generation, tag.name))


def tagged_generations(store: Path) -> Mapping[str, int]:
    """The number each tag names. Raises StoreDamagedError or OSError where one cannot be read."""
    return {name: read_tag(store, name)[0] for name in tag_names(store)}


def check_free(store: Path, name: str, generation: int | None) -> None:
    """Raise UsageError where a tag of this name keeps another generation than this one."""
    pin = _pin(store, checked_name(name))
    if pin is not None and pin[0] != generation:
        word = shell_word(name)
        raise UsageError(
            f"the tag {name} keeps generation {pin[0]} already",
            f"choose another name, or move it: "
            f"rag index --untag {word} --tag {word} --store {shell_word(store)}",
        )


def write_tag(store: Path, name: str, *, steps: Steps = no_steps) -> None:
    """Keep the generation served under a name; one that had it has it no more. The caller holds the lock."""
    path = store / TAGS / checked_name(name)
    read_current(store)  # raises where it is torn
    with writing(store):
        steps("make the folder of tags")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        sync_file(store)
        replace_file(path, (store / CURRENT).read_bytes(), mode=0o600, steps=steps)


def remove_tag(store: Path, name: str, *, steps: Steps = no_steps) -> None:
    """Let a tag go; its generation is then one like any other. The caller holds the lock.

    Raises UsageError where there is none of that name.
    """
    require_tag(store, name)
    path = store / TAGS / checked_name(name)
    with writing(store):
        steps(f"delete tag {path.name}")
        path.unlink()
        sync_file(path.parent)

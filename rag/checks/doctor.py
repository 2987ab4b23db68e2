"""The health of an installation and its store: every finding that is not well names its remedy.

The rooms that need other packages are imported by the check that needs them, so that a package that is
missing or broken is a finding too.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.citations import freshness
from rag.errors import LoadError, RagError, StoreDamagedError, StoreMissingError
from rag.files import read_regular
from rag.records import Freshness
from rag.settings import Resolved, Settings, config_path, load_settings
from rag.text.sinks import shell_word, without_comment

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from rag.store import Manifest, Store

SPARE_BYTES = 200_000_000  # a first index of some thousand documents, with its embeddings
N_NAMED = 5  # files named one by one; more are counted
N_TRIED = 50  # files not in the store that are read to see whether they could be
CLIPPED = 400  # characters of a library's own message
_OF_DEVELOPERS = {"dev", "train"}  # extras that tests and the making of weights need, and no user of rag
_EXTRA = re.compile(r"extra == ['\"]([\w-]+)['\"]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found, and what to do about it."""

    check: str
    good: bool
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding under its documented keys."""
        return asdict(self)


def examine(flags: Mapping[str, object]) -> Iterator[Finding]:
    """Every finding, what the others rest on first."""
    yield from _python()
    yield from _extras()
    try:
        resolved = load_settings(flags)
    except RagError as error:
        yield Finding("settings", False, error.message, error.hint)
        return
    yield _settings(resolved)
    encoder, finding = _encoder(resolved.settings)
    yield finding
    if encoder is not None:
        yield _reader(resolved.settings, encoder)
    yield from _store(resolved.settings, encoder)
    yield _space(resolved.settings.store)


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding(
        "python",
        sys.version_info >= (3, 11),
        f"{version} at {sys.executable}",
        "" if sys.version_info >= (3, 11) else "install Python 3.11 or later",
    )
    required = _required()
    missing = [name for name in required if not _installed(name)]
    if missing:
        yield Finding("packages", False, "not installed: " + ", ".join(missing), "pip install --upgrade rag")
    elif required:
        yield Finding("packages", True, f"all {len(required)} are installed")
    else:
        yield Finding("packages", True, "not looked at: rag runs from its source, not installed")


def _required() -> list[str]:
    """The distributions that this one needs, without its extras."""
    try:
        named = importlib.metadata.requires("rag") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [_name(line) for line in named if "extra ==" not in line]


def _name(requirement: str) -> str:
    """The distribution that a requirement names.

    >>> _name("ray[data]>=2.50; extra == 'ray'")
    'ray'
    """
    match = _NAME.match(requirement)
    return match[0] if match else requirement


def _installed(name: str) -> bool:
    return _version(name) is not None


def _version(name: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[Finding]:
    """What is there of each extra; none of them need be, so all is well either way."""
    try:
        named = importlib.metadata.requires("rag") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for extra, requirements in extras_of(named).items():
        versions = {name: _version(name) for name in requirements}
        missing = [name for name, version in versions.items() if version is None]
        there = ", ".join(f"{name} {version}" for name, version in versions.items() if version is not None)
        install = f"pip install 'rag[{extra}]' brings it"
        if not missing:
            told = there
        elif there:
            told = f"{there}, without {', '.join(missing)}; {install}"
        else:
            told = f"not installed; {install}"
        yield Finding(f"extra {extra}", True, told)


def extras_of(requirements: Sequence[str]) -> dict[str, list[str]]:
    """The distributions that each of a user's extras brings, those of extras that it takes in among them.

    >>> named = ['a>=1; extra == "eval"', 'rag[eval]; extra == "peers"', 'b; extra == "peers"']
    >>> extras_of(["numpy>=2", *named, 'pytest; extra == "dev"'])
    {'eval': ['a'], 'peers': ['a', 'b']}
    """
    lines: dict[str, list[str]] = {}
    for line in requirements:
        if extra := _EXTRA.search(line):
            lines.setdefault(extra[1], []).append(line)

    def brought(extra: str, inside: frozenset[str]) -> Iterator[str]:
        for line in lines.get(extra, []):
            taken = re.match(r"rag\[([\w,-]+)\]", line)
            if taken is None:
                yield _name(line)
                continue
            for other in taken[1].split(","):
                if other not in inside:
                    yield from brought(other, inside | {other})

    users = (extra for extra in lines if extra not in _OF_DEVELOPERS)
    return {extra: list(dict.fromkeys(brought(extra, frozenset({extra})))) for extra in users}


def _settings(resolved: Resolved) -> Finding:
    path = config_path()
    changed = [name for name, origin in resolved.origin.items() if origin != "default"]
    file = f"file {path}" if path.is_file() else f"no file at {path}"
    return Finding("settings", True, f"{file}; not at their default: {', '.join(changed) or 'none'}")


def _encoder(settings: Settings) -> tuple[Encoder | None, Finding]:
    """The encoder when it works, and whether it does: it is loaded and encodes a word."""
    try:
        from rag.retrieval.encoder import load_encoder

        encoder = load_encoder(settings.encoder, n_threads=settings.reader.threads)
        encoder.encode(["trust"], kind="query")
    except RagError as error:
        return None, Finding("encoder", False, error.message[:CLIPPED], error.hint)
    except (ImportError, OSError, RuntimeError) as error:
        return None, _broken("encoder", settings.encoder.model, error)
    told = f"{encoder.name}, {encoder.dim} dimensions, weights checked"
    return encoder, Finding("encoder", True, told)


def _reader(settings: Settings, encoder: Encoder) -> Finding:
    """Whether the reader works: it is loaded and reads a sentence."""
    try:
        from rag.reader import open_reader
        from rag.reader.base import Candidate

        reader = open_reader(settings.reader, lambda: encoder)
        reader.read("Who ran it?", [Candidate("The trust ran it.", "Briefing")])
    except RagError as error:
        return Finding("reader", False, error.message[:CLIPPED], error.hint)
    except (ImportError, OSError, RuntimeError) as error:
        return _broken("reader", settings.reader.model, error)
    return Finding("reader", True, f"{reader.name}, weights checked")


def _broken(check: str, what: str, error: Exception) -> Finding:
    told = f"{what} cannot be used: {error}"[:CLIPPED]
    return Finding(check, False, told, "pip install --force-reinstall rag  # and what it needs")


def _store(settings: Settings, encoder: Encoder | None) -> Iterator[Finding]:
    path = settings.store
    try:
        from rag.store import Store
    except ImportError as error:
        yield _broken("store", str(path), error)
        return
    yield from _lock(path)
    yield from _leftovers(path)
    try:
        opened = Store.open(path, verify=False)
    except RagError as error:
        yield _damaged(path, error)
        yield from _tags(path)
        return
    with opened as store:
        manifest = store.manifest
        try:
            store.verify()
        except RagError as error:
            yield _damaged(path, error)
            yield from _tags(path)
            return
        yield Finding(
            "store",
            True,
            f"generation {manifest.generation} of {path}: {manifest.n_documents} documents, "
            f"{manifest.n_passages} passages, every checksum holds",
        )
        if encoder is not None:
            yield _same_encoder(store, encoder)
        yield from _tags(path, manifest)
        yield from _staleness(store, settings)


def _damaged(path: Path, error: RagError) -> Finding:
    """What is wrong with a store, and what its files allow: going back, or making it anew."""
    from rag.store.manifest import repair_hint
    from rag.store.repair import newest_whole

    whole = newest_whole(path) if isinstance(error, StoreDamagedError) else None
    if whole is None:
        return Finding("store", False, error.message, without_comment(error.hint))
    told = f"{error.message}; generation {whole[0]} is whole"
    return Finding("store", False, told, without_comment(repair_hint(path)))


def _tags(path: Path, whole: Manifest | None = None) -> Iterator[Finding]:
    """Whether what every tag keeps can be served; ``whole`` is a generation known to be so."""
    from rag.store.repair import tag_fault
    from rag.store.tags import aside_hint, tag_names

    good = []
    for name in tag_names(path):
        fault = tag_fault(path, name, whole)
        if fault is None:
            good.append(name)
            continue
        told = fault.message if isinstance(fault, RagError) else f"tag {name} cannot be read: {fault}"
        hint = fault.hint if isinstance(fault, RagError) else aside_hint(path)
        yield Finding("tags", False, told, hint.partition("  #")[0])
    if good:
        yield Finding("tags", True, f"what they keep is whole: {', '.join(good)}")


def _same_encoder(store: Store, encoder: Encoder) -> Finding:
    try:
        store.check_encoder(encoder.name, encoder.fingerprint)
    except RagError as error:
        return Finding("store's encoder", False, error.message, error.hint)
    return Finding("store's encoder", True, "the store was built with the encoder now set")


def _staleness(store: Store, settings: Settings) -> Iterator[Finding]:
    """Files edited, missing, unreadable or new since the store was built."""
    from rag.loaders import find_files

    files = store.files()
    now = {file.path: freshness(file.path, file.sha256, file.size) for file in files}
    found, _ = find_files([Path(root) for root in store.manifest.roots], store.manifest.excluded)
    new, skipped = _sorted_out(sorted({str(path) for path in found} - set(now)), settings, store)
    by_freshness = {how: [path for path, fresh in now.items() if fresh is how] for how in Freshness}
    roots = " ".join(shell_word(root) for root in store.manifest.roots)
    remedy = f"rag index {roots} --store {shell_word(store.path)}"
    bad = (
        ("edited since indexing", by_freshness[Freshness.EDITED]),
        ("missing since indexing", by_freshness[Freshness.MISSING]),
        ("that cannot be read now", by_freshness[Freshness.UNREADABLE]),
        ("new since indexing", new),
    )
    for what, paths in bad:
        if paths:
            yield Finding("files", False, f"{len(paths)} {what}: {_some(paths)}", remedy)
    if not any(paths for _, paths in bad):
        yield Finding("files", True, f"all {len(files)} are as they were indexed")
    if skipped:
        yield Finding("skipped", True, f"{len(skipped)} that no index can hold: {_some(skipped)}")


def _sorted_out(paths: list[str], settings: Settings, store: Store) -> tuple[list[str], list[str]]:
    """Of files that are not in the store, those that the next run would read, and those it would skip again.

    Past ``N_TRIED`` they are taken for new: to try them all would be to index them.
    """
    from rag.loaders import real_roots
    from rag.loading import LoadingPool

    if not paths:
        return [], []
    tried, rest = paths[:N_TRIED], paths[N_TRIED:]
    with LoadingPool() as pool:
        outcomes = list(pool.load_all(tried, settings.passages, real_roots(store.manifest.roots)))
    new = [path for path, one in zip(tried, outcomes, strict=True) if not isinstance(one, LoadError)]
    skipped = [f"{one.path} ({one.reason})" for one in outcomes if isinstance(one, LoadError)]
    return new + rest, skipped


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - N_NAMED} more" if len(paths) > N_NAMED else ""
    return ", ".join(paths[:N_NAMED]) + more


def _leftovers(path: Path) -> Iterator[Finding]:
    """Half-built generations and the like, unless a writer is at work on them."""
    from rag.store.manifest import repair_hint
    from rag.store.writer import leftovers

    left = [one.name for one in leftovers(path)]
    if left and not _is_locked(path / "lock"):
        told = f"a run that was killed left behind: {_some(left)}"
        yield Finding("leftovers", False, told, without_comment(repair_hint(path)))


def _lock(path: Path) -> Iterator[Finding]:
    """A writer at work, or what one that died left behind."""
    holder = path / "lock.json"
    try:
        said = json.loads(read_regular(holder, 100_000))
        who = f"process {said['pid']} on {said['host']}, started at {said['started']}"
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        who = "another process"
    if _is_locked(path / "lock"):
        yield Finding("lock", True, f"the store is being written by {who}; it can be read meanwhile")
    else:
        remedy = f"rag doctor --repair --store {shell_word(path)}"
        yield Finding("lock", False, f"{who} ended without finishing", remedy)


def mend(path: Path) -> Finding:
    """Serve the newest generation that is whole and clear what killed runs left; what was done.

    Raises StoreMissingError, StoreLockedError while somebody writes, or StoreDamagedError where no generation
    is whole.
    """
    from rag.store.lock import write_lock
    from rag.store.repair import repair

    if not path.is_dir():
        raise StoreMissingError(f"there is no store at {path}", f"rag index PATH --store {shell_word(path)}")
    with write_lock(path):  # whose end takes away what the last holder left of itself
        return Finding("repair", True, repair(path).told)


def _is_locked(path: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _space(path: Path) -> Finding:
    """Room for another generation, as large as the largest: files that several share are counted once."""
    there = next((parent for parent in (path, *path.parents) if parent.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    sizes = [
        sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        for folder in (path / "generations").glob("[0-9]*")
    ]
    needed = max([SPARE_BYTES, *sizes])
    told = f"{free / 1e9:.1f} GB free at {there}, {needed / 1e9:.1f} GB needed for the next index"
    remedy = "" if free >= needed else f"free some space on the disk of {there}, or name another with --store"
    return Finding("disk", free >= needed, told, remedy)

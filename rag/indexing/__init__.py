"""Indexing: files in, one new generation of the store out, or none at all."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from embeddings.compact import packed_width
from embeddings.encoder import Encoder
from rag.errors import LoadError, NothingToIndexError, RagError, StoreError, StoreMissingError
from rag.files import is_gone, is_under
from rag.indexing.code_hash import rules_sum
from rag.indexing.embed import Embedded, embed
from rag.indexing.merging import shared_segments
from rag.indexing.progress import Progress, Quiet
from rag.indexing.remembering import kept_keys, paths_to_remember, patterns_in_force
from rag.indexing.scan import Known, Scan, scan
from rag.indexing.texts import passage_texts
from rag.loaders import LOADERS, ExcludedError, UnsupportedFileError, find_files, real_roots
from rag.loading import Loader, LoadingPool
from rag.passages.duplicates import group
from rag.retrieval.encoder import load_encoder
from rag.settings import READING_LIMITS, EncoderSettings, PassageSettings, Settings
from rag.store.content import Content, Entry, arrange
from rag.store.journal import Committed, Journal, committed_vectors
from rag.store.layout import JOURNAL, Steps, generation_folder, no_steps, writing
from rag.store.lock import write_lock
from rag.store.manifest import (
    Manifest,
    SegmentRecord,
    read_current,
    read_manifest,
    rebuild_hint,
    remembered,
)
from rag.store.reader import Store
from rag.store.tags import check_free, checked_name, remove_tag, require_tag, write_tag
from rag.store.writer import Build, NewSegment, clear_leftovers, commit, sweep
from rag.text.language import load_language

__all__ = ["IndexSummary", "Progress", "index", "untag"]

_LEFT = (UnsupportedFileError, ExcludedError)


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What a run did: documents by what became of them, and what the store now holds.

    ``embedded`` passages went through the encoder, ``reused`` ones were known. ``committed`` is False when
    nothing had changed and the generation is the one there was. ``problems`` are files that were to be read
    and could not; ``left`` are those of other kinds, and what a pattern leaves out. ``tag`` is the name that
    the generation is kept under.
    """

    added: int
    changed: int
    removed: int
    renamed: int
    unchanged: int
    problems: list[LoadError]
    left: list[LoadError]
    n_documents: int
    n_passages: int
    n_excluded: int
    duplicates: int
    embedded: int
    reused: int
    generation: int
    committed: bool
    seconds: float
    tag: str | None = None


def shaping_settings(encoder: EncoderSettings, passages: PassageSettings) -> dict[str, object]:
    """The settings an index is made with: under others it must be built again."""
    shaping = {
        f"passages.{name}": value for name, value in asdict(passages).items() if name not in READING_LIMITS
    }
    prefixes = ("query_prefix", "passage_prefix")
    return shaping | {f"encoder.{name}": getattr(encoder, name) for name in ("model", *prefixes)}


def index(
    paths: Sequence[str | Path] | None,
    store: str | Path,
    settings: Settings,
    *,
    progress: Progress | None = None,
    keep: Collection[str] = (),
    drop: Collection[str] = (),
    rebuild: bool = False,
    exclude: Sequence[str] = (),
    unexclude: Collection[str] = (),
    tag: str | None = None,
    untag: Collection[str] = (),
    encoder: Encoder | None = None,
    loader: Loader | None = None,
    steps: Steps = no_steps,
) -> IndexSummary:
    """Bring the store up to what stands under ``paths``; None takes every path indexed before.

    Documents indexed from elsewhere stay. ``keep`` names boilerplate (by ``boilerplate_key``) to bring back,
    for good; ``drop`` undoes that. ``rebuild`` reads every file again, with the settings and the encoder now
    set. ``exclude`` are patterns, as in a .gitignore file, of what to leave out in this run and later ones;
    what was indexed of it is let go. ``unexclude`` names patterns to forget. ``tag`` is the name under which
    the generation then served is kept, whether or not anything changed; the names in ``untag`` are let go
    first. ``loader`` None loads every file in a child process, under limits. ``steps`` is told the name of
    each step before it is taken.

    Raises UsageError for a tag that keeps another generation or a pattern to forget that is not remembered,
    NothingToIndexError, StoreLockedError, EncoderMismatchError, or StoreError when settings differ or the
    disk refuses; the store is then as it was. So it is after Ctrl-C, and embeddings made are kept.
    """
    if loader is None:
        with LoadingPool() as pool:
            pool.start(settings.passages)
            return index(
                paths,
                store,
                settings,
                progress=progress,
                keep=keep,
                drop=drop,
                rebuild=rebuild,
                exclude=exclude,
                unexclude=unexclude,
                tag=tag,
                untag=untag,
                encoder=encoder,
                loader=pool,
                steps=steps,
            )
    tag = None if tag is None else checked_name(tag)
    free = frozenset(checked_name(name) for name in untag)
    run = _Run(Path(store).absolute(), settings, progress or Quiet(), rebuild, encoder, loader, steps)
    run.exclude = patterns_in_force(remembered(run.store).excluded, exclude, unexclude)
    given = None if paths is None else [os.path.abspath(path) for path in paths]
    found = None
    if given is not None:
        found = run.find(given)
        if not found[0] and not Store.exists(run.store):  # leave no trace of a store that never was
            raise _nothing(given, found[1])
    steps("take the lock")
    with write_lock(run.store), ExitStack() as stack:
        for name in free:
            require_tag(run.store, name)
        for name in free - {tag}:
            remove_tag(run.store, name, steps=steps)
        run.tag = None if tag in free else tag
        excluded = patterns_in_force(remembered(run.store).excluded, exclude, unexclude)
        if excluded != run.exclude:  # another run has come between
            run.leave_out(excluded)
        done = run.index(given, frozenset(keep), frozenset(drop), stack)
        if tag is not None:
            write_tag(run.store, tag, steps=steps)
        return replace(done, tag=tag)


def untag(store: str | Path, names: Collection[str], *, steps: Steps = no_steps) -> None:
    """Let tags go, and what only they kept. Raises UsageError where there is no tag of a name.

    While the generation served is damaged nothing is deleted but the tags.
    """
    path = Path(store).absolute()
    if not path.is_dir():
        read_manifest(path)  # says that there is no store
    with write_lock(path):
        for name in names:
            require_tag(path, name)
        for name in names:
            remove_tag(path, name, steps=steps)
        try:
            served = Store.open(path)
        except StoreError:
            return
        with served, writing(path):
            sweep(path, steps=steps)


class _Run:
    """One run of indexing, under the lock."""

    def __init__(
        self,
        store: Path,
        settings: Settings,
        progress: Progress,
        rebuild: bool,
        encoder: Encoder | None,
        loader: Loader,
        steps: Steps,
    ) -> None:
        self.store = store
        self.loader = loader
        self.settings = settings
        self.progress = progress
        self.rebuild = rebuild
        self.exclude: tuple[str, ...] = ()
        self.steps = steps
        self.tag: str | None = None  # which no other generation may have
        self.began = time.perf_counter()
        self.rules = rules_sum()
        self.shape = shaping_settings(settings.encoder, settings.passages)
        self._encoder = encoder
        self._found: dict[tuple[str, ...], tuple[list[Path], list[LoadError]]] = {}

    @property
    def encoder(self) -> Encoder:
        """The encoder, loaded when first needed: a run that changes nothing never pays for it."""
        if self._encoder is None:
            self._encoder = load_encoder(self.settings.encoder)
        return self._encoder

    def leave_out(self, patterns: tuple[str, ...]) -> None:
        """Leave out what these patterns fit, and look again for what was found with others."""
        self.exclude = patterns
        self._found.clear()

    def find(self, paths: Sequence[str]) -> tuple[list[Path], list[LoadError]]:
        """The files under ``paths``, the store's own left out, and what could not be looked at."""
        key = tuple(paths)
        if key not in self._found:
            files, problems = find_files([Path(path) for path in paths], self.exclude)
            own = [str(self.store), os.path.realpath(self.store)]
            self._found[key] = (
                [path for path in files if not is_under(str(path), own)],
                [problem for problem in problems if not is_under(problem.path, own)],
            )
        return self._found[key]

    def index(
        self, given: list[str] | None, keep: frozenset[str], drop: frozenset[str], stack: ExitStack
    ) -> IndexSummary:
        """The whole run."""
        with writing(self.store):
            clear_leftovers(self.store, steps=self.steps)
        previous = self._previous()
        if previous is not None:
            stack.enter_context(previous)
            with writing(self.store):
                sweep(self.store, steps=self.steps)
        if self.tag is not None:
            check_free(self.store, self.tag, None if previous is None else previous.manifest.generation)
        roots, kept, _ = remembered(self.store) if previous is None else previous.manifest.remembered
        scanned = self._scan(given, roots, previous)
        kept = kept_keys(scanned, previous, kept, keep, drop)
        roots = paths_to_remember(roots, given or [])
        if previous is not None and not self._must_commit(previous.manifest, scanned, roots, kept):
            return self._summary(scanned, previous, None, committed=False)
        if self.tag is not None:
            check_free(self.store, self.tag, None)
        carried, rewritten = self._carried(scanned, previous, kept)
        content = arrange([*rewritten, *scanned.loaded], kept)
        if not content.passages and not any(one.n_passages > one.n_dead_passages for one in carried):
            raise NothingToIndexError(
                "no document holds words that could be cited", "rag index --report  # lists what was kept out"
            )
        if previous is not None and not self.rebuild:
            previous.check_encoder(self.encoder.name, self.encoder.fingerprint)
        return self._commit(scanned, content, carried, previous, roots, kept)

    def _carried(
        self, scanned: Scan, previous: Store | None, kept: tuple[str, ...]
    ) -> tuple[tuple[SegmentRecord, ...], list[Entry]]:
        """The segments that the new generation shares with the one before, and what of it is written anew.

        Where texts kept out or brought back change, every passage's row does.
        """
        if previous is None:
            return (), []
        unchanged = set(scanned.carried)
        segments = previous.without([file.path for file in previous.files() if file.path not in unchanged])
        n_new = sum(len(entry.passages) for entry in scanned.loaded)
        may_share = not self.rebuild and kept == previous.manifest.kept
        carried = shared_segments(segments, n_new) if may_share else ()
        names = {one.name for one in carried}
        rewritten = [path for path in scanned.carried if previous.segment_of(path).name not in names]
        return carried, [previous.entry_at(path) for path in rewritten]

    def _previous(self) -> Store | None:
        """The generation served, if it may be built upon; None where every file is to be read again."""
        try:
            # A first run killed just before its switch, or a CURRENT that was lost: the paths are known from
            # the manifests, and no generation is swept before another is committed.
            if read_current(self.store) is None:
                return None
            previous = Store.open(self.store)
        except StoreMissingError:
            return None
        except StoreError:
            if self.rebuild:
                return None
            raise
        if not self.rebuild:
            try:
                self._check_shape(previous)
            except BaseException:
                previous.close()
                raise
        return previous

    def _check_shape(self, previous: Store) -> None:
        """Raise when other settings, or as far as is cheap to see another encoder, built the store."""
        before = previous.manifest.settings
        differing = sorted(name for name in self.shape if before.get(name) != self.shape[name])
        if self._encoder is not None or any(name.startswith("encoder.") for name in differing):
            previous.check_encoder(self.encoder.name, self.encoder.fingerprint)
        wrong = [name for name in differing if name.startswith("passages.")]
        if wrong:
            told = ", ".join(f"{name} was {before.get(name)!r}, now {self.shape[name]!r}" for name in wrong)
            raise StoreError(
                f"the store at {self.store} was built with other settings: {told}", rebuild_hint(self.store)
            )

    def _scan(self, given: list[str] | None, roots: tuple[str, ...], previous: Store | None) -> Scan:
        carry = previous is not None and not self.rebuild and previous.manifest.rules == self.rules
        if given is None and not roots:
            raise NothingToIndexError("no path was given, and none was indexed before", "rag index PATH")
        paths = list(roots) if given is None else given
        if not carry:  # every file is read again, wherever it was indexed from
            paths = list(dict.fromkeys([*paths, *roots]))
        files, problems = self.find(paths)
        known = _known(previous, carry, keep=not self.rebuild)
        if given is None:  # a remembered folder that is gone may be a disk not mounted; one named is meant
            paths = [path for path in paths if not is_gone(path)]
        scope = {*paths, *(os.path.realpath(path) for path in paths)}
        inside = real_roots(paths)
        scanned = scan(
            files, problems, scope, inside, known, self.settings.passages, self.loader, self.progress
        )
        if not scanned.n_readable:
            raise _nothing(paths, scanned.problems)
        return scanned

    def _must_commit(
        self, manifest: Manifest, scanned: Scan, roots: tuple[str, ...], kept: tuple[str, ...]
    ) -> bool:
        now = (roots, kept, self.exclude, self.rules)
        same = now == (manifest.roots, manifest.kept, manifest.excluded, manifest.rules)
        return self.rebuild or scanned.has_changes or not same

    def _commit(
        self,
        scanned: Scan,
        content: Content,
        carried: tuple[SegmentRecord, ...],
        previous: Store | None,
        roots: tuple[str, ...],
        kept: tuple[str, ...],
    ) -> IndexSummary:
        new, embedded = None, None
        if content.passages or content.excluded or content.entries:
            new, embedded = self._new_segment(content, previous if carried else None)
        folder = None if previous is None else generation_folder(self.store, previous.manifest.generation)
        build = Build(
            new=new,
            dim=self.encoder.dim,
            language=self.settings.passages.language,
            encoder_name=self.encoder.name,
            encoder_fingerprint=self.encoder.fingerprint,
            settings=self.shape,
            rules=self.rules,
            roots=roots,
            kept=kept,
            excluded=self.exclude,
            carried=carried,
            carried_from=folder if carried else None,
        )
        self.progress.start("writing", len(content.passages))
        with writing(self.store):
            commit(self.store, build, steps=self.steps)
        self.progress.advance(len(content.passages))
        self.progress.finish()
        # Only tidying is left: what it does not get done, the next run does.
        with suppress(OSError):
            sweep(self.store, steps=self.steps)
            self.steps("delete the journal")
            (self.store / JOURNAL).unlink(missing_ok=True)
        with Store.open(self.store, verify=False) as served:
            return self._summary(scanned, served, embedded, committed=True)

    def _new_segment(self, content: Content, beside: Store | None) -> tuple[NewSegment, Embedded]:
        """What is new, embedded, and grouped among itself and with the passages of the store beside it."""
        language = load_language(self.settings.passages.language)
        documents = {entry.document.id: entry.document for entry in content.entries}
        parted = self.settings.passages.sentence_view
        texts = passage_texts(content.passages, documents, language, parted=parted)
        with writing(self.store):
            journal = Journal(self.store / JOURNAL, self.encoder.dim, packed_width(self.encoder.dim))
        with ExitStack() as stack:
            known: list[Journal | Committed] = [journal, *committed_vectors(self.store)]
            for source in known:
                stack.callback(source.close)
            embedded = embed(
                texts,
                self.encoder,
                known,
                journal,
                self.store,
                progress=self.progress,
                steps=self.steps,
            )
        grouped = group([passage.text for passage in content.passages], language, beside)
        return NewSegment(content, [text.context for text in texts], grouped, embedded.made), embedded

    def _summary(
        self, scanned: Scan, served: Store, embedded: Embedded | None, *, committed: bool
    ) -> IndexSummary:
        manifest = served.manifest
        return IndexSummary(
            added=scanned.added,
            changed=scanned.changed,
            removed=scanned.removed,
            renamed=scanned.renamed,
            unchanged=scanned.unchanged,
            problems=[problem for problem in scanned.problems if not isinstance(problem, _LEFT)],
            left=[problem for problem in scanned.problems if isinstance(problem, _LEFT)],
            n_documents=manifest.n_documents,
            n_passages=manifest.n_passages,
            n_excluded=manifest.n_excluded,
            duplicates=served.n_twins(),
            embedded=embedded.n_made if embedded else 0,
            reused=embedded.n_known if embedded else 0,
            generation=manifest.generation,
            committed=committed,
            seconds=time.perf_counter() - self.began,
        )


def _nothing(paths: Sequence[str], problems: Sequence[RagError]) -> NothingToIndexError:
    reasons = "".join(f"\n  {problem.message}" for problem in problems[:5])
    more = f"\n  and {len(problems) - 5} more" if len(problems) > 5 else ""
    return NothingToIndexError(
        f"there is no readable document under {', '.join(paths)}{reasons}{more}",
        f"name a file or folder with one of {', '.join(LOADERS)} files; an existing store is left alone",
    )


def _known(previous: Store | None, carry: bool, *, keep: bool) -> Known:
    if previous is None:
        return Known({}, carry=False, keep=False)
    return Known({file.path: file for file in previous.files()}, carry, keep)

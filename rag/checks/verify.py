"""Do the citations of earlier answers still stand? Files and answers decide; no store is needed."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, TypeVar

from rag.checks.elsewhere import Elsewhere
from rag.checks.nearest import Change, nearest, stands_whole
from rag.citations import location
from rag.errors import LoadError, UsageError
from rag.files import OUTSIDE, is_gone, is_under, why
from rag.loaders import real_roots
from rag.loading import Loader, LoadingPool
from rag.records import EXTRACTOR_CHARS, Document, Freshness, Location, sha256_text
from rag.settings import PassageSettings

T = TypeVar("T")
N_NAMED = 5  # lines that cannot be read, named one by one; more are counted
_N_KEPT = 16  # documents kept decoded: answers cite the same few again and again
_N_PLACES = 10_000  # of the same words that are looked at
_CLIPPED = 200  # characters of a library's own message


class Verdict(StrEnum):
    """What became of a citation."""

    SAME = "same"  # the words stand where the citation points
    MOVED = "moved"  # they stand elsewhere, as a sentence of their own
    CHANGED = "changed"  # others stand in their place
    GONE = "gone"
    MISSING = "missing"  # the file
    UNREADABLE = "unreadable"  # the file
    ALTERED = "altered"  # the answers file: it says what never was

    @property
    def good(self) -> bool:
        """Whether the words stand where the citation points."""
        return self is Verdict.SAME


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation as an answers file has it: ``line`` of the file, ``number`` within the answer, from 1."""

    line: int
    number: int
    question: str
    document: str
    sha256: str
    start: int
    end: int
    quote: str
    quote_sha256: str
    extractor: str | None = None  # which code had read the file, where the answer says


@dataclass(frozen=True, slots=True)
class Checked:
    """A citation with its verdict.

    ``found`` is where its words, or those nearest to them, stand now; None when nowhere. ``changes`` are the
    words of both by what became of them, where the verdict is that they changed. ``fresh`` is how the file
    stands against the one cited, None where it was not read.
    """

    cited: Cited
    verdict: Verdict
    detail: str
    found: Location | None = None
    changes: tuple[Change, ...] = ()
    fresh: Freshness | None = None

    def to_json(self) -> dict[str, Any]:
        """The check under its documented keys (``rag/schema/verify.schema.json``)."""
        found = self.found
        return {
            "line": self.cited.line,
            "citation": self.cited.number,
            "question": self.cited.question,
            "document": self.cited.document,
            "start": self.cited.start,
            "end": self.cited.end,
            "quote": self.cited.quote,
            "verdict": str(self.verdict),
            "found": None if found is None else found.to_json(),
            "changes": [list(change) for change in self.changes],
            "file": None if self.fresh is None else str(self.fresh),
            "detail": self.detail,
        }


def read_answers(lines: Iterable[str], name: str) -> list[Cited]:
    """Every citation in an answers file, in order; UsageError naming the lines that hold no answer."""
    return answers_in(lines, name, citations_in)


def answers_in(lines: Iterable[str], name: str, read: Callable[[Any, int], list[T]]) -> list[T]:
    """All that ``read`` finds in the lines of an answers file, given each line's JSON and its number.

    Where it raises KeyError, TypeError or ValueError the line holds no answer; UsageError names those lines.
    """
    read_so_far: list[T] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            line.encode()
            read_so_far += read(json.loads(line), number)
        except UnicodeEncodeError:
            wrong.append(f"{name}:{number}: not UTF-8 text")
        except RecursionError:
            wrong.append(f"{name}:{number}: nested too deeply")
        except (ValueError, KeyError, TypeError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)[:_CLIPPED]
            wrong.append(f"{name}:{number}: {what}")
    if wrong:
        more = [f"and {len(wrong) - N_NAMED} more lines"] if len(wrong) > N_NAMED else []
        raise UsageError(
            "\n".join(["these lines are no answers", *wrong[:N_NAMED], *more]),
            "write the file with: rag ask - --json > answers.jsonl",
        )
    return read_so_far


def citations_in(answer: Any, line: int) -> list[Cited]:
    """The citations of one answer as read from JSON; KeyError or TypeError where it is none."""
    if not isinstance(answer, Mapping):
        raise TypeError("expected a JSON object")
    if answer.get("status") == "error" and "citations" not in answer:
        return []  # a line that could not be asked
    listed = answer["citations"]
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise TypeError("expected a list of objects under 'citations'")
    return [_cited(one, line, number, answer) for number, one in enumerate(listed, start=1)]


def _cited(one: Mapping[str, Any], line: int, number: int, answer: Mapping[str, Any]) -> Cited:
    question, store = answer.get("question"), answer.get("store")
    extractor = store.get("extractor") if isinstance(store, Mapping) else None
    for key in ("document", "sha256", "quote", "quote_sha256"):
        if not isinstance(one[key], str):
            raise TypeError(f"citation {number}: expected text under {key!r}")
    for key in ("start", "end"):
        if not isinstance(one[key], int) or isinstance(one[key], bool):
            raise TypeError(f"citation {number}: expected a whole number under {key!r}")
    return Cited(
        line=line,
        number=number,
        question=question if isinstance(question, str) else "",
        document=one["document"],
        sha256=one["sha256"],
        start=one["start"],
        end=one["end"],
        quote=one["quote"],
        quote_sha256=one["quote_sha256"],
        extractor=extractor if isinstance(extractor, str) else None,
    )


def check(
    cited: Iterable[Cited],
    *,
    max_bytes: int,
    settings: PassageSettings | None = None,
    loader: Loader | None = None,
    roots: Sequence[str | Path] | None = None,
    elsewhere: Sequence[str | Path] = (),
) -> Iterator[Checked]:
    """Each citation with its verdict, in the order given.

    No file is opened outside ``roots`` (None allows every place) and ``elsewhere``: the folders that a copy
    of the documents is in, where a file is looked for by the end of its path and then by its checksum.
    ``loader`` None loads each file in a child process, under the limits of ``settings``.
    """
    if loader is None:
        with LoadingPool(1) as pool:
            yield from check(
                cited, max_bytes=max_bytes, settings=settings, loader=pool, roots=roots, elsewhere=elsewhere
            )
        return
    settings = replace(settings or PassageSettings(), max_file_mb=max(1, -(-max_bytes // 1_000_000)))
    allowed = None if roots is None else [*real_roots(roots), *real_roots(elsewhere)]
    files = _Files(loader, settings, allowed, Elsewhere(elsewhere) if elsewhere else None)
    for one in cited:
        path, document = files.of(one)
        yield judge(one, document, path)


class _Files:
    """The cited files, each read once in a while: the last ones are kept."""

    def __init__(
        self,
        loader: Loader,
        settings: PassageSettings,
        inside: Sequence[str] | None,
        elsewhere: Elsewhere | None,
    ) -> None:
        self._loader = loader
        self._settings = settings
        self._inside = inside
        self._elsewhere = elsewhere
        self._read: OrderedDict[str, Document | LoadError | None] = OrderedDict()

    def of(self, cited: Cited) -> tuple[str, Document | LoadError | None]:
        """Where the file is looked for, and what it holds; None where nothing stands there."""
        path = self._place(cited)
        if path not in self._read:
            self._read[path] = self._load(path)
            if len(self._read) > _N_KEPT:
                self._read.popitem(last=False)
        return path, self._read[path]

    def _place(self, cited: Cited) -> str:
        if self._elsewhere is None:
            return cited.document
        return self._elsewhere.find(cited.document, cited.sha256) or cited.document

    def _load(self, path: str) -> Document | LoadError | None:
        if not PurePath(path).is_absolute():
            return LoadError(path, "not an absolute path")
        try:
            # Where it leads is asked first: whether something stands outside is nobody's business either.
            if self._inside is not None and not is_under(os.path.realpath(path), self._inside):
                return None if is_gone(path) else LoadError(path, f"{OUTSIDE}; name its folder with --root")
            if is_gone(path):
                return None
        except ValueError as error:
            return LoadError(path, why(error))
        (outcome,) = self._loader.load_all([path], self._settings, self._inside)
        return outcome if isinstance(outcome, LoadError) else outcome.document


def judge(cited: Cited, document: Document | LoadError | None, path: str | None = None) -> Checked:
    """The verdict on one citation, given its file as it is now and where that was found."""
    if not cited.quote or sha256_text(cited.quote) != cited.quote_sha256:
        return Checked(
            cited, Verdict.ALTERED, "the quote in the answers file does not match its own checksum"
        )
    if document is None:
        return Checked(cited, Verdict.MISSING, "the file is no longer there", fresh=Freshness.MISSING)
    if isinstance(document, LoadError):
        detail = f"the file cannot be read: {document.reason}"
        return Checked(cited, Verdict.UNREADABLE, detail, fresh=Freshness.UNREADABLE)
    if cited.end - cited.start != len(cited.quote):
        return Checked(cited, Verdict.ALTERED, "the quote in the answers file is not as long as its place")
    fresh = Freshness.UNCHANGED if document.sha256 == cited.sha256 else Freshness.EDITED
    text, start, n = document.text, cited.start, len(cited.quote)
    if start >= 0 and text[start : start + n] == cited.quote:
        found = location(document, start, start + n)
        if path is not None and path != cited.document:
            detail = "the words are where the citation points, in the file where it is now"
        elif fresh is Freshness.EDITED:
            detail = "the file was edited; the words are where they were"
        else:
            detail = "the words are where the citation points"
        return Checked(cited, Verdict.SAME, detail, found, fresh=fresh)
    since = "the file was edited"
    if fresh is Freshness.UNCHANGED:
        if cited.extractor is None or cited.extractor == extractor():
            detail = "the file is unchanged, and the words never stood where the citation says"
            return Checked(cited, Verdict.ALTERED, detail, fresh=fresh)
        since = "the file is unchanged, but another version of rag had read it"
    return _search(cited, document, fresh, since)


def _search(cited: Cited, document: Document, fresh: Freshness, since: str) -> Checked:
    """Where the words went in a file that is not as it was."""
    text, n = document.text, len(cited.quote)
    start = _where(text, cited)
    if start is not None and stands_whole(text, start, start + n):
        found = location(document, start, start + n)
        return Checked(
            cited, Verdict.MOVED, f"{since}; the words stand elsewhere in it now", found, fresh=fresh
        )
    near = nearest(text, cited.quote, cited.start if start is None else start)
    if near is None:
        return Checked(cited, Verdict.GONE, f"{since} and the words are not in it", fresh=fresh)
    found = location(document, near.start, near.end)
    if near.same_words and start is None:
        detail = f"{since}; the same words stand there with other white space or marks between them"
    elif near.same_words:
        detail = f"{since}; the words stand there as part of a longer sentence"
    else:
        detail = f"{since}; other words stand there now"
    return Checked(cited, Verdict.CHANGED, detail, found, near.changes, fresh)


def _where(text: str, cited: Cited) -> int | None:
    """Where the quote stands nearest to its place, in a sentence of its own if anywhere; None: nowhere."""
    places: list[int] = []
    at = text.find(cited.quote)
    while at >= 0 and len(places) < _N_PLACES:
        places.append(at)
        at = text.find(cited.quote, at + 1)
    whole = [at for at in places if stands_whole(text, at, at + len(cited.quote))]
    return min(whole or places, key=lambda at: abs(at - cited.start), default=None)


def extractor() -> str:
    """Names the code that reads documents, as answers record it."""
    from rag.indexing.code_hash import rules_sum

    return rules_sum()[:EXTRACTOR_CHARS]

"""What a person reads of an indexing run, of what was kept out, of a check, as lines of a `Look`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from rag.output.lines import NEAREST_CHARS, Look, fold, place, rows, short_path, shortened
from rag.records import Location
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.checks.diff import Compared, DocumentChange, Evidence
    from rag.checks.doctor import Finding
    from rag.checks.hygiene import Hygiene, KeptOut
    from rag.checks.verify import Checked
    from rag.errors import LoadError
    from rag.indexing import IndexSummary

N_CHANGED = 5  # documents that changed, named above answers; more are counted
N_KINDS = 8  # of files that are not read, named with their numbers


def checked(result: Checked, look: Look) -> list[Text]:
    """A citation that no longer stands: what became of it, where it was, where its words are now."""
    cited = result.cited
    line = Text(str(result.verdict), style="bold yellow" if result.found is not None else "bold red")
    line.append(f"  {short_path(cited.document, look.base)}, characters {cited.start} to {cited.end}")
    if result.found is not None:
        now = place(result.found.document, result.found.line, result.found.page, look.base)
        line.append(f", now at {now}, characters {result.found.start} to {result.found.end}")
    else:
        line.append(f": {clean(result.detail)}")
    quote = Text(shortened(clean(cited.quote).strip(), NEAREST_CHARS), style="dim")
    if result.changes:
        quote = _changed_words(result.changes, look)
    return fold(line, look, "    ", "") + fold(quote, look, "    ", "  ")


def _changed_words(changes: Sequence[tuple[str, str]], look: Look) -> Text:
    """The words of then and of now in one line, those that are gone and those that are new set off."""
    marks = {"gone": ("[-", "-]", "red"), "new": ("{+", "+}", "green"), "same": ("", "", "dim")}
    line = Text()
    for what, words in changes:
        opening, closing, style = marks[what]
        line.append(" " if line.plain else "")
        line.append(f"{opening}{clean(words)}{closing}", style=style if look.colour or what == "same" else "")
    return line


def changed_documents(
    changes: Sequence[DocumentChange], tag: str, created: str, look: Look, *, all_of_them: bool = False
) -> list[Text]:
    """What became of the documents since a tag: how many of what, and which."""
    from rag.checks.diff import count_changes
    from rag.text.dates import long_date

    counts = ", ".join(count_changes(changes)) or "no document has changed"
    lines = fold(Text(f"since {tag} ({long_date(created[:10])}): {counts}", style="bold"), look, "    ", "")
    named = changes if all_of_them else changes[:N_CHANGED]
    for change in named:
        was = f", was {short_path(change.was, look.base)}" if change.was else ""
        lines += fold(
            Text(f"{change.became}  {short_path(change.path, look.base)}{was}"), look, "      ", "  "
        )
    if len(changes) > len(named):
        lines.append(Text(f"  and {len(changes) - len(named):,} more (rag diff {tag})"))
    return lines


_BECAME = {
    "same": "same",
    "further": "the evidence after the first",
    "words": "other words",
    "moved": "moved",
    "other": "another passage first",
    "status": "another status",
}


def compared_counts(became: Counter[str]) -> str:
    """How many answers became what, in a line.

    >>> compared_counts(Counter(words=1, same=2))
    '3 answers: 2 same, 1 other words'
    """
    counts = ", ".join(f"{became[kind]:,} {words}" for kind, words in _BECAME.items() if became[kind])
    return f"{_count(became.total(), 'answer')}: {counts}" if counts else "no answers"


def compared(one: Compared, tag: str, look: Look) -> list[Text]:
    """What became of a saved answer: the question, its words then and now, and why."""
    before, now = one.before, one.now
    what = _BECAME[str(one.became)]
    if before.status is not now.status:
        what = f"{before.status}, now {now.status}"
    line = Text(what, style="green" if one.became == "same" else "bold yellow")
    line.append(f"  {clean(before.question)}", style="default")
    lines = fold(line, look, "    ", "")
    if one.changes and now.first is not None:
        lines += _told(_at_place(now.first, look), _changed_words(one.changes, look), look)
    elif one.became == "moved" and before.first is not None and now.first is not None:
        where = f"{_at_place(before.first, look)}, now at {_at_place(now.first, look)}"
        lines += _told(where, _shown_quote(now.first), look)
    elif one.became in ("other", "status"):
        if before.first is not None:
            lines += _told(f"was {_at_place(before.first, look)}", _shown_quote(before.first), look)
        if now.first is not None:
            lines += _told(f"now {_at_place(now.first, look)}", _shown_quote(now.first), look)
    for reason in one.why:
        lines += fold(Text(f"why: {clean(reason.detail)}"), look, "    ", "  ")
    return lines


def _at_place(evidence: Evidence, look: Look) -> str:
    return place(evidence.cited.document, evidence.line, evidence.page, look.base)


def _shown_quote(evidence: Evidence) -> Text:
    return Text(shortened(clean(evidence.cited.quote).strip(), NEAREST_CHARS), style="dim")


def _told(where: str, words: Text, look: Look) -> list[Text]:
    return fold(Text(where), look, "    ", "  ") + fold(words, look, "    ", "    ")


def findings(made: Sequence[Finding], look: Look) -> list[Text]:
    """What the doctor found, one check a line, with the remedy under each that is not well."""
    lines: list[Text] = []
    for finding in made:
        mark = "ok " if finding.good else "bad"
        line = Text(f"{finding.check}: {clean(finding.detail)}")
        folded = fold(line, look, "     ", f"{mark}  ")
        folded[0].stylize("green" if finding.good else "bold red", 0, 3)
        lines += folded
        if finding.remedy:
            lines.append(Text(f"     -> {clean(finding.remedy)}"))  # whole: somebody pastes it into a shell
    return lines


def _count(n: int, noun: str) -> str:
    """The number with its noun.

    >>> _count(1, "file"), _count(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def summary(done: IndexSummary, store: Path, look: Look) -> list[Text]:
    """What an indexing run did, and what the store now holds."""
    became = ("added", "changed", "renamed", "removed", "unchanged")
    counts = [f"{getattr(done, what):,} {what}" for what in became if getattr(done, what)]
    if done.problems:
        counts.append(f"{len(done.problems):,} skipped")
    kept_out = f"{_count(done.n_excluded, 'passage')} kept out as boilerplate"
    if done.n_excluded:
        kept_out += " (rag index --report lists them)"
    repeats = f"{_count(done.duplicates, 'passage')} with words that stand elsewhere too"
    how = (
        f"generation {done.generation}"
        if done.committed
        else f"nothing to do, still generation {done.generation}"
    )
    how += f", kept as {done.tag}" if done.tag else ""
    return rows(
        [
            ("files", ", ".join(counts) or "none"),
            *([("not read", left(done.left))] if done.left else []),
            ("documents", f"{done.n_documents:,}, in {_count(done.n_passages, 'passage')}"),
            ("left out", kept_out),
            ("repeats", repeats),
            ("encoded", f"{_count(done.embedded, 'passage')} new, {done.reused:,} known"),
            ("store", f"{short_path(str(store), look.base)} ({how}, {done.seconds:.1f} s)"),
        ],
        look,
    )


def left(problems: Sequence[LoadError]) -> str:
    """How many files of which kinds were not for us to read, and how much a pattern left out.

    >>> from rag.loaders import UnsupportedFileError
    >>> left([UnsupportedFileError(f"/d/{name}", "") for name in ("a.png", "b.PNG", "c.zip", "Makefile")])
    '4 files of other kinds: 2 .png, 1 .zip, 1 without a suffix'
    """
    from rag.loaders import ExcludedError

    kinds = Counter(
        Path(problem.path).suffix.lower() or "without a suffix"
        for problem in problems
        if not isinstance(problem, ExcludedError)
    )
    named = [f"{n:,} {clean(kind)}" for kind, n in kinds.most_common(N_KINDS)]
    more = len(kinds) - len(named)
    named += [f"{_count(more, 'other kind')}"] if more else []
    n_excluded = len(problems) - kinds.total()
    parts = [f"{_count(kinds.total(), 'file')} of other kinds: {', '.join(named)}"] if kinds else []
    parts += [f"{n_excluded:,} left out by a pattern"] if n_excluded else []
    return "; ".join(parts)


def hygiene(report: Hygiene, look: Look) -> list[Text]:
    """What was kept out, by file and with its key; then repeats, encodings, undated files and notes."""
    lines: list[Text] = []
    by_file: dict[str, list[KeptOut]] = {}
    for text in report.kept_out:
        by_file.setdefault(text.where.document, []).append(text)
    if by_file:
        lines += _headed("Kept out of answers; bring a text back with: rag index --keep KEY", look)
    for path, kept_out in by_file.items():
        lines += fold(Text(short_path(path, look.base)), look, "    ", "  ")
        for text in kept_out:
            line = Text(f"{text.key}  {clean(text.reason)}{_at(text.where)}: ")
            line.append(shortened(clean(text.text).strip(), NEAREST_CHARS), style="dim")
            lines += fold(line, look, " " * 18, "    ")
    if report.brought_back:
        lines += _headed("Brought back; leave a text out again with: rag index --drop KEY", look)
        lines += [Text(f"  {clean(key)}") for key in report.brought_back]
    if report.twins:
        lines += _headed("Standing in several places, answered once", look)
    for twin in report.twins:
        places = ", ".join(place(text.document, text.line, text.page, look.base) for text in twin.places)
        lines += fold(Text(places), look, "    ", "  ")
        lines += fold(Text(shortened(clean(twin.text).strip(), NEAREST_CHARS), style="dim"), look, "    ")
    if report.encodings:
        lines += _headed("Not in UTF-8", look)
        lines += _pairs(report.encodings, look)
    if report.undated:
        lines += _headed("Without a date, so left out by --after and --before", look)
        for path in report.undated:
            lines += fold(Text(short_path(path, look.base)), look, "    ", "  ")
    if report.notes:
        lines += _headed("Decided while reading", look)
        lines += _pairs(report.notes, look)
    return [*lines, Text()] if lines else []


def _at(where: Location) -> str:
    """Line and page of a place, in words; nothing where neither is known."""
    known = [f"{name} {at}" for name, at in (("page", where.page), ("line", where.line)) if at is not None]
    return f" on {', '.join(known)}" if known else ""


def _headed(title: str, look: Look) -> list[Text]:
    return [Text(), *fold(Text(title, style="bold"), look)]


def _pairs(pairs: Iterable[tuple[str, str]], look: Look) -> list[Text]:
    """Each path with what is said of it."""
    return [
        line
        for path, note in pairs
        for line in fold(Text(f"{short_path(path, look.base)}: {clean(note)}"), look, "    ", "  ")
    ]

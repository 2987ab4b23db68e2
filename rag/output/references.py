"""Quotations with their references: plain, Markdown, BibTeX, CSL-JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.citations import marked_parts
from rag.errors import UsageError
from rag.records import Citation
from rag.text.dates import long_date
from rag.text.sinks import file_name, json_line

FORMATS = ("plain", "md", "bib", "csl")
_BIB = str.maketrans(
    {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
     "$": r"\$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~]|&(?=#?\w+;))")
_LIST_NUMBER = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)")
_LIST_SIGN = re.compile(r"^(\s*)([-+=])")


def written(citation: Citation, form: str) -> str:
    """The quotation in one of the ``FORMATS``; UsageError for another."""
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}", f":copy {'|'.join(FORMATS)}")
    if form in ("bib", "csl"):
        return bibtex([citation]).rstrip("\n") if form == "bib" else csl([citation])
    return markdown(citation) if form == "md" else _plain(citation)


def words(citation: Citation) -> str:
    """The quotation in one line."""
    return " ".join(citation.quote.split())


def place(citation: Citation) -> str:
    """Where in its file: "page 3, line 4", "line 4" or nothing.

    The file's name is not in it.
    """
    parts = [f"page {citation.page}"] if citation.page is not None else []
    parts += [f"line {citation.line}"] if citation.line is not None else []
    return ", ".join(parts)


def reference(citation: Citation) -> str:
    """Title, date, file and place, parted by commas."""
    title = " ".join(citation.title.split()) if citation.title else None
    dated = long_date(citation.date) if citation.date else "undated"
    return ", ".join(part for part in (title, dated, _file(citation), place(citation)) if part)


def _file(citation: Citation) -> str:
    return file_name(Path(citation.document).name)


def _plain(citation: Citation) -> str:
    return f"“{words(citation)}”\n({reference(citation)})"


def parts(citation: Citation) -> list[tuple[str, bool]]:
    """The quotation in its parts, each with whether it is marked; marked white space is not."""
    found = marked_parts(citation.quote, citation.marks)
    return [(text, is_marked and bool(text.strip())) for text, is_marked in found if text]


def markdown(citation: Citation, *, mark: str = "") -> str:
    """A block quotation, the marked words bold; ``mark`` is put after it, such as a footnote's."""
    out = ""
    for text, is_marked in parts(citation):
        inside = _escaped_inside(text.strip())
        out += text.replace(text.strip(), f"**{inside}**") if is_marked else _escaped_inside(text)
    said = _at_start(" ".join(out.split()))
    lead = f"> {escaped(' '.join(citation.lead.text.split()))}\n>\n" if citation.lead else ""
    return f"{lead}> {said}{mark}\n>\n> — {escaped(reference(citation))}"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> escaped("a_b *c*"), escaped("1. &amp;"), escaped("- a")
    ('a\\\\_b \\\\*c\\\\*', '1\\\\. \\\\&amp;', '\\\\- a')
    """
    return _at_start(_escaped_inside(text))


def _escaped_inside(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _at_start(text: str) -> str:
    """What would begin a list or underline a heading, escaped."""
    return _LIST_SIGN.sub(r"\1\\\2", _LIST_NUMBER.sub(r"\1\\\2", text))


def code(text: str) -> str:
    """Text as Markdown's code, such as a path: shown as it is, whatever stands in it.

    >>> code("/d/a_b.txt"), code("a`b")
    ('`/d/a_b.txt`', '`` a`b ``')
    """
    if "`" not in text:
        return f"`{text}`"
    fence = "`" * (max(map(len, re.findall("`+", text))) + 1)
    return f"{fence} {text} {fence}"


def key(citation: Citation) -> str:
    """A citation key: the file's name in plain letters, and the year."""
    stem = unicodedata.normalize("NFKD", Path(citation.document).stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower() or citation.sha256[:8]
    year = citation.date[:4] if citation.date else ""
    return plain if not year or year in plain else f"{plain}-{year}"


def by_source(citations: Iterable[Citation]) -> list[tuple[str, list[Citation]]]:
    """The citations of each file, each once, under a key that no other file has; both in the order met."""
    files: dict[tuple[str, str], dict[tuple[int, int], Citation]] = {}
    for citation in citations:
        places = files.setdefault((citation.document, citation.sha256), {})
        places.setdefault((citation.start, citation.end), citation)
    keys: set[str] = set()
    sources: list[tuple[str, list[Citation]]] = []
    for places in files.values():
        group = list(places.values())
        base = name = key(group[0])
        number = 2
        while name in keys:
            name, number = f"{base}-{number}", number + 1
        keys.add(name)
        sources.append((name, group))
    return sources


def bibtex(citations: Iterable[Citation]) -> str:
    """An entry for every file cited, its quotations in the note."""
    return "\n".join(_entry(name, group) + "\n" for name, group in by_source(citations))


def _entry(name: str, group: Sequence[Citation]) -> str:
    first = group[0]
    fields = {"title": _title(first)}
    if first.date:
        dated = first.date.split("-")
        fields["year"] = dated[0]
        if len(dated) > 1:
            fields["month"] = dated[1].lstrip("0")
    fields["howpublished"] = _file(first)
    if pages := _pages(group):
        fields["pages"] = pages
    notes = [f"{place(one)}: “{words(one)}”" if place(one) else f"“{words(one)}”" for one in group]
    fields["note"] = "; ".join(notes)
    body = ",\n".join(f"  {field} = {{{_tex(value)}}}" for field, value in fields.items())
    return f"@misc{{{name},\n{body}\n}}"


def _tex(text: str) -> str:
    return file_name(text).translate(_BIB)


def _title(citation: Citation) -> str:
    return " ".join((citation.title or Path(citation.document).stem).split())


def _pages(group: Iterable[Citation]) -> str:
    return ", ".join(map(str, sorted({one.page for one in group if one.page is not None})))


def csl(citations: Iterable[Citation]) -> str:
    """An item of CSL-JSON for every file cited, its quotations in the note."""
    items = []
    for name, group in by_source(citations):
        body = ",\n".join(
            f"    {json_line(field)}: {json_line(value)}" for field, value in _item(name, group).items()
        )
        items.append(f"  {{\n{body}\n  }}")
    return "[\n" + ",\n".join(items) + "\n]"


def _item(name: str, group: Sequence[Citation]) -> dict[str, object]:
    first = group[0]
    several = len(group) > 1
    notes = [f"“{words(one)}”" + (f" ({place(one)})" if several and place(one) else "") for one in group]
    item: dict[str, object] = {
        "id": name,
        "type": "document",
        "title": _title(first),
        "source": _file(first),
        "note": "; ".join(notes),
    }
    if first.date:
        item["issued"] = {"date-parts": [[int(part) for part in first.date.split("-")]]}
    if pages := _pages(group):
        item["page"] = pages
    elif not several and first.line is not None:
        item["locator"], item["label"] = str(first.line), "line"
    return item

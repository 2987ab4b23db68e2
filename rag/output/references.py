"""A quotation with its reference: plain, Markdown, BibTeX, CSL-JSON."""

from __future__ import annotations

import re
import unicodedata
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
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|])")


def written(citation: Citation, form: str) -> str:
    """The quotation in one of the ``FORMATS``; UsageError for another."""
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}", f":copy {'|'.join(FORMATS)}")
    return {"plain": _plain, "md": markdown, "bib": _bibtex, "csl": _csl}[form](citation)


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


def markdown(citation: Citation) -> str:
    """A block quotation, the marked words bold."""
    out = ""
    for part, marked in marked_parts(citation.quote, citation.marks):
        text = escaped(part.strip() if marked else part)
        out += f"**{text}**" if marked and text else text
    return f"> {' '.join(out.split())}\n>\n> — {escaped(reference(citation))}"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> escaped("a_b *c*")
    'a\\\\_b \\\\*c\\\\*'
    """
    return _MARKDOWN.sub(r"\\\1", text)


def key(citation: Citation) -> str:
    """A citation key: the file's name in plain letters, and the year."""
    stem = unicodedata.normalize("NFKD", Path(citation.document).stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower() or citation.sha256[:8]
    year = citation.date[:4] if citation.date else ""
    return plain if not year or year in plain else f"{plain}-{year}"


def _bibtex(citation: Citation) -> str:
    fields = {"title": " ".join((citation.title or Path(citation.document).stem).split())}
    if citation.date:
        parts = citation.date.split("-")
        fields["year"] = parts[0]
        if len(parts) > 1:
            fields["month"] = parts[1].lstrip("0")
    fields["howpublished"] = _file(citation)
    if citation.page is not None:
        fields["pages"] = str(citation.page)
    fields["note"] = f"{place(citation)}: “{words(citation)}”" if place(citation) else f"“{words(citation)}”"
    body = ",\n".join(f"  {name} = {{{value.translate(_BIB)}}}" for name, value in fields.items())
    return f"@misc{{{key(citation)},\n{body}\n}}"


def _csl(citation: Citation) -> str:
    item: dict[str, object] = {
        "id": key(citation),
        "type": "document",
        "title": " ".join((citation.title or Path(citation.document).stem).split()),
        "source": Path(citation.document).name,
        "note": f"“{words(citation)}”",
    }
    if citation.date:
        item["issued"] = {"date-parts": [[int(part) for part in citation.date.split("-")]]}
    if citation.page is not None:
        item["page"] = str(citation.page)
    elif citation.line is not None:
        item["locator"], item["label"] = str(citation.line), "line"
    body = ",\n".join(f"    {json_line(name)}: {json_line(value)}" for name, value in item.items())
    return f"[\n  {{\n{body}\n  }}\n]"

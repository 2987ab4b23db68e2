"""Files built to hurt whoever reads them, each small to write and large to read."""

from __future__ import annotations

import io
import os
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships '
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def docx(body: Callable[[io.BufferedIOBase], object], head: str = "") -> bytes:
    """A Word file whose body a function writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(f'<?xml version="1.0"?>{head}<w:document xmlns:w="{_WORD}"><w:body>'.encode())
            body(part)  # type: ignore[arg-type]
            part.write(b"</w:body></w:document>")
    return out.getvalue()


def docx_bomb(megabytes: int) -> bytes:
    """A Word file that unpacks to so many megabytes, a paragraph each."""

    def body(part: io.BufferedIOBase) -> None:
        for _ in range(megabytes):
            part.write(b"<w:p><w:r><w:t>" + b"word " * 200_000 + b"</w:t></w:r></w:p>")

    return docx(body)


def docx_entities() -> bytes:
    """A Word file whose words are entities of entities (the billion laughs)."""
    names = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    head = f'<!DOCTYPE d [<!ENTITY e0 "word ">{"".join(names)}]>'
    return docx(lambda part: part.write(b"<w:p><w:r><w:t>&e9;</w:t></w:r></w:p>"), head)


def docx_nested(depth: int) -> bytes:
    """A Word file of insertions within insertions."""
    words = b"<w:p><w:r><w:t>Deep words stand here.</w:t></w:r></w:p>"
    return docx(lambda part: part.write(b"<w:ins>" * depth + words + b"</w:ins>" * depth))


def pdf(objects: Mapping[int, bytes]) -> bytes:
    """A PDF of these objects; 1 is its root."""
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, os.SEEK_END)
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1))
    for number in range(1, max(objects) + 1):
        out.write(b"%010d 00000 n \n" % places[number])
    out.write(b"trailer <</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start))
    return out.getvalue()


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A PDF stream, packed."""
    packed = zlib.compress(data, 9)
    return b"<<%s /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream" % (entries, len(packed), packed)


_FONT = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"
_PAGE = (
    b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
    b"/Resources <</Font <</F 5 0 R>> /XObject <</X 6 0 R>>>>>>"
)


def pdf_with(content: bytes, form: bytes = b"", kids: bytes = b"3 0 R", count: int = 1) -> bytes:
    """A PDF with one page object, named ``count`` times, and one form."""
    return pdf(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Count %d /Kids [%s]>>" % (count, kids),
            3: _PAGE,
            4: stream(content),
            5: _FONT,
            6: stream(
                form,
                b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] "
                b"/Resources <</Font <</F 5 0 R>> /XObject <</X 6 0 R>>>>",
            ),
        }
    )


TEXT = b"BT /F 12 Tf 50 700 Td (The trust was opened in June.) Tj ET "


def pdf_form_in_itself() -> bytes:
    """A PDF whose form draws itself, twice."""
    return pdf_with(TEXT + b"/X Do", TEXT + b"/X Do /X Do")


def pdf_long_stream(megabytes: int) -> bytes:
    """A PDF of one page whose content unpacks to so many megabytes."""
    return pdf_with(TEXT * (megabytes * 1_000_000 // len(TEXT)))


def pdf_one_page_often(times: int) -> bytes:
    """A PDF that names its one page so many times."""
    return pdf_with(TEXT, kids=b"3 0 R " * times, count=times)


def pdf_many_pages(n: int) -> bytes:
    """A PDF of so many pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + n))
    page = (
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 3 0 R "
        b"/Resources <</Font <</F 4 0 R>>>>>>"
    )
    return pdf(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Count %d /Kids [%s]>>" % (n, kids),
            3: stream(TEXT),
            4: _FONT,
            **dict.fromkeys(range(5, 5 + n), page),
        }
    )


def pdf_pages_in_a_circle() -> bytes:
    """A PDF whose tree of pages leads back to its root."""
    return pdf({1: b"<</Type /Catalog /Pages 2 0 R>>", 2: b"<</Type /Pages /Count 9 /Kids [2 0 R 2 0 R]>>"})


def pdf_scattered(n: int) -> bytes:
    """A PDF of one page with so many words, none beside another as in a text."""
    places = ((row * 7919 % 600, row * 104729 % 800, 4 + row % 9) for row in range(n))
    return pdf_with(b"".join(b"BT /F %d Tf %d %d Td (w) Tj ET " % (size, x, y) for x, y, size in places))


def pdf_cells(n: int) -> bytes:
    """A PDF of one page with a row of so many cells, again and again, each with a raised number."""
    row = b"(w) Tj 3 Ts 5 (1) Tj 0 Ts 12 0 Td " * n
    return pdf_with(b"".join(b"BT /F 4 Tf 0 %d Td %s ET " % (y, row) for y in range(790, 0, -10)))


def pdf_notes(n: int) -> bytes:
    """A PDF of one page whose text is one line, and the rest notes."""
    lines = b"".join(b"0 -6 Td (1 w) Tj " for _ in range(n))
    return pdf_with(TEXT * 50 + b"BT /F 6 Tf 50 690 Td " + lines + b"ET")


def html_attributes(n: int) -> bytes:
    """A page with one element of so many attributes."""
    return b"<p " + b" ".join(b"a%d=1" % i for i in range(n)) + b">Words of the page.</p>"


def html_nested(tag: str, depth: int) -> bytes:
    """A page of elements within elements."""
    words = "<p>The trust was opened in June by the council.</p>"
    return (f"<{tag}>" * depth + words + f"</{tag}>" * depth).encode()


def archive(parts: Mapping[str, bytes]) -> bytes:
    """An archive of these parts, packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return out.getvalue()


def eml_nested(depth: int) -> bytes:
    """A message of parts within parts."""
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"Subject: deep\n" + parts + b"Content-Type: text/plain\n\nThe trust was opened.\n"


def eml_attached(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A message with these files attached."""
    from base64 import encodebytes

    parts = [b"Content-Type: text/plain\n\nThe trust was opened.\n"]
    for name, data in files:
        head = f'Content-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n\n'
        parts.append(head.encode() + encodebytes(data))
    body = b"".join(b"\n--b\n" + part for part in parts)
    return b"Subject: files\nContent-Type: multipart/mixed; boundary=b\n\n" + body + b"\n--b--\n"


SENTENCE = "The trust was opened in June 2014 by the council, and closed again in July. "


def hostile_files(scale: float = 1.0) -> dict[str, bytes]:
    """Every file of the collection by its name; ``scale`` makes the large ones smaller."""

    def n(full: int) -> int:
        return max(1, int(full * scale))

    return {
        "bomb.docx": docx_bomb(n(900)),
        "laughs.docx": docx_entities(),
        "nested.docx": docx_nested(n(100_000)),
        "no archive.docx": b"PK\x03\x04" + b"\0" * 5000,
        "bomb.xlsx": archive({"xl/workbook.xml": b" " * n(900_000_000)}),
        "bomb.odt": archive({"content.xml": b"<a>" + b" " * n(900_000_000)}),
        "bomb.epub": archive({"META-INF/container.xml": b" " * n(900_000_000)}),
        "bomb.pptx": archive({"[Content_Types].xml": b" " * n(900_000_000)}),
        "parts.epub": archive({f"{part}.xhtml": b"<p>words" for part in range(n(200_000))}),
        "nested.eml": eml_nested(n(20_000)),
        "bombs.eml": eml_attached([("bomb.docx", docx_bomb(n(300))), ("itself.pdf", pdf_form_in_itself())]),
        "files.eml": eml_attached((f"{row}.csv", b"a,b\n1,2\n") for row in range(n(50_000))),
        "header.eml": b"Subject: " + b"word " * n(2_000_000) + b"\n\nThe trust was opened.\n",
        "quoted.eml": b"Subject: x\n\n" + b">" * n(2_000_000) + b" words\n",
        "no message.mbox": b"From a 10:00:00\n\n" * n(300_000),
        "open quote.csv": b'a,b\n1,"' + b"2,3\n" * n(1_000_000),
        "columns.csv": b"a," * n(1_000_000) + b"\n" + b"1," * n(1_000_000),
        "commas.csv": b"," * n(2_000_000) + b"words",
        "groups.rtf": b"{\\rtf1 " + b"{" * n(300_000) + b"words",
        "links.rtf": b"{\\rtf1 words" + b'{\\field{\\*\\fldinst HYPERLINK "a"}}' * n(100_000),
        "rules.rst": b"== ==\nx\n\n" * n(100_000),
        "directives.rst": b".. a::\n" * n(200_000) + b"words",
        "fences.adoc": b"----\n____\n|===\n" * n(100_000) + b"words",
        "groups.tex": b"{" * n(300_000) + b"words",
        "notes.tex": b"\\footnote{a " * n(200_000) + b"words",
        "headings.tex": b"\\section{a " * n(200_000) + b"words",
        "begun.tex": b"\\begin{a}" * n(200_000) + b"words" + b"\\end{b}" * n(200_000),
        "formulas.tex": b"\\[$\\verb|\\cite[" * n(200_000) + b"words",
        "tables.tex": b"\\begin{tabular}{l} a & b \\\\ " * n(100_000) + b"words",
        "itself.pdf": pdf_form_in_itself(),
        "stream.pdf": pdf_long_stream(n(300)),
        "scattered.pdf": pdf_scattered(n(200_000)),
        "cells.pdf": pdf_cells(n(5_000)),
        "notes.pdf": pdf_notes(n(200_000)),
        "pages.pdf": pdf_many_pages(n(10_000)),
        "one page.pdf": pdf_one_page_often(n(1_000_000)),
        "circle.pdf": pdf_pages_in_a_circle(),
        "one line.txt": (SENTENCE * (n(50_000_000) // len(SENTENCE))).encode(),
        "one word.txt": b"x" * n(50_000_000),
        "lines.txt": b"a\n" * n(5_000_000),
        "breaks.txt": b"\n" * n(5_000_000) + b"word",
        "list.md": b"- a\n" * n(1_000_000),
        "fence.md": b"`" * n(1_000_000) + b"\nwords of the page",
        "fences.md": b"```\n" * n(300_000),
        "headings.md": b"# heading\n\n" * n(200_000),
        "stars.md": b"*" * n(1_000_000) + b" words",
        "brackets.md": b"[" * n(300_000) + b"words" + b"]" * n(300_000),
        "attributes.html": html_attributes(n(500_000)),
        "nav.html": html_nested("nav", 250),
        "div.html": html_nested("div", n(20_000)),
        "table.html": html_nested("table><tr><td", n(2_000)),
        "comment.html": b"<!--" * n(300_000) + b"<p>words",
        "open.html": b"<p" * n(300_000),
        "text node.html": b"<html><body><article><p>" + SENTENCE.encode() * n(150_000) + b"</p></article>",
        "undefined.html": b'<meta charset="undefined"><p>caf\xe9 words of the page stand here',
        "rot13.html": b'<meta charset="rot13"><p>caf\xe9 words of the page stand here',
        "zlib.html": b'<meta charset="zlib"><p>caf\xe9 words of the page stand here',
        "idna.html": b'<meta charset="idna"><p>caf\xe9 words of the page stand here',
        "unicode_escape.html": b'<meta charset="unicode_escape"><p>caf\xe9 \\ud800 words of the page',
        "surrogates.txt": b"\xed\xa0\x80 words of \xed\xbf\xbf the page stand here",
        "nuls.txt": b"a\0b" * 1000,
        "combining.txt": ("a" + "\u0301" * n(1_000_000)).encode(),
        "zero width.txt": ("\u200b" * n(1_000_000) + "words").encode(),
        "dates.txt": b"1 January 2014 " * n(300_000),
        "digits.txt": b"1." * n(1_000_000),
        "quotes.txt": "“".encode() * n(300_000) + b"words",
        "abbreviations.txt": b"Mr. " * n(300_000),
        "ellipses.txt": b"... " * n(300_000),
    }


def put_special_files(folder: Path) -> list[str]:
    """Pipes, sockets, devices and links of every harmful kind, under names that loaders serve."""
    os.mkfifo(folder / "pipe.txt")
    here = Path.cwd()
    os.chdir(folder)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket.md")
    finally:
        os.chdir(here)
    links = {
        "zero.txt": "/dev/zero",
        "random.pdf": "/dev/urandom",
        "terminal.txt": "/dev/tty",
        "log.txt": "/proc/kmsg",
        "memory.txt": "/proc/self/mem",
        "environment.txt": "/proc/self/environ",
        "loop.txt": "loop.txt",
        "nowhere.txt": "no such file",
        "secret.txt": "/etc/hostname",
        "top": "/",
        "up": "..",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    return ["pipe.txt", "socket.md", *links]

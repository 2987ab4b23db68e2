"""Files of every format, made by libraries that people's programs use; ``n`` is their size."""

from __future__ import annotations

import io
from collections.abc import Callable
from email.message import EmailMessage

SENTENCE = "The council decided on item {0} that the trust would open in June, and that the rest could wait."


def sentences(n: int) -> list[str]:
    """So many sentences, no two alike."""
    return [SENTENCE.format(row) for row in range(n)]


def message(n: int = 2, subject: str = "Piling in Tenter Street") -> EmailMessage:
    """A reply of ``n`` paragraphs that quotes as many."""
    made = EmailMessage()
    made["From"] = "Ann Lee <ann@example.org>"
    made["To"] = "Bo Day <bo@example.org>"
    made["Date"] = "Wed, 22 Mar 2017 10:00:00 +0000"
    made["Subject"] = subject
    quoted = "\n>\n".join(f"> {line}" for line in sentences(n))
    own = "\n\n".join(sentences(n))
    made.set_content(f"Dear Bo,\n\n{own}\n\nOn Tuesday Bo Day wrote:\n{quoted}\n\n-- \nAnn Lee\nClerk\n")
    return made


def eml(n: int) -> bytes:
    """A message, as a mail program saves it."""
    return message(n).as_bytes()


def mbox(n: int) -> bytes:
    """A mailbox of ``n`` messages."""
    one = [message(2, f"Item {row}").as_bytes() for row in range(n)]
    return b"".join(b"From ann@example.org Wed Mar 22 10:00:00 2017\n" + made + b"\n" for made in one)


def csv_file(n: int) -> bytes:
    """A table of ``n`` rows."""
    import csv

    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(["Year", "Council", "Vacant posts", "Remark"])
    rows.writerows([2000 + row % 20, f"Council {row}", row, f"as in {row}, or so"] for row in range(n))
    return out.getvalue().encode()


def xlsx(n: int) -> bytes:
    """A workbook of two sheets, the first of ``n`` rows."""
    import openpyxl

    book = openpyxl.Workbook()
    first = book.active
    first.title = "Vacancies"
    first.append(["Year", "Council", "Vacant posts", "Remark"])
    for row in range(n):
        first.append([2000 + row % 20, f"Council {row}", row, f"as in {row}, or so"])
    second = book.create_sheet("Costs")
    second.append(["Item", "Cost"])
    second.append(["Rent", 1234.5])
    second["B2"].number_format = "£#,##0.00"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def pptx(n: int) -> bytes:
    """A presentation of ``n`` slides with notes, the second with a table."""
    from pptx import Presentation
    from pptx.util import Cm

    deck = Presentation()
    for row in range(n):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Item {row} of the agenda"
        frame = slide.placeholders[1].text_frame
        frame.text = SENTENCE.format(row)
        deeper = frame.add_paragraph()
        deeper.text, deeper.level = f"But not before item {row} was heard", 1
        slide.notes_slide.notes_text_frame.text = f"Say that item {row} is urgent."
        if row == 1:
            table = slide.shapes.add_table(2, 2, Cm(1), Cm(1), Cm(9), Cm(3)).table
            for at, words in enumerate(["Year", "Vacant", "2016", "24"]):
                table.cell(at // 2, at % 2).text = words
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def odt(n: int) -> bytes:
    """An OpenDocument text of ``n`` sections with a list, a table and a footnote each."""
    from odf import opendocument, table, text

    made = opendocument.OpenDocumentText()
    made.text.addElement(text.H(outlinelevel=1, text="Decisions of the council"))
    for row, sentence in enumerate(sentences(n)):
        made.text.addElement(text.H(outlinelevel=2, text=f"Item {row}"))
        paragraph = text.P(text=sentence)
        note = text.Note(noteclass="footnote", id=f"n{row}")
        note.addElement(text.NoteCitation(text=str(row + 1)))
        note.addElement(text.NoteBody())
        note.childNodes[1].addElement(text.P(text=f"Minute {row}."))
        paragraph.addElement(note)
        made.text.addElement(paragraph)
        items = text.List()
        for task in ("Open the trust", "Close it again"):
            item = text.ListItem()
            item.addElement(text.P(text=task))
            items.addElement(item)
        made.text.addElement(items)
        rows = table.Table(name=f"t{row}")
        for number, words in enumerate((["Year", "Vacant"], ["2016", str(row)])):
            line = table.TableRow()
            for word in words:
                cell = table.TableCell()
                cell.addElement(text.P(text=word))
                line.addElement(cell)
            if number:
                rows.addElement(line)
            else:
                head = table.TableHeaderRows()
                head.addElement(line)
                rows.addElement(head)
        made.text.addElement(rows)
    out = io.BytesIO()
    made.write(out)
    return out.getvalue()


CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)


def epub_of(pages: dict[str, str], order: list[str], about: str = "") -> bytes:
    """A book of pages under their names, read in the order given."""
    import zipfile

    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in pages)
    spine = "".join(f'<itemref idref="{name}"/>' for name in order)
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">{about}</metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", package)
        for name, page in pages.items():
            archive.writestr(f"OEBPS/{name}", page)
    return out.getvalue()


def xhtml(body: str) -> str:
    """A page of a book."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>A page</title></head><body>{body}</body></html>"
    )


def epub(n: int) -> bytes:
    """A book of ``n`` chapters."""
    pages = {
        f"c{row}.xhtml": xhtml(f"<h1>Item {row}</h1>" + "".join(f"<p>{words}</p>" for words in sentences(5)))
        for row in range(n)
    }
    about = "<dc:title>The trust</dc:title><dc:date>2017-03-22</dc:date>"
    return epub_of(pages, list(pages), about)


def rtf(n: int) -> bytes:
    """A rich text of ``n`` sections, as word processors write it."""
    head = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0 Times;}{\f1\fcharset204 Arial;}}"
        r"{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\s1\b heading 1;}{\s2 heading 2;}}"
        r"{\info{\title The trust}{\author Ann Lee}{\creatim\yr2017\mo3\dy22\hr10}}"
        r"{\header\pard Page of the council\par}"
    )
    section = (
        r"\pard\s1\b Item {0}\b0\par\pard\plain {1}{{\super\chftn{{\footnote\pard\plain Minute {0}.}}}}\par"
        r"\pard\ls1{{\listtext\'b7\tab}}Open the trust\par{{\listtext\'b7\tab}}Close it again\par"
        r"\trowd\trhdr\pard\intbl Year\cell Vacant\cell\row\trowd\pard\intbl 2016\cell {0}\cell\row"
    )
    body = "\n".join(section.format(row, words) for row, words in enumerate(sentences(n)))
    return (head + body + "}").encode("ascii")


def rst(n: int) -> bytes:
    """A reStructuredText file of ``n`` sections."""
    section = (
        "Item {0}\n{2}\n\n{1}\n\n.. note:: Heard in {0}, once\n   and again.\n\n"
        "- Open it:\n\n  - now\n  - then\n\nRun this::\n\n    open({0})\n\n"
        "====  =====\nYear  Posts\n====  =====\n2016  {0}\n====  =====\n\n"
    )
    return "".join(
        section.format(row, words, "-" * len(f"Item {row}")) for row, words in enumerate(sentences(n))
    ).encode()


def adoc(n: int) -> bytes:
    """An AsciiDoc file of ``n`` sections."""
    section = (
        "== Item {0}\n\n{1}\n\n* Open it\n** now\n* Close it\n\n[source]\n----\nopen({0})\n----\n\n"
        ".Posts\n|===\n|Year |Posts\n\n|2016 |{0}\n|===\n\nNOTE: As in {0}, so here.\n\n"
    )
    return ("= The trust\n\n" + "".join(map(section.format, range(n), sentences(n)))).encode()


def tex(n: int) -> bytes:
    """A LaTeX file of ``n`` sections with a footnote, a list and a table each."""
    section = (
        r"\section{Item %d}\label{s%d}"
        "\n%s\\footnote{Minute %d.} %% so far\n\n"
        r"\begin{itemize}\item Open \emph{it}\item Close it\end{itemize}"
        "\n"
        r"\begin{tabular}{l|r}\hline Year & Posts \\ \hline 2016 & %d \\ \end{tabular}"
        "\n\n"
    )
    body = "".join(section % (row, row, words, row, row) for row, words in enumerate(sentences(n)))
    head = "\\documentclass[a4paper]{report}\n\\title{The trust}\n\\date{22 March 2017}\n"
    return (head + "\\begin{document}\n\\maketitle\n" + body + "\\end{document}\n").encode()


def paragraphs(n: int) -> bytes:
    """A plain text of ``n`` paragraphs; Markdown too."""
    return "\n\n".join(sentences(n)).encode()


def html(n: int) -> bytes:
    """A page of ``n`` paragraphs."""
    return xhtml("".join(f"<p>{words}</p>" for words in sentences(n))).encode()


def pdf(n: int) -> bytes:
    """A PDF of ``n`` lines, forty to a page."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    sheet = Canvas(out)
    for row, words in enumerate(sentences(n)):
        sheet.drawString(50, 800 - 18 * (row % 40), words)
        if row % 40 == 39:
            sheet.showPage()
    sheet.save()
    return out.getvalue()


def docx(n: int) -> bytes:
    """A Word file of ``n`` sections with a table each."""
    from docx import Document

    made = Document()
    for row, words in enumerate(sentences(n)):
        made.add_heading(f"Item {row}", 1)
        made.add_paragraph(words)
        table = made.add_table(rows=2, cols=2)
        for at, word in enumerate(["Year", "Vacant", "2016", str(row)]):
            table.cell(at // 2, at % 2).text = word
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


# For each suffix what makes a file of it, and the size from which its time can be measured.
MADE: dict[str, tuple[Callable[[int], bytes], int]] = {
    ".txt": (paragraphs, 600),
    ".md": (paragraphs, 600),
    ".html": (html, 200),
    ".pdf": (pdf, 400),
    ".docx": (docx, 60),
    ".eml": (eml, 400),
    ".mbox": (mbox, 60),
    ".csv": (csv_file, 5_000),
    ".xlsx": (xlsx, 400),
    ".pptx": (pptx, 20),
    ".odt": (odt, 100),
    ".epub": (epub, 50),
    ".rtf": (rtf, 200),
    ".rst": (rst, 80),
    ".adoc": (adoc, 80),
    ".tex": (tex, 80),
}

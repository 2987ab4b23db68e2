"""PDF and DOCX: paragraphs put back together, and the page or paragraph each stands on."""

from __future__ import annotations

import datetime
import io
import time
from pathlib import Path
from typing import Any

import docx
import docx.enum.style
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.draft import partly_marked
from rag.loaders.page_layout import Line, without_running_lines
from rag.loaders.rejoin import Vocabulary
from rag.passages import split
from rag.records import Block, BlockKind
from rag.settings import PassageSettings


def pdf(path: Path, pages: list[list[str]], *, header: str = "", footer: str = "", **options: Any) -> Path:
    """A PDF of the given lines; an empty line is a gap between paragraphs."""
    sheet = Canvas(str(path), pagesize=A4, invariant=1, **options)
    sheet.setTitle("The lights")
    for number, lines in enumerate(pages, 1):
        sheet.setFont("Times-Roman", 11)
        if header:
            sheet.drawString(72, 800, header)
        y = 760
        for line in lines:
            sheet.setFont(
                "Times-Bold" if line.startswith("*") else "Times-Roman", 13 if line.startswith("*") else 11
            )
            sheet.drawString(72, y, line.lstrip("*"))
            y -= 14
        sheet.setFont("Times-Roman", 11)
        if footer:
            sheet.drawString(72, 40, f"{footer} {number}")
        sheet.showPage()
    sheet.save()
    return path


PAGES = [
    [
        "*The lights of the harbour",
        "",
        "Published 20 July 2018",
        "",
        "Two of the lights were out when the inspectors came, and have been out since the",
        "storm of the year before. The board has the responsibility for them, and the re-",
        "sponsibility is not shared. It has a long-",
        "term plan.",
        "",
        "The keeper's house is sound, and was painted in the spring by the keeper and his",
    ],
    [
        "two sons, who asked for no pay. They had the paint left over from the boats, it is",
        "said.",
        "",
        "*What should be done",
        "",
        "Mend the lights.",
    ],
    ["The last page says that the board will meet again in the autumn to look at the plan."],
]


def test_a_pdf_is_put_back_into_its_paragraphs(tmp_path: Path) -> None:
    document = load(pdf(tmp_path / "a.pdf", PAGES, header="Harbour Board: report", footer="Page"))
    assert document.text.split("\n\n") == [
        "The lights of the harbour",
        "Published 20 July 2018",
        "Two of the lights were out when the inspectors came, and have been out since the storm of the year "
        "before. The board has the responsibility for them, and the responsibility "
        "is not shared. It has a long-term plan.",
        "The keeper's house is sound, and was painted in the spring by the keeper and his two sons, who "
        "asked for no pay. They had the paint left over from the boats, it is said.",
        "What should be done",
        "Mend the lights.",
        "The last page says that the board will meet again in the autumn to look at the plan.",
    ]
    assert (document.title, document.date) == ("The lights", "2018-07-20")


def test_a_page_begins_in_mid_paragraph(tmp_path: Path) -> None:
    document = load(pdf(tmp_path / "a.pdf", PAGES, header="Harbour Board: report", footer="Page"))
    starts = {place.page: document.text[place.start :][:8] for place in document.places}
    assert starts == {1: "The ligh", 2: "two sons", 3: "The last"}


def test_a_paragraph_over_two_pages_is_one_passage(tmp_path: Path) -> None:
    document = load(pdf(tmp_path / "a.pdf", PAGES, header="Harbour Board: report", footer="Page"))
    assert any("the keeper and his two sons" in p.text for p in split(document, PassageSettings()))


def test_two_hundred_pages_load_in_seconds(tmp_path: Path) -> None:
    pages = [
        [f"What stands here in {page * 7919 + n * 104729} words is said nowhere else." for n in range(48)]
        for page in range(200)
    ]
    path = pdf(tmp_path / "long.pdf", pages, header="A long report", footer="Page")
    start = time.perf_counter()
    document = load(path)
    assert time.perf_counter() - start < 20  # about two seconds on an idle machine
    assert len(document.places) == 200
    assert "A long report" not in document.text
    assert document.text.count("is said nowhere else") == 200 * 48


CONTENTS = [
    "1 What the inspectors said of the lights ..... 3",
    "2 What the board says that it will do ..... 11",
    "3 Who paid for the lamps ..... 14",
    "4 Why nobody has climbed the ladder ..... 15",
]


@pytest.mark.parametrize("suffix", [".pdf", ".md", ".txt"])
def test_where_something_stands_is_no_evidence_for_it(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"report{suffix}"
    lines = ["Contents", "", *CONTENTS, "", *PAGES[0][4:7], "sponsibility is not shared."]
    if suffix == ".pdf":
        pdf(path, [lines])
    else:
        path.write_text("\n".join(lines))
    passages = split(load(path), PassageSettings(min_words=1))
    assert {one.boilerplate for one in passages if "....." in one.text} == {"table of contents"}
    kept = " ".join(one.text for one in passages if one.boilerplate is None)
    assert "Two of the lights were out" in kept
    assert "climbed the ladder" not in kept


def test_an_entry_that_looks_like_the_row_of_a_table_is_one_of_the_contents_too() -> None:
    listed = ["1 What it cost ........ | 3", "2011 | a lamp"]
    text = "\n\n".join(["Costs.", *listed])
    starts = [text.index(row) for row in listed]
    rows = [
        Block(BlockKind.TABLE_ROW, start, start + len(row)) for start, row in zip(starts, listed, strict=True)
    ]
    draft = partly_marked(text, "application/pdf", rows)
    assert [(block.notice, block.kind.value) for block in draft.blocks[1:]] == [
        ("table of contents", "paragraph"),
        (None, "table row"),
    ]


def test_the_rows_of_a_table_over_pages_are_no_headers() -> None:
    pages = [
        [Line(f"{number * number} {number * 17}", number), Line(f"- {number} -", number)]
        for number in range(3, 9)
    ]
    assert without_running_lines(pages) == [page[:1] for page in pages]


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    path = pdf(tmp_path / "encrypted.pdf", PAGES, encrypt="secret")
    with pytest.raises(LoadError, match="encrypted: it opens only with a password"):
        load(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_pdf_is_refused(tmp_path: Path, kept: float) -> None:
    data = pdf(tmp_path / "whole.pdf", PAGES).read_bytes()
    path = tmp_path / "truncated.pdf"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(LoadError, match="truncated"):
        load(path)


def test_a_pdf_of_pictures_is_refused(tmp_path: Path) -> None:
    sheet = Canvas(str(tmp_path / "scanned.pdf"))
    sheet.rect(10, 10, 100, 100)
    sheet.showPage()
    sheet.save()
    with pytest.raises(LoadError, match="no text layer: its 1 page is a picture") as caught:
        load(tmp_path / "scanned.pdf")
    assert "OCR" in caught.value.hint


def test_lines_that_differ_from_page_to_page_are_kept() -> None:
    pages = [[Line(f"{name} opened the day", n)] for n, name in enumerate(("Ann", "Bo", "Cy"), 1)]
    assert without_running_lines(pages) == pages


def test_a_hyphen_of_the_writer_is_kept() -> None:
    words = Vocabulary(
        ["a fixed-term post is", "of well-supported staff in", "the co-ordinated offer is here"]
    )
    assert words.joint("a fixed", "term post") == "-"
    assert words.joint("is co", "ordinated well") == "-"
    assert words.joint("from 2017", "18") == "-"
    assert words.joint("of Stoke", "Mandeville") == "-"
    assert words.joint("the inspec", "tors came") == ""


# -- Word files


def word(path: Path) -> Path:
    document = docx.Document()
    document.core_properties.title = "Briefing on the lights"
    document.core_properties.created = datetime.datetime(2019, 3, 3, 12, tzinfo=datetime.UTC)
    document.add_heading("Briefing on the lights", 0)
    document.add_paragraph("This says what happens to the lights and to the people who keep them.")
    document.add_heading("What moves", 1)
    document.add_paragraph("")
    document.add_paragraph("All posts move on the same day, as the table says.")
    table = document.add_table(rows=2, cols=3)
    for row, cells in enumerate((("Step", "Date", "Lead"), ("Pay", "1 May", "Ann"))):
        for column, words in enumerate(cells):
            table.cell(row, column).text = words
    document.add_paragraph("Bring your keys", style="List Bullet")
    document.add_paragraph("Bring your lamp", style="List Bullet")
    document.add_paragraph("After the list comes the last paragraph of all.")
    document.save(str(path))
    return path


def test_a_docx_is_read_in_its_order(tmp_path: Path) -> None:
    document = load(word(tmp_path / "a.docx"))
    assert document.text.split("\n\n") == [
        "Briefing on the lights",
        "This says what happens to the lights and to the people who keep them.",
        "What moves",
        "All posts move on the same day, as the table says.",
        "Step | Date | Lead\nPay | 1 May | Ann",
        "- Bring your keys\n- Bring your lamp",
        "After the list comes the last paragraph of all.",
    ]
    kinds = [
        (block.kind.value, block.level, document.text[block.start : block.end]) for block in document.blocks
    ]
    assert kinds == [
        ("title", 1, "Briefing on the lights"),
        ("paragraph", 0, "This says what happens to the lights and to the people who keep them."),
        ("heading", 1, "What moves"),
        ("paragraph", 0, "All posts move on the same day, as the table says."),
        ("table header", 0, "Step | Date | Lead"),
        ("table row", 0, "Pay | 1 May | Ann"),
        ("list item", 1, "- Bring your keys"),
        ("list item", 1, "- Bring your lamp"),
        ("paragraph", 0, "After the list comes the last paragraph of all."),
    ]
    assert (document.title, document.date) == ("Briefing on the lights", "2019-03-03")
    assert document.notes == ("the date is that of the file's creation",)


def test_a_place_in_a_docx_is_a_paragraph_number(tmp_path: Path) -> None:
    document = load(word(tmp_path / "a.docx"))
    numbers = {document.text[place.start :][:11]: place.line for place in document.places}
    assert numbers["Briefing on"] == 1
    assert numbers["Pay | 1 May"] == 6
    assert numbers["After the l"] == 9


def test_inserted_words_are_read_and_deleted_ones_not(tmp_path: Path) -> None:
    from docx.oxml import parse_xml

    document = docx.Document()
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    paragraph = parse_xml(
        f'<w:p {names}><w:r><w:t xml:space="preserve">The lights are </w:t></w:r>'
        "<w:ins><w:r><w:t>mended</w:t></w:r></w:ins><w:del><w:r><w:delText>out</w:delText></w:r></w:del></w:p>"
    )
    document.element.body.insert(0, paragraph)
    document.save(str(tmp_path / "a.docx"))
    assert load(tmp_path / "a.docx").text == "The lights are mended"


def word_of(path: Path, body: str, footnotes: str = "") -> Path:
    """A Word file with this body and these footnotes, for what no library writes."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml

    names = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    document = docx.Document()
    made = parse_xml(f"<w:body {names}>{body}</w:body>")
    for at, child in enumerate(list(made)):
        document.element.body.insert(at, child)
    document.sections[0].header.paragraphs[0].text = "Draft of the council"
    if footnotes:
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
        blob = f"<w:footnotes {names}>{footnotes}</w:footnotes>".encode()
        part = Part(PackURI("/word/footnotes.xml"), kind, blob, document.part.package)
        document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    document.save(str(path))
    return path


RUN = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"


def test_a_footnote_stands_under_its_paragraph_and_headers_are_left_out(tmp_path: Path) -> None:
    body = (
        f"<w:p>{RUN.format('The lights are out.')}<w:r><w:footnoteReference w:id='2'/></w:r></w:p>"
        f"<w:p>{RUN.format('Nobody came.')}</w:p>"
    )
    notes = (
        f"<w:footnote w:id='0' w:type='separator'><w:p>{RUN.format('line')}</w:p></w:footnote>"
        f"<w:footnote w:id='2'><w:p>{RUN.format('Since 3 March.')}</w:p></w:footnote>"
    )
    document = load(word_of(tmp_path / "a.docx", body, notes))
    assert document.text == "The lights are out.\n\nSince 3 March.\n\nNobody came."


def test_moved_words_are_read_once_where_they_went_and_deleted_rows_not_at_all(tmp_path: Path) -> None:
    cell = f"<w:tc><w:p>{RUN}</w:p></w:tc>"
    body = (
        f"<w:p><w:moveFrom>{RUN.format('Once.')}</w:moveFrom>{RUN.format('Here. ')}"
        f"<w:moveTo>{RUN.format('Once.')}</w:moveTo></w:p>"
        f"<w:tbl><w:tr><w:trPr><w:del w:id='1' w:author='a'/></w:trPr>{cell.format('gone')}</w:tr>"
        f"<w:tr>{cell.format('kept')}</w:tr></w:tbl>"
    )
    assert load(word_of(tmp_path / "a.docx", body)).text == "Here. Once.\n\nkept"


def test_paragraphs_are_one_where_a_deleted_mark_or_a_large_initial_parts_them(tmp_path: Path) -> None:
    deleted = "<w:pPr><w:rPr><w:del w:id='1' w:author='a'/></w:rPr></w:pPr>"
    initial = "<w:pPr><w:framePr w:dropCap='drop' w:lines='3'/></w:pPr>"
    body = "".join(
        f"<w:p>{mark}{RUN.format(words)}</w:p>"
        for mark, words in ((deleted, "The lights are"), ("", "out."), (initial, "N"), ("", "obody came."))
    )
    last = f"<w:p>{deleted}{RUN.format('They went')}</w:p>"
    text = load(word_of(tmp_path / "a.docx", body + last)).text
    assert text == "The lights are out.\n\nNobody came.\n\nThey went"


def test_a_table_of_contents_that_word_made_is_left_out(tmp_path: Path) -> None:
    document = docx.Document()
    document.styles.add_style("toc 1", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("The lights\t3", style="toc 1")
    document.add_paragraph("They are out.")
    document.save(str(tmp_path / "a.docx"))
    assert load(tmp_path / "a.docx").text == "They are out."


def test_what_is_written_twice_for_old_readers_is_read_once(tmp_path: Path) -> None:
    box = f"<w:txbxContent><w:p>{RUN.format('In a box.')}</w:p></w:txbxContent>"
    alternatives = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    body = f"<w:p><w:r>{alternatives}</mc:AlternateContent></w:r></w:p>"
    assert load(word_of(tmp_path / "a.docx", body)).text == "In a box."


def test_a_docx_without_words_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    path = tmp_path / "empty.docx"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(LoadError, match="no text in it"):
        load(path)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_docx_is_refused(tmp_path: Path, kept: float) -> None:
    data = word(tmp_path / "whole.docx").read_bytes()
    path = tmp_path / "truncated.docx"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(LoadError, match="not a Word file, or a truncated one"):
        load(path)

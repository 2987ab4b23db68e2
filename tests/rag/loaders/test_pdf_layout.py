"""PDF: columns, tables, notes at the foot, running lines and pages that are pictures, wherever they stand."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from rag.loaders import load
from rag.records import Document

LEFT = [
    "The lights of the harbour were out when the",
    "inspectors came, and have been out since the",
    "storm of the year before. The board says that",
    "it has the money for the lamps but nobody to",
    "put them up, since the keeper fell from his",
    "ladder in May and has not climbed it again.",
    "His sons will do it when the boats are in.",
]
RIGHT = [
    "The boats came in on the third of June, with",
    "less fish than in any year that the harbour",
    "master could remember. He had kept the books",
    "since the war, and his father before him, and",
    "neither had written down so few barrels in a",
    "month. The price rose, and the people of the",
    "town ate mutton until the autumn came round.",
]


def drawn(path: Path, *pages: Callable[[Canvas], object]) -> Document:
    """The document of a PDF whose pages these functions draw."""
    sheet = Canvas(str(path), pagesize=(595, 842), invariant=1)
    for draw in pages:
        sheet.setFont("Times-Roman", 10)
        draw(sheet)
        sheet.showPage()
    sheet.save()
    return load(path)


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def across(sheet: Canvas, top: int = 700) -> None:
    """Two columns, drawn line by line from edge to edge as a scanner's software does."""
    for row, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        sheet.drawString(72, top - 12 * row, left)
        sheet.drawString(310, top - 12 * row, right)


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.pdf", across).text.split("\n\n") == [" ".join(LEFT), " ".join(RIGHT)]


def test_what_runs_across_the_columns_parts_what_is_over_it_from_what_is_under_it(tmp_path: Path) -> None:
    def page(sheet: Canvas) -> None:
        across(sheet)
        sheet.setFont("Times-Bold", 14)
        sheet.drawString(72, 580, "The year after: what the board bought for the harbour and the town")
        sheet.setFont("Times-Roman", 10)
        across(sheet, 550)

    parts = drawn(tmp_path / "a.pdf", page).text.split("\n\n")
    assert parts[:2] == parts[3:] == [" ".join(LEFT), " ".join(RIGHT)]
    assert parts[2].startswith("The year after")


def test_columns_that_the_file_has_in_order_stay_in_it(tmp_path: Path) -> None:
    def page(sheet: Canvas) -> None:
        for x, column in ((72, LEFT), (310, RIGHT)):
            for row, words in enumerate(column):
                sheet.drawString(x, 700 - 12 * row, words)

    assert drawn(tmp_path / "a.pdf", page).text.split("\n\n") == [" ".join(LEFT), " ".join(RIGHT)]


TABLE = [
    [["Year"], ["What was bought"], ["Cost"]],
    [["2011"], ["Lamps for the northern", "light, and a spare wick"], ["1,200"]],
    [["2012"], ["Paint"], ["300"]],
]


def table(sheet: Canvas, top: int = 700) -> int:
    """A table, cell by cell, a cell of it on two lines; where its last row stands."""
    y = top
    for number, row in enumerate(TABLE):
        sheet.setFont("Times-Bold" if number == 0 else "Times-Roman", 10)
        for x, cell in zip((72, 150, 400), row, strict=True):
            for line, words in enumerate(cell):
                sheet.drawString(x, y - 12 * line, words)
        y -= 18 + 12 * (max(map(len, row)) - 1)
    sheet.setFont("Times-Roman", 10)
    return y


def test_a_table_is_read_row_by_row_and_its_header_leads_each_row(tmp_path: Path) -> None:
    document = drawn(tmp_path / "a.pdf", table)
    assert kinds(document) == [
        ("table header", "Year | What was bought | Cost"),
        ("table row", "2011 | Lamps for the northern light, and a spare wick | 1,200"),
        ("table row", "2012 | Paint | 300"),
    ]
    assert [block.lead for block in document.blocks[1:]] == [(0, 29), (0, 29)]


def test_the_text_over_and_under_a_table_is_no_part_of_it(tmp_path: Path) -> None:
    def page(sheet: Canvas) -> None:
        sheet.drawString(72, 730, "The board bought these things for the harbour in two years of war.")
        end = table(sheet)
        sheet.drawString(72, end - 12, "It bought nothing in the years after, since there was no money.")

    found = kinds(drawn(tmp_path / "a.pdf", page))
    assert [kind for kind, _ in found] == ["paragraph", "table header", "table row", "table row", "paragraph"]


def test_a_numbered_list_and_a_table_of_contents_are_no_tables(tmp_path: Path) -> None:
    def page(sheet: Canvas) -> None:
        for row, words in enumerate(("Mend the lamps", "Paint the house", "Sell the boat")):
            sheet.drawString(72, 700 - 14 * row, f"{row + 1}.")
            sheet.drawString(100, 700 - 14 * row, words)
        for row, words in enumerate(("Lamps", "House", "Boats", "Money")):
            sheet.drawString(72, 600 - 14 * row, f"{words} . . . . . . . . . . . .")
            sheet.drawString(400, 600 - 14 * row, str(row + 3))

    assert not any("table r" in kind for kind, _ in kinds(drawn(tmp_path / "a.pdf", page)))


def noted(sheet: Canvas, mark: str = "2", note: str = "Since the storm of May.") -> None:
    """A page whose last paragraph goes on overleaf, with a note under it."""
    for row, words in enumerate(LEFT[:-1]):
        sheet.drawString(72, 700 - 12 * row, words)
    sheet.drawString(72, 628, "In 2014")
    sheet.setFont("Times-Roman", 6)
    sheet.drawString(72 + sheet.stringWidth("In 2014", "Times-Roman", 10), 632, mark)
    sheet.setFont("Times-Roman", 10)
    sheet.drawString(130, 628, "they were lit for one night and the")
    sheet.setFont("Times-Roman", 8)
    sheet.drawString(72, 60, f"{mark} {note}")


def overleaf(sheet: Canvas) -> None:
    sheet.drawString(72, 700, "whole town came to look at them, and then they went out.")
    sheet.drawString(72, 676, "Nobody has seen them since, which the board regrets in its report.")


def test_a_note_follows_the_paragraph_it_interrupts_and_its_number_is_no_part_of_a_year(
    tmp_path: Path,
) -> None:
    document = drawn(tmp_path / "a.pdf", noted, overleaf)
    first, note, last = document.text.split("\n\n")
    assert first.endswith(
        "In 2014 they were lit for one night and the whole town came to look at them, and then they went out."
    )
    assert note == "2 Since the storm of May."
    assert last.startswith("Nobody")
    pages = [(place.page, document.text[place.start :][:5]) for place in document.places]
    assert pages == [(1, "The l"), (2, "whole"), (1, "2 Sin"), (2, "Nobod")]


def test_a_raised_number_without_a_note_is_kept(tmp_path: Path) -> None:
    document = drawn(tmp_path / "a.pdf", lambda sheet: noted(sheet, "3", "x"), overleaf)
    assert "In 2014 they" in document.text

    def area(sheet: Canvas) -> None:
        sheet.drawString(72, 700, "The house has 120 m")
        sheet.setFont("Times-Roman", 6)
        sheet.drawString(72 + sheet.stringWidth("The house has 120 m", "Times-Roman", 10), 704, "2")

    assert "120 m2" in drawn(tmp_path / "b.pdf", area).text


def picture(sheet: Canvas) -> None:
    """A page that a picture fills, with a number under it."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("L", (8, 8)).save(made, "PNG")
    made.seek(0)
    sheet.drawImage(ImageReader(made), 0, 40, 595, 800)
    sheet.drawString(290, 20, "Scanned by the town archive")


def test_a_page_that_is_a_picture_is_named_and_an_empty_one_is_not(tmp_path: Path) -> None:
    document = drawn(tmp_path / "a.pdf", across, picture, lambda sheet: None, picture, overleaf)
    assert document.notes == ("2 of 5 pages have no text layer: 2, 4",)


def test_a_chapter_s_running_head_is_dropped_and_figures_at_the_edge_are_kept(
    tmp_path: Path,
) -> None:
    def page(chapter: str, number: int) -> Callable[[Canvas], None]:
        def draw(sheet: Canvas) -> None:
            sheet.drawString(72, 800, chapter)
            for row in range(40):
                sheet.drawString(72, 760 - 15 * row, f"Light {number * 40 + row}")
                sheet.drawString(300, 760 - 15 * row, str(number * 1000 + row))

        return draw

    chapters = ["The lamps", "The lamps", "The boats", "The boats"]
    document = drawn(tmp_path / "a.pdf", *(page(name, number) for number, name in enumerate(chapters, 1)))
    assert "The lamps" not in document.text
    assert "The boats" not in document.text
    rows = [words for kind, words in kinds(document) if kind == "table row"]
    assert rows == [f"Light {n * 40 + row} | {n * 1000 + row}" for n in range(1, 5) for row in range(40)]


def test_the_titles_of_slides_are_kept(tmp_path: Path) -> None:
    def slide(title: str) -> Callable[[Canvas], None]:
        def draw(sheet: Canvas) -> None:
            sheet.setFont("Times-Bold", 24)
            sheet.drawString(72, 780, title)
            sheet.setFont("Times-Roman", 12)
            sheet.drawString(72, 600, f"What is said of {title.lower()} stands here and nowhere else.")

        return draw

    titles = ["Lamps", "Boats", "Fish", "Money", "Keepers", "Storms", "Mutton"]
    document = drawn(tmp_path / "a.pdf", *map(slide, titles))
    assert all(title in document.text.splitlines() for title in titles)


def test_titles_that_count_along_with_their_pages_are_kept(tmp_path: Path) -> None:
    def issue(number: int) -> Callable[[Canvas], None]:
        def draw(sheet: Canvas) -> None:
            sheet.setFont("Times-Bold", 18)
            sheet.drawString(72, 780, f"Issue {number}, December 2003" if number < 3 else f"Part {number**2}")
            sheet.setFont("Times-Roman", 10)
            across(sheet)

        return draw

    document = drawn(tmp_path / "a.pdf", *map(issue, range(1, 8)))
    assert "Issue 1, December 2003" in document.text
    assert "Issue 2, December 2003" in document.text

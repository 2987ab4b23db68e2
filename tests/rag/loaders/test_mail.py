"""E-mail: what is said, what is quoted, who wrote it and when."""

from __future__ import annotations

import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from made_files import SENTENCE, csv_file, docx, mbox, message, pdf

from rag.citations import cite, date_at
from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.mail import load_eml, load_mbox
from rag.output.dates import counted_dates
from rag.passages import split
from rag.passages.header import passage_header
from rag.records import Block, BlockKind, Document, Freshness
from rag.settings import PassageSettings


def words(document: Document, kind: BlockKind) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind is kind]


def loaded(tmp_path: Path, data: bytes, name: str = "letter.eml") -> Document:
    path = tmp_path / name
    path.write_bytes(data)
    return load(path)


def test_title_date_and_people_are_those_of_the_headers(tmp_path: Path) -> None:
    document = loaded(tmp_path, message().as_bytes())
    assert (document.title, document.date) == ("Piling in Tenter Street", "2017-03-22")
    assert words(document, BlockKind.TITLE) == ["Piling in Tenter Street"]
    assert words(document, BlockKind.LINES)[0] == (
        "From: Ann Lee <ann@example.org>\nTo: Bo Day <bo@example.org>\nDate: Wed, 22 Mar 2017 10:00:00 +0000"
    )


def mailbox(*made: EmailMessage) -> bytes:
    return b"".join(b"From a Wed Mar 22 10:00:00 2017\n" + one.as_bytes() + b"\n" for one in made)


def test_a_citation_of_a_mailbox_has_the_date_of_its_message(tmp_path: Path) -> None:
    early, late, undated, untitled = message(1, "Early"), message(1, "Late"), message(1), message(1)
    for one, date in ((early, "Tue, 3 May 2016 23:30:00 +0200"), (late, "Thu, 4 Jan 2018 08:00:00 +0000")):
        one.replace_header("Date", date)
    del undated["Date"], untitled["Subject"]
    for number, one in enumerate((early, late, undated, untitled)):
        one.set_content(f"We meet on item {number}, as we did last month, and so on until all of it is said.")
    document = loaded(tmp_path, mailbox(early, late, undated, untitled), "a.mbox")
    assert document.date == "2018-01-04"
    at = [document.text.index(f"item {number}") for number in range(4)]
    assert [date_at(document, place) for place in at] == ["2016-05-03", "2018-01-04", None, "2017-03-22"]
    passage = next(one for one in split(document, PassageSettings(min_words=1)) if "item 0" in one.text)
    start = passage.text.index("We meet")
    cited = cite(document, passage, (start, len(passage.text)), [], score=1.0, fresh=Freshness.UNCHANGED)
    assert cited.date == "2016-05-03"
    assert counted_dates(cited.quote, cited.date) == {"last month": "2016-04"}
    assert "3 May 2016" in passage_header(document, passage)
    assert "2018" not in passage_header(document, passage)


def test_a_date_line_in_the_words_of_a_message_is_not_its_date(tmp_path: Path) -> None:
    made = message(1)
    del made["Date"]
    made.set_content(
        "The form says:\n\nDate: Tue, 3 May 2016 10:00:00 +0000\n\nand nothing else of it is known.\n"
    )
    document = loaded(tmp_path, mailbox(made), "a.mbox")
    assert date_at(document, document.text.index("nothing else")) is None


def test_quoted_replies_are_quotations_without_their_marks(tmp_path: Path) -> None:
    made = EmailMessage()
    made["Subject"] = "Re: Piling"
    made.set_content("We will not.\n\nOn Tuesday Bo wrote:\n> May we pile\n> on Sunday?\n>> Who asks?\n")
    document = loaded(tmp_path, made.as_bytes())
    assert words(document, BlockKind.QUOTATION) == ["May we pile\non Sunday?\nWho asks?"]
    assert words(document, BlockKind.PARAGRAPH) == ["We will not.", "On Tuesday Bo wrote:"]


@pytest.mark.parametrize(
    "head",
    [
        "-----Original Message-----\nFrom: Bo\nSubject: Piling",
        "From: Bo Day\nSent: Tuesday, 21 March 2017\nTo: Ann Lee\nSubject: Piling",
    ],
)
def test_what_stands_under_the_head_of_an_earlier_message_is_quoted(head: str, tmp_path: Path) -> None:
    made = EmailMessage()
    made["Subject"] = "Re: Piling"
    made.set_content(f"We will not.\n\n{head}\n\nMay we pile on Sunday?\n")
    document = loaded(tmp_path, made.as_bytes())
    assert words(document, BlockKind.PARAGRAPH) == ["We will not."]
    assert words(document, BlockKind.QUOTATION) == [head, "May we pile on Sunday?"]


def test_plain_text_is_read_before_html_and_html_where_there_is_no_other(tmp_path: Path) -> None:
    both = message(1)
    both.add_alternative("<p>Of the page.</p>", subtype="html")
    assert "Of the page" not in loaded(tmp_path, both.as_bytes()).text
    page = EmailMessage()
    page["Subject"] = "News"
    page.set_content(
        "<p>The trust <b>opened</b>.</p><blockquote><p>When?</p></blockquote>"
        "<table><tr><th>Year<th>Who<tr><td>2012<td>Lee</table><ul><li>come<li>see</ul>",
        subtype="html",
    )
    document = loaded(tmp_path, page.as_bytes())
    assert [(b.kind.value, document.text[b.start : b.end]) for b in document.blocks] == [
        ("title", "News"),
        ("paragraph", "The trust opened."),
        ("quotation", "When?"),
        ("table header", "Year | Who"),
        ("table row", "2012 | Lee"),
        ("list item", "- come"),
        ("list item", "- see"),
    ]
    header = next(b for b in document.blocks if b.kind is BlockKind.TABLE_HEADER)
    row = next(b for b in document.blocks if b.kind is BlockKind.TABLE_ROW)
    assert row.lead == (header.start, header.end)


def test_what_cannot_be_read_of_attachments_is_named(tmp_path: Path) -> None:
    made = message(1)
    for name in ("plan.pdf", "Übersicht.xlsx"):
        made.add_attachment(b"abc", maintype="application", subtype="octet-stream", filename=name)
    document = loaded(tmp_path, made.as_bytes())
    assert document.text.endswith("Attached: plan.pdf, Übersicht.xlsx")
    assert document.notes == ("2 attached files not read: plan.pdf, Übersicht.xlsx",)


def test_an_attached_file_is_read_under_its_name_as_part_of_the_message(tmp_path: Path) -> None:
    made = message(1)
    made.add_attachment(csv_file(2), maintype="text", subtype="csv", filename="Vacancies.CSV")
    made.add_attachment(docx(1), maintype="application", subtype="octet-stream", filename="minutes.docx")
    made.add_attachment(pdf(1), maintype="application", subtype="pdf", filename="without a suffix")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    document = loaded(tmp_path, made.as_bytes())
    headings = words(document, BlockKind.HEADING)
    assert headings == ["Vacancies.CSV", "minutes.docx", "Item 0", "without a suffix"]
    assert document.text.endswith(SENTENCE.format(0))
    assert (document.title, document.date) == ("Piling in Tenter Street", "2017-03-22")
    assert document.notes == (
        "3 attached files read as part of the message",
        "1 attached file not read: logo.png",
    )
    header = next(b for b in document.blocks if b.kind is BlockKind.TABLE_HEADER)
    row = next(b for b in document.blocks if b.kind is BlockKind.TABLE_ROW)
    assert row.lead == (header.start, header.end)


def test_an_attached_mailbox_is_named_and_not_opened(tmp_path: Path) -> None:
    made = message(1)
    made.add_attachment(mbox(2), maintype="application", subtype="mbox", filename="old.mbox")
    assert loaded(tmp_path, made.as_bytes()).notes == ("1 attached file not read: old.mbox",)


def test_a_passage_of_a_file_attached_in_a_mailbox_is_found_with_who_sent_it(tmp_path: Path) -> None:
    made = message(1)
    made.add_attachment(docx(1), maintype="application", subtype="octet-stream", filename="minutes.docx")
    made.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="a.exe")
    data = b"From ann@example.org Wed Mar 22 10:00:00 2017\n" + made.as_bytes() + b"\n"
    document = loaded(tmp_path, data * 2, "box.mbox")
    last = split(document, PassageSettings(max_words=40))[-2]
    assert "From: Ann Lee <ann@example.org>" in passage_header(document, last)
    assert document.notes[-1] == "2 attached files not read"


def test_a_forwarded_message_is_a_quotation(tmp_path: Path) -> None:
    outer = message(1, "Fwd: Piling")
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Piling", "Bo <bo@example.org>"
    inner.set_content("May we pile on Sunday?")
    outer.add_attachment(inner)
    document = loaded(tmp_path, outer.as_bytes())
    assert words(document, BlockKind.QUOTATION)[-2:] == ["Piling", "May we pile on Sunday?"]
    assert document.title == "Fwd: Piling"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "koi8-r"])
def test_words_are_decoded_as_the_message_says(charset: str, tmp_path: Path) -> None:
    text = "Где мост? Он здесь стоит." if charset == "koi8-r" else "Café £5, naïve as it may be."
    made = EmailMessage()
    made["Subject"] = text
    made.set_content(text, charset=charset)
    document = loaded(tmp_path, made.as_bytes())
    assert document.title == text
    assert document.text.endswith(f"\n\n{text}")


def test_a_message_in_a_charset_nobody_knows_is_read_all_the_same(tmp_path: Path) -> None:
    data = b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nThe trust was opened in June.\n"
    assert loaded(tmp_path, data).text.endswith("The trust was opened in June.")


def test_a_message_without_subject_or_date_has_none(tmp_path: Path) -> None:
    document = loaded(tmp_path, b"From: Ann Lee <ann@example.org>\n\nThe trust was opened.\n")
    assert (document.title, document.date) == (None, None)


def test_a_mailbox_is_one_document_with_its_messages_as_pages(tmp_path: Path) -> None:
    document = loaded(tmp_path, mbox(3), "box.mbox")
    assert words(document, BlockKind.HEADING) == ["Item 0", "Item 1", "Item 2"]
    assert [place.page for place in document.places] == [1, 2, 3]
    assert (document.title, document.date) == (None, "2017-03-22")
    assert document.notes[0] == "one document of 3 messages; each counts as a page"


def test_each_passage_of_a_mailbox_is_found_with_who_wrote_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, mbox(2), "box.mbox")
    last = split(document, PassageSettings(max_words=40))[-2]
    header = passage_header(document, last)
    assert "Item 1" in header
    assert "From: Ann Lee <ann@example.org>" in header


def test_from_at_the_start_of_a_line_parts_no_messages() -> None:
    data = b"From a Wed Mar 22 10:00:00 2017\nSubject: x\n\nHe came.\nFrom here he went.\n>From there not.\n"
    assert load_mbox(data).text == "x\n\nHe came.\nFrom here he went.\nFrom there not."


@pytest.mark.parametrize("name", ["letter.eml", "box.mbox"])
@pytest.mark.parametrize(
    "data", [b"\0" * 100, b"Words of no message stand here.\n", b"%PDF-1.7 \n\n", b"\n\n"]
)
def test_what_is_no_message_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data, name)
    assert "its reader failed" not in caught.value.reason


def nested(depth: int) -> bytes:
    head = b"Subject: deep\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    return head + b"Content-Type: text/plain\n\nThe trust was opened.\n"


def test_parts_within_parts_are_read_or_refused(tmp_path: Path) -> None:
    assert loaded(tmp_path, nested(50)).text.endswith("The trust was opened.")
    with pytest.raises(LoadError, match="nested too deeply"):
        loaded(tmp_path, nested(5_000))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: b"Subject: " + b"word " * n + b"\n\nThe trust was opened.\n",
        lambda n: b"Subject: x\nTo: " + b"a@b.org, " * n + b"\n\nThe trust was opened.\n",
        lambda n: b"Subject: x\nContent-Type: text/plain" + b'; a="b"' * n + b"\n\nThe trust was opened.\n",
        lambda n: b"Subject: x\n" + b"Received: by a; 1 Jan 2017\n" * n + b"\nThe trust was opened.\n",
        lambda n: b"Subject: x\n\n" + b">" * n + b" The trust was opened.\n",
        lambda n: b"Subject: x\n\n" + b"> a\nb\n" * n,
        lambda n: b"Subject: x\n\n" + b"From: a\n" * n,
    ],
)
def test_headers_and_marks_without_end_take_linear_time(make: object) -> None:
    sizes = [make(n) for n in (2_000, 4_000, 8_000)]  # type: ignore[operator]
    seconds = []
    for data in sizes:
        began = time.process_time()
        load_eml(data)
        seconds.append(time.process_time() - began)
    assert seconds[2] < 0.2 or seconds[2] < 2.6**2 * seconds[0], seconds


def test_blocks_of_a_letter_in_a_mailbox_are_named() -> None:
    draft = load_mbox(mbox(1))
    greeting: Block = next(b for b in draft.blocks if b.kind is BlockKind.GREETING)
    assert draft.text[greeting.start : greeting.end] == "Dear Bo,"

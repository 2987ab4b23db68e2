"""Write the PDF and the DOCX of the Doncaster test corpus.

Needs reportlab and python-docx, which the development environment has:

    python eval/data/make_binaries.py

Both files are written into corpus/doncaster/ and are the same byte for byte on every run with the same
library versions: the PDF is made in reportlab's invariant mode, and the DOCX carries fixed dates inside and
in its zip entries.
"""

import datetime
import zipfile
from io import BytesIO
from pathlib import Path

from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).resolve().parent / "corpus" / "doncaster"
PDF = HERE / "annual-review-2017-18.pdf"
DOCX = HERE / "transition-briefing.docx"

HEADER = "Doncaster Children's Services Trust: Annual Review 2017-18"
FONT, BOLD, SIZE, LEADING = "Times-Roman", "Times-Bold", 12.5, 20
LEFT, RIGHT, TOP, BOTTOM = 72, 72, 92, 104
WIDTH, HEIGHT = A4

# ("h", heading), ("p", paragraph) or ("l", [lines set by hand]).
REVIEW = [
    ("t", "Annual Review 2017-18"),
    ("p", "Published 20 July 2018"),
    ("h", "1. The year in brief"),
    (
        "p",
        "This review covers the twelve months to 31 March 2018. It was a year in which "
        "the Trust was inspected, moved two grades and was judged good in every category. "
        "It was also a year of rising demand: 549 children were looked after at the end "
        "of it, 47 more than at the start.",
    ),
    (
        "p",
        "The report of January 2018 came three months after the date that had been set "
        "for reaching good, October 2017. The council agreed that the target had been met "
        "in substance, because the inspectors had begun their fieldwork within a few weeks "
        "of it.",
    ),
    ("h", "2. Workforce"),
    (
        "p",
        "The average caseload was 16 children in March 2018, one fewer than a year before. "
        "Agency workers filled 8 per cent of social work posts, against 12 per cent in "
        "March 2017.",
    ),
    (
        "p",
        "There were 12 vacant social worker posts at 31 March 2018. At the same point in "
        "2017 there had been 15.",
    ),
    (
        "l",
        [
            "Nine apprentices who have been in care now work for the Trust, three more",
            "than in 2017. Of the first four, who joined in September 2016, three have",
            "moved into permanent jobs and one has begun a degree in social work. Re-",
            "sponsibility for the scheme has passed from the recruitment manager to the",
            "participation manager, Hannah Whitworth.",
        ],
    ),
    (
        "p",
        "Sickness absence rose slightly, to 9.4 days for each member of staff. Influenza "
        "in January accounts for most of the rise. Free vaccination was offered but only "
        "38 per cent took it up, as the two clinics were held on days when most teams were "
        "in court.",
    ),
    ("h", "3. Children in care"),
    (
        "p",
        "Written plans are shorter. A peer review in June 2017 had asked for plans of no "
        "more than four pages. By March 2018 the average plan was five pages long, and 81 "
        "per cent had been updated within six months.",
    ),
    (
        "p",
        "The Children in Care Council has grown from 12 members to 19. It interviewed for "
        "22 posts during the year and turned down the panel's favourite candidate twice.",
    ),
    (
        "p",
        "Fewer children move from home to home. Twenty-eight had three or more moves in "
        "the year to January 2018, compared with 39 the year before. The fall is largest "
        "among children under ten. For teenagers the number hardly altered, because there "
        "are not enough carers in the borough who will take them, and a teenager who goes "
        "out of the borough is more likely to be moved again.",
    ),
    (
        "p",
        "Twelve children were waiting for an independent visitor in June 2017. By March "
        "2018 the number had come down to five.",
    ),
    ("h", "4. Protection"),
    (
        "p",
        "The duty desk took 14,200 calls. One in twenty-three was abandoned before it was "
        "answered, so that the target of one in twenty set when the Trust opened has now "
        "been met. Strategy discussions, which the inspectors of 2015 had found to be late "
        "in some cases, were held within the time allowed on 96 occasions out of 100.",
    ),
    (
        "p",
        "Three police officers have sat with the duty team since May 2017. Sergeant Neil "
        'Hartley, who leads them, said the change was a simple one: "I used to send an '
        'email and wait. Now I lean over the desk."',
    ),
    ("h", "5. Money"),
    (
        "p",
        "The Trust ended the year with an overspend of £0.4m. The chief cause was the cost "
        "of placements outside the borough, which average £3,900 a week. Two homes that "
        "the council intends to open will replace eight of these places.",
    ),
    (
        "p",
        "Value added tax remains unsettled. Until 2017 the government met the VAT of the "
        "trusts in Doncaster and Slough, at a cost of £6.5m for the two together. The share "
        "of each is not published. Talks with the council and with ministers continue.",
    ),
    ("h", "6. Fostering"),
    (
        "p",
        "The Trust began the year with 138 fostering households and ended it with 142. "
        "Sixteen joined and twelve left. Of those who left, seven had adopted the child in "
        "their care or become the child's special guardian, which the Trust counts as a "
        "success and not as a loss.",
    ),
    (
        "p",
        "Carers asked for one change above all others, which was to hear sooner when a "
        "meeting was cancelled. Since January 2018 they have been sent a text message by "
        "noon on the day before.",
    ),
    ("h", "7. Complaints and compliments"),
    (
        "p",
        "There were 96 complaints, eleven fewer than in 2016-17, and 143 compliments. The "
        "commonest complaint was that a telephone call had not been returned. The average "
        "reply took 17 working days. The time allowed is 20.",
    ),
    ("p", "Two complaints went to the Ombudsman, who upheld neither."),
    ("h", "8. The year ahead"),
    (
        "p",
        "Family safeguarding will begin in Mexborough in September 2018. Mexborough was "
        "chosen because health visitors, police and social workers already share a building "
        "there. Fourteen adult workers, who deal with drink, drugs and violence between "
        "parents, will join the children's teams. The Trust will report the first results "
        "in the review for 2018-19.",
    ),
    (
        "p",
        "The annual staff conference will be held on 11 October 2018. Its subject, chosen "
        'by the Children in Care Council, is "Say what you mean".',
    ),
]


def make_pdf() -> None:
    canvas = Canvas(str(PDF), pagesize=A4, invariant=1)
    canvas.setTitle("Annual Review 2017-18")
    canvas.setAuthor("Doncaster Children's Services Trust")
    canvas.setSubject("Written for testing")
    page = 0
    y = 0.0

    def new_page() -> None:
        nonlocal page, y
        if page:
            canvas.showPage()
        page += 1
        canvas.setFont(FONT, 9)
        canvas.drawString(LEFT, HEIGHT - 52, HEADER)
        canvas.drawCentredString(WIDTH / 2, 42, f"Page {page}")
        y = HEIGHT - TOP

    def line(text: str, font: str, size: float, step: float) -> None:
        nonlocal y
        if y - step < BOTTOM:
            new_page()
        canvas.setFont(font, size)
        canvas.drawString(LEFT, y, text)
        y -= step

    new_page()
    for kind, content in REVIEW:
        if kind == "t":
            line(content, BOLD, 18, 28)
        elif kind == "h":
            if y - 5 * LEADING < BOTTOM:
                new_page()
            y -= 8
            line(content, BOLD, 13, 21)
        else:
            rows = content if kind == "l" else simpleSplit(content, FONT, SIZE, WIDTH - LEFT - RIGHT)
            for row in rows:
                line(row, FONT, SIZE, LEADING)
            y -= 9
    canvas.save()


def make_docx() -> None:
    document = Document()
    document.add_heading("Briefing for team managers: the move to the council", 0)
    document.add_paragraph("Prepared by the Transition Team, 4 August 2022")
    document.add_heading("Purpose", 1)
    document.add_paragraph(
        "This briefing tells team managers what will happen on 1 September 2022, when "
        "children's social care passes from Doncaster Children's Services Trust to the "
        "council. It follows the council's decision to decommission the Trust. It is about "
        "arrangements only; questions about the decision itself should go to the Civic Office."
    )
    document.add_heading("What moves and when", 1)
    document.add_paragraph(
        "All 538 posts transfer on the same day. The order of the remaining steps is below."
    )
    rows = [
        ("Step", "Date", "Lead officer"),
        ("Pay and contracts", "1 September 2022", "Sunita Rao"),
        ("Email addresses", "19 September 2022", "Colin Birdsall"),
        ("Vehicles and lone-working alarms", "3 October 2022", "Joanne Speight"),
        ("Case records", "June 2023", "Colin Birdsall"),
    ]
    table = document.add_table(rows=0, cols=3)
    table.style = "Table Grid"
    for row in rows:
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
    document.add_heading("Staff", 1)
    document.add_paragraph(
        "On 1 August 2022 there were 22 vacant social worker posts. Offers have been made "
        "for nine of them. Recruitment will pause between 22 August and 9 September, as the "
        "two personnel systems cannot both be open while contracts are copied."
    )
    document.add_paragraph(
        "Email addresses change 18 days after the transfer, because the council's network "
        "team can move no more than thirty mailboxes a day. Mail to the old addresses will "
        "be forwarded until the end of March 2023."
    )
    document.add_heading("What to tell families", 1)
    document.add_paragraph(
        "Please tell each family in person, at the next visit, that their worker and telephone "
        "number are not changing. A leaflet has been written by the Children in Care Council. "
        "It is available in English, Polish, Romanian and Slovak."
    )
    document.add_heading("Oversight", 1)
    document.add_paragraph(
        "A transition board will meet every six weeks until September 2023. It is chaired by "
        "Elaine Hargreaves, and two care-experienced young people have seats on it."
    )
    document.add_paragraph(
        "The lease of the Blue Building runs until March 2024. No decision has been taken "
        "about its use after that."
    )
    document.add_heading("Questions managers have asked", 1)
    document.add_paragraph(
        "Annual leave booked before the transfer will be honoured. Trust lanyards should be "
        "handed in by 16 September. The long-service award, a clock, will not continue."
    )
    core = document.core_properties
    core.title = "Briefing for team managers: the move to the council"
    core.author = "Transition Team"
    core.last_modified_by = "Transition Team"
    core.subject = "Written for testing"
    core.comments = ""
    core.language = "en-GB"
    moment = datetime.datetime(2022, 8, 4, 9, 0, 0)
    core.created = core.modified = moment
    raw = BytesIO()
    document.save(raw)
    # python-docx stamps the zip entries with the present time: write them anew.
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(DOCX, "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, date_time=(2022, 8, 4, 9, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, source.read(name))


if __name__ == "__main__":
    make_pdf()
    make_docx()
    for made in (PDF, DOCX):
        print(made.name, made.stat().st_size)

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


# For each suffix what makes a file of it, and the size from which its time can be measured.
MADE: dict[str, tuple[Callable[[int], bytes], int]] = {
    ".eml": (eml, 400),
    ".mbox": (mbox, 60),
    ".csv": (csv_file, 5_000),
}

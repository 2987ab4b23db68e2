"""``:save``: the session as Markdown, as a web page, or as JSON lines that ``rag verify`` checks."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import UsageError
from rag.files import replace_file
from rag.output.json_lines import dumps, to_json
from rag.records import Answer, Citation, Freshness, Status
from rag.session.commands import references
from rag.session.screen import clean_line
from rag.session.turns import Turn
from rag.session.view import sureness

if TYPE_CHECKING:
    from rag.session.session import Session

_STATUS = {Status.ANSWERED: "answered", Status.WEAK: "weak", Status.ABSTAINED: "no answer"}
_CHANGED = {
    Freshness.UNCHANGED: "",
    Freshness.EDITED: ", edited since it was indexed",
    Freshness.MISSING: ", no longer there",
    Freshness.UNREADABLE: ", cannot be read now",
}


def verdict(answer: Answer) -> str:
    """How far the answer goes, in words and figure."""
    return f"{_STATUS[answer.status]}, confidence {answer.confidence:.0%} ({sureness(answer.confidence)})"


def markdown(turns: Sequence[Turn]) -> str:
    """The session as Markdown, a section a question."""
    lines = ["# Questions and what the documents say", ""]
    for turn in turns:
        answer = turn.answer
        lines += [f"## {references.escaped(turn.question)}", ""]
        if turn.completed.changed:
            lines += [f"Typed: {references.escaped(turn.typed)}", ""]
        if turn.filters.written():
            lines += [f"Only {references.escaped(turn.filters.written())}", ""]
        for citation in answer.citations:
            lines += [references.markdown(citation) + _CHANGED[citation.freshness], ""]
        lines += [
            f"*{verdict(answer)}*" + (f": {references.escaped(answer.reason)}" if answer.reason else ""),
            "",
        ]
        for notice in answer.notices:
            lines += [f"Note: {references.escaped(notice)}", ""]
    return "\n".join(clean_line(line) for line in "\n".join(lines).split("\n"))


def json_lines(turns: Sequence[Turn]) -> str:
    """One answer a line, under the documented keys."""
    return "".join(dumps(to_json(turn.answer, turn.paths.__getitem__)) + "\n" for turn in turns)


_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; font: 1.05rem/1.6 Georgia, serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #8888; }
mark { background: #fd06; color: inherit; padding: 0 .1em; }
footer, .aside { font: .85rem/1.5 system-ui, sans-serif; opacity: .75; }
""".strip()


def web_page(turns: Sequence[Turn]) -> str:
    """The session as one HTML file that needs nothing else."""
    body = ["<h1>Questions and what the documents say</h1>"]
    for turn in turns:
        answer = turn.answer
        body.append(f"<section>\n<h2>{_html(turn.question)}</h2>")
        if turn.completed.changed:
            body.append(f'<p class="aside">Typed: {_html(turn.typed)}</p>')
        if turn.filters.written():
            body.append(f'<p class="aside">Only {_html(turn.filters.written())}</p>')
        body += [_blockquote(citation) for citation in answer.citations]
        reason = f": {_html(answer.reason)}" if answer.reason else ""
        body.append(f'<p class="aside">{_html(verdict(answer))}{reason}</p>')
        body += [f'<p class="aside">Note: {_html(notice)}</p>' for notice in answer.notices]
        body.append("</section>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = "<title>Questions and what the documents say</title>"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n{title}\n'
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _html(text: str) -> str:
    return html.escape(clean_line(text.replace("\n", " ")))


def _blockquote(citation: Citation) -> str:
    out, at = "", 0
    for start, end in [*sorted(citation.marks), (len(citation.quote), len(citation.quote))]:
        begin = max(start, at)
        out += _html_part(citation.quote[at:begin])
        marked = _html_part(citation.quote[begin:end])
        out += f"<mark>{marked}</mark>" if marked.strip() else ""
        at = max(end, at)
    source = html.escape(Path(citation.document).as_uri())
    changed = _CHANGED[citation.freshness]
    named = _html(references.reference(citation)) + changed
    footer = f'<footer><a href="{source}">{named}</a></footer>'
    return f'<blockquote cite="{source}">\n<p>{out}</p>\n{footer}\n</blockquote>'


def _html_part(text: str) -> str:
    """Part of a quotation, the spaces at its ends kept.

    >>> _html_part("a < b ")
    'a &lt; b '
    """
    from rag.output.render import clean

    return html.escape(clean(text))


_WRITERS: dict[str, Callable[[Sequence[Turn]], str]] = {
    ".md": markdown,
    ".html": web_page,
    ".jsonl": json_lines,
}


def save(session: Session, argument: str) -> None:
    """Write the session to a file; one that another program made is not written over."""
    path = Path(argument.strip('"')).expanduser().absolute() if argument else None
    writer = _WRITERS.get(path.suffix.lower()) if path is not None else None
    if path is None or writer is None:
        raise UsageError("expected a file's name that ends in .md, .html or .jsonl", ":save session.md")
    if not session.turns:
        raise UsageError("nothing has been asked yet, so there is nothing to save")
    if path.exists() and path not in session.saved:
        raise UsageError(f"{path} exists already, and this session did not write it", "give another name")
    try:
        replace_file(path, writer(session.turns).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "give another name") from error
    session.saved.add(path)
    n = len(session.turns)
    session.screen.say(f"Wrote {n} question{'' if n == 1 else 's'} to {path}")
    if path.suffix.lower() == ".jsonl":
        session.screen.note(f"rag verify {path.name} checks later whether the quotations still stand.")

"""The commands of a session: their names, what they take, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from rag.errors import UsageError
from rag.output.lines import fold
from rag.session.commands import evidence, explain, export, feedback, options
from rag.session.commands import store as about

if TYPE_CHECKING:
    from rag.session.session import Session


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``run`` is given the session and what follows the name. ``takes`` is shown in the help."""

    name: str
    takes: str
    help: str
    run: Callable[[Session, str], None]


def _help(session: Session, argument: str) -> None:
    """List the commands, or say what one does."""
    look = session.screen.look
    if argument:
        chosen: Sequence[Command] = [find(argument.removeprefix(":"))]
    else:
        chosen = COMMANDS
        session.screen.say("Ask in your own words. Every answer is a quotation from your documents.")
        session.screen.gap()
    wide = max(len(f":{command.name} {command.takes}".rstrip()) for command in chosen) + 2
    narrow = look.width is not None and look.width < wide + 24
    lines: list[Text] = []
    for command in chosen:
        usage = f":{command.name} {command.takes}".rstrip()
        if narrow:
            lines += [Text(usage, style="bold"), *fold(Text(command.help), look, "  ")]
            continue
        folded = fold(Text(command.help), look, " " * wide, usage.ljust(wide))
        folded[0].stylize("bold", 0, len(usage))
        lines += folded
    session.screen.show(lines)
    if not argument:
        session.screen.gap()
        session.screen.note(
            "Names may be shortened (:n, :rep). In a question: after:2016 before:2017-03 in:*.pdf, "
            "“as of March 2017”."
        )


def _again(session: Session, argument: str) -> None:
    session.again()


def _edit(session: Session, argument: str) -> None:
    session.edit(argument)


def _ask(session: Session, argument: str) -> None:
    session.ask(argument, as_typed=True)


def _quit(session: Session, argument: str) -> None:
    raise EOFError


COMMANDS: tuple[Command, ...] = (
    Command("help", "[COMMAND]", "list the commands, or say what one does", _help),
    Command("next", "", "the next piece of evidence", evidence.next_one),
    Command("prev", "", "the piece of evidence before", evidence.previous_one),
    Command("more", "", "the evidence in its paragraph; again: with the paragraphs around", evidence.more),
    Command("page", "", "the whole document, at the place", evidence.page),
    Command("open", "", "the file itself, at the line or page", evidence.open_file),
    Command("copy", "[md|plain|bib|csl]", "copy the quotation with its reference", evidence.copy),
    Command("why", "[N]", "why this passage, or passage N: what every ranker said", explain.why),
    Command("whynot", "TEXT", "why the passage with these words was not chosen", explain.whynot),
    Command("ask", "QUESTION", "ask exactly this, nothing completed", _ask),
    Command("edit", "[QUESTION]", "change the question as it was asked, and ask it again", _edit),
    Command("again", "", "ask the last question again and say what changed", _again),
    Command(
        "set",
        "[NAME [VALUE]]",
        "see or change k, after, before, in, as-of, followups, questions",
        options.set_,
    ),
    Command("info", "", "what is in the store", about.info),
    Command("sources", "[WORD]", "the documents, or those whose name or title has a word", about.sources),
    Command("report", "", "what was kept out, what repeats, which files changed", about.report),
    Command("reindex", "", "read again what changed, without leaving", about.reindex),
    Command("good", "", "keep this evidence as the right answer to the question", feedback.good),
    Command("bad", "", "keep the answer as a wrong one", feedback.bad),
    Command("expect", "TEXT", "keep these words of the documents as the right answer", feedback.expect),
    Command(
        "unanswerable", "", "keep the question as one the documents do not answer", feedback.unanswerable
    ),
    Command("save", "FILE", "write the session to FILE.md, FILE.html or FILE.jsonl", export.save),
    Command("quit", "", "leave (Ctrl-D)", _quit),
)


def find(name: str) -> Command:
    """The command of a name, or of the beginning of one; UsageError when none or several begin so.

    >>> find("rein").name, find("n").name, find("why").name
    ('reindex', 'next', 'why')
    """
    wanted = name.casefold()
    fitting = [command for command in COMMANDS if command.name.startswith(wanted)] if wanted else []
    exact = [command for command in fitting if command.name == wanted]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    if fitting:
        raise UsageError(
            f":{wanted} may be {', '.join(f':{command.name}' for command in fitting)}",
            "write one letter more",
        )
    import difflib

    near = difflib.get_close_matches(wanted, [command.name for command in COMMANDS], n=1)
    meant = f"did you mean :{near[0]}? " if near else ""
    raise UsageError(f"there is no command :{name}", f"{meant}:help lists them")

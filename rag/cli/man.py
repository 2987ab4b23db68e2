"""The manual page ``rag.1``, made of the help texts: ``make man`` writes it, and a test holds it to them.

It names no date and nothing of the machine that wrote it, so that the same help gives the same page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer.main

from rag import __version__
from rag.cli import app
from rag.cli.exits import ExitStatus

_VARIABLES = {
    "RAG_STORE": "Folder of the index, where --store does not say.",
    "RAG_CONFIG": "The settings file, instead of rag.toml in the user's configuration folder.",
    "RAG_SECTION_KEY": "A setting, such as RAG_RETRIEVAL_K for retrieval.k; rag info lists them all.",
    "NO_COLOR": "Where it is set, no colour is used.",
    "COLUMNS": "The width that lines are folded to, where the terminal does not say.",
}


def page() -> str:
    """The manual page, in the language of man(7)."""
    group = typer.main.get_command(app)
    context = group.make_context("rag", [], resilient_parsing=True)
    lines = [
        f'.TH RAG 1 "" "rag {__version__}" "User Commands"',
        ".SH NAME",
        "rag \\- answers questions in the words of your documents",
        ".SH SYNOPSIS",
        ".B rag",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(group.help),
        ".PP",
        "Without a command, at a terminal, the session is opened: see",
        '.BR "rag chat" .',
        ".SH OPTIONS",
        *_parameters(group, context),
        ".SH COMMANDS",
        *_commands(group, context, "rag"),
        ".SH EXIT STATUS",
    ]
    for status in ExitStatus:
        lines += [".TP", f".B {int(status)}", escaped(status.meaning)]
    lines.append(".SH ENVIRONMENT")
    for name, meaning in _VARIABLES.items():
        lines += [".TP", f".B {name}", escaped(meaning)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    r"""Words of a help text so that man(7) prints them as they are, whatever line they begin.

    >>> print(escaped(".ragignore or --keep C:\\x"))
    \&.ragignore or \-\-keep C:\ex
    """
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


def _commands(group: Any, context: Any, above: str) -> Iterator[str]:
    """Every command with its usage, help, arguments and options, those of groups after their group."""
    for name, command in group.commands.items():
        whole = f"{above} {name}"
        own = command.make_context(name, [], parent=context, resilient_parsing=True)
        if hasattr(command, "commands"):
            yield from (f'.SS "{whole}"', *_paragraphs(command.help))
            yield from _commands(command, own, whole)
            continue
        pieces = " ".join(re.sub(r"[{}]", "", piece) for piece in command.collect_usage_pieces(own))
        yield from (f'.SS "{whole}"', f".B {whole}", escaped(pieces), ".PP")
        yield from _paragraphs(command.help)
        yield from _parameters(command, own)
        yield from (".PP", *_paragraphs(command.epilog))


def _parameters(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or (parameter.name == "help" and context.parent is not None):
            continue
        name, said = record
        if parameter.param_type_name == "argument":
            name = name.partition(" <")[0]
        said = re.sub(r"  \[required\]|; required(?=\])", "", said)
        yield from (".TP", f".B {escaped(name)}", escaped(said))


def _paragraphs(text: str | None) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", (text or "").strip())):
        if number:
            yield ".PP"
        yield escaped(paragraph)


def main() -> None:
    """Write the page to stdout."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()

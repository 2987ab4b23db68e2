"""The command ``rag``. Each command is a module here: it parses, calls one room, and shows what comes back.

Nothing heavy is imported before a command needs it, so that ``rag --help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from eval.bench import cli as bench
from eval.cli import app as eval_app
from rag import __version__
from rag.cli import ask, chat, check, diff, doctor, export, index, info, mcp, search, serve, show, verify
from rag.cli.exits import Boundary, ExitStatus, status_table

EPILOG = f"""\b
Exit statuses:
{status_table()}

\b
Example:
  rag index letters minutes
  rag ask "why was the trust decommissioned?"
"""

app = typer.Typer(
    name="rag",
    cls=Boundary,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rag {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def rag(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Answer questions only in the words of your documents, and show where they stand."""
    if context.invoked_subcommand is None:
        if chat.at_terminal():
            chat.open_session()
        else:
            typer.echo(context.get_help())


app.command(epilog=index.EPILOG)(index.index)
app.command(epilog=ask.EPILOG)(ask.ask)
app.command(epilog=chat.EPILOG)(chat.chat)
app.command(epilog=search.EPILOG)(search.search)
app.command(epilog=serve.EPILOG)(serve.serve)
app.command(epilog=mcp.EPILOG)(mcp.mcp)
app.command("show", epilog=show.EPILOG)(show.show_document)
app.command(epilog=verify.EPILOG)(verify.verify)
app.command(epilog=check.EPILOG)(check.check)
app.command(epilog=diff.EPILOG)(diff.diff)
app.command(epilog=export.EPILOG)(export.export)
app.command(epilog=info.EPILOG)(info.info)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=bench.EPILOG)(bench.bench)
app.add_typer(eval_app, name="eval", help="Measure answers against questions with known evidence.")


def _prepare(stream: Any) -> None:
    """Never fail on a character that a stream cannot write: show its escape."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line."""
    _prepare(sys.stdout)
    try:
        app(prog_name="rag")
    except KeyboardInterrupt:
        sys.exit(ExitStatus.INTERRUPTED)

"""``rag doctor``: is all well, and what to do where it is not."""

from __future__ import annotations

import typer

from rag.cli.exits import ExitStatus
from rag.cli.options import JsonOption, StoreOption
from rag.output.streams import look, show, show_json

EPILOG = "Example: rag doctor --store papers/store"


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check installation, settings, store and files.

    Every finding that is not well names its remedy.
    """
    from rag.checks.doctor import examine
    from rag.output import reports

    bad = False
    for finding in examine({"store": store}):
        bad = bad or not finding.good
        if as_json:
            show_json(finding.to_json())
        else:
            show(reports.findings([finding], look()))
    raise typer.Exit(ExitStatus.UNHEALTHY if bad else ExitStatus.OK)

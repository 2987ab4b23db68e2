"""``rag doctor``: is all well, and what to do where it is not."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.cli.exits import ExitStatus
from rag.cli.options import JsonOption, StoreOption, resolve
from rag.output.streams import look, show, show_json

EPILOG = "Example: rag doctor --store papers/store"


def doctor(
    store: StoreOption = None,
    as_json: JsonOption = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="First serve the newest generation that is whole, if the one served is not, and clear what "
            "killed runs left behind. Damaged generations are set aside, not deleted.",
        ),
    ] = False,
) -> None:
    """Check installation, settings, store and files.

    Every finding that is not well names its remedy.
    """
    from itertools import chain

    from rag.checks.doctor import examine, mend
    from rag.output import reports

    bad = False
    mended = [mend(resolve(store).settings.store)] if repair else []
    for finding in chain(mended, examine({"store": store})):
        bad = bad or not finding.good
        if as_json:
            show_json(finding.to_json())
        else:
            show(reports.findings([finding], look()))
    raise typer.Exit(ExitStatus.UNHEALTHY if bad else ExitStatus.OK)

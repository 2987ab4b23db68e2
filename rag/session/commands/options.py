"""``:set``: what holds for every question until it is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import UsageError
from rag.output.lines import rows, short_path
from rag.session.filters import checked

if TYPE_CHECKING:
    from rag.session.session import Session

FILTERS = {"after": "after", "before": "before", "in": "inside", "as-of": "as_of"}
NAMES = ("k", *FILTERS, "followups", "questions")
_NONE = ("none", "off", "-")


def _shown(session: Session) -> list[tuple[str, str]]:
    options = session.options
    k = options.k if options.k is not None else session.settings.retrieval.k
    values = {name: getattr(options.filters, field) or "none" for name, field in FILTERS.items()}
    values |= {"k": str(k), "followups": "on" if options.followups else "off"}
    values["questions"] = short_path(str(options.questions), session.screen.look.base)
    return [(name, values[name]) for name in NAMES]


def set_(session: Session, argument: str) -> None:
    """Show the options, or one of them; change one; ``none`` takes a filter away."""
    name, _, value = argument.partition(" ")
    name, value = name.casefold().replace("_", "-"), value.strip()
    if not name:
        session.screen.show(rows(_shown(session), session.screen.look))
        return
    fitting = [known for known in NAMES if known == name] or [k for k in NAMES if k.startswith(name)]
    if len(fitting) != 1:
        raise UsageError(f"there is no option {name!r} to set", f"one of: {', '.join(NAMES)}")
    if value:
        _change(session, fitting[0], value)
    shown = [row for row in _shown(session) if row[0] == fitting[0]]
    session.screen.show(rows(shown, session.screen.look))


def _change(session: Session, name: str, value: str) -> None:
    options = session.options
    if name in FILTERS:
        field = FILTERS[name]
        taken = None if value.casefold() in _NONE else checked(field, value.strip('"'))
        options.filters = replace(options.filters, **{field: taken})
    elif name == "k":
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 1000):
            raise UsageError(f"k: expected a whole number from 1 to 1000, got {value!r}", ":set k 8")
        options.k = int(value)
    elif name == "followups":
        if value.casefold() not in ("on", "off", "yes", "no"):
            raise UsageError(f"followups: expected on or off, got {value!r}", ":set followups off")
        options.followups = value.casefold() in ("on", "yes")
    else:
        options.questions = Path(value).expanduser().absolute()

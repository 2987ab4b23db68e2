"""Filters written inside a question: ``after:2016``, ``before:2017-03``, ``in:*.pdf``, "as of March 2017"."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

from rag.answering.question import as_of_in
from rag.errors import UsageError
from rag.text.dates import checked_date, long_date
from rag.text.english import ENGLISH
from rag.text.language import Language

_WRITTEN = re.compile(r'(?<!\S)(?P<name>after|before|in):(?:"(?P<quoted>[^"]*)"|(?P<plain>\S*))', re.I)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may answer.

    They are dated from ``after`` on, earlier than ``before``, under ``inside``, or as things stood on
    ``as_of``. None: no limit.
    """

    after: str | None = None
    before: str | None = None
    inside: str | None = None
    as_of: str | None = None

    def over(self, general: Filters) -> Filters:
        """These filters, with the general ones where these say nothing.

        >>> Filters(after="2016").over(Filters(after="2010", inside="*.md"))
        Filters(after='2016', before=None, inside='*.md', as_of=None)
        """
        own = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return replace(general, **own)

    def arguments(self) -> dict[str, str | None]:
        """What the assistant takes."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def written(self) -> str:
        """The filters as a person writes them; empty when there are none.

        >>> Filters(after="2016", inside="board minutes.md", as_of="2017-03").written()
        'after:2016 in:"board minutes.md" as of March 2017'
        """
        parts = []
        for name, value in (("after", self.after), ("before", self.before), ("in", self.inside)):
            if value is not None:
                parts.append(f'{name}:"{value}"' if " " in value else f"{name}:{value}")
        if self.as_of is not None:
            parts.append(f"as of {long_date(self.as_of)}")
        return " ".join(parts)


def checked(name: str, value: str) -> str:
    """A filter's value, or UsageError saying what it should be.

    >>> checked("after", "2016-03")
    '2016-03'
    """
    if name in ("after", "before", "as_of"):
        return checked_date(value, name.replace("_", " "))
    if not value:
        raise UsageError("in: expected a path or a pattern", "write in:*.pdf, or in:minutes")
    return value


def read_filters(text: str, language: Language = ENGLISH) -> tuple[str, Filters]:
    """A question without the filters written in it, and the filters; UsageError for one that is none.

    "as of March 2017" stays in the question, which reads on with it.

    >>> read_filters("who led it after:2016 in:*.pdf ?")
    ('who led it ?', Filters(after='2016', before=None, inside='*.pdf', as_of=None))
    >>> read_filters("the rating as of March 2017")[1].as_of
    '2017-03-31'
    """
    given: dict[str, str] = {}
    for match in _WRITTEN.finditer(text):
        name = {"in": "inside"}.get(match["name"].lower(), match["name"].lower())
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        given[name] = checked(name, value.strip() if name == "inside" else value.strip().rstrip("?,;."))
    question = " ".join(_WRITTEN.sub(" ", text).split())
    return question, Filters(**given, as_of=as_of_in(question, language))

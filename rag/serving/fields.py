"""What a request may say, field by field: each is described to others and checked by the same record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# A calendar day needs more than a shape: no 30 February, and 29 February in leap years alone.
_YEAR = r"(?!0000)[0-9]{4}"
_DAYS = (
    r"(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
    r"(0[13-9]|1[0-2])-(29|30)",
    r"(0[13578]|1[02])-31",
)
_LEAP_YEAR = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
DATE = rf"^({_YEAR}(-(0[1-9]|1[0-2]|{'|'.join(_DAYS)}))?|(?!0000){_LEAP_YEAR}-02-29)$"
FILLED = r"[^\s\u001c-\u001f\u0085]"  # one character that is no white space, to Python too
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a request: ``low`` and ``high`` bound a number, or the characters of a text."""

    name: str
    kind: Literal["string", "integer"]
    description: str
    required: bool = False
    low: int = 0
    high: int = 1000
    pattern: str = ""

    def schema(self) -> dict[str, Any]:
        """The field as JSON schema."""
        bounds = ("minLength", "maxLength") if self.kind == "string" else ("minimum", "maximum")
        made = {"type": self.kind, "description": self.description, bounds[0]: self.low, bounds[1]: self.high}
        return made | ({"pattern": self.pattern} if self.pattern else {})

    def fault(self, value: object) -> str | None:
        """What was expected, when the value is not that; None when it is.

        >>> Field("k", "integer", "", low=1, high=9).fault("3")
        'k: expected a whole number from 1 to 9'
        >>> Field("after", "string", "", pattern=DATE).fault("2017-02-29")
        'after: expected 2017, 2017-03 or 2017-03-22'
        """
        if self.kind == "integer":
            if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
                return None
            return f"{self.name}: expected a whole number from {self.low} to {self.high}"
        if not isinstance(value, str) or not self.low <= len(value) <= self.high:
            return f"{self.name}: expected text of {self.low} to {self.high:,} characters"
        if any("\ud800" <= character <= "\udfff" for character in value):
            return f"{self.name}: expected text that UTF-8 can write; it holds half a surrogate pair"
        matches = re.fullmatch if self.pattern.startswith("^") else re.search  # "$" lets a line break by
        if self.pattern and not matches(self.pattern, value):
            what = "2017, 2017-03 or 2017-03-22" if self.pattern == DATE else "more than white space"
            return f"{self.name}: expected {what}"
        return None


def faults(given: Mapping[str, object], fields: Sequence[Field]) -> list[str]:
    """Everything wrong with a request, in sentences; empty when nothing is.

    >>> faults({"questoin": "Who?"}, [Field("question", "string", "", required=True)])
    ['questoin: no such field; there is question', 'question: it is missing']
    """
    known = {field.name: field for field in fields}
    there = ", ".join(known) or "none"
    unknown = [f"{name}: no such field; there is {there}" for name in given if name not in known]
    missing = [
        f"{field.name}: it is missing" for field in fields if field.required and field.name not in given
    ]
    wrong = [known[name].fault(value) for name, value in given.items() if name in known]
    return [*unknown, *missing, *(fault for fault in wrong if fault)]


def from_query(given: Mapping[str, str], fields: Sequence[Field]) -> dict[str, object]:
    """A query's texts as values: what should be a whole number is one where it is written as one.

    >>> from_query({"line": "12", "page": "x"}, [Field("line", "integer", ""), Field("page", "integer", "")])
    {'line': 12, 'page': 'x'}
    """
    whole = {field.name for field in fields if field.kind == "integer"}
    return {
        name: int(text) if name in whole and _WHOLE.fullmatch(text) else text for name, text in given.items()
    }

"""What a quotation counts from the date of its document, for every output that shows it."""

from __future__ import annotations

from rag.text.dates import relative_dates_in


def counted_dates(quote: str, date: str | None) -> dict[str, str]:
    """Words such as "last October", each with the ISO month or year that it comes to from an ISO date.

    >>> counted_dates("It closed last\\nOctober.", "2017-03-22"), counted_dates("It closed last year.", None)
    ({'last October': '2016-10'}, {})
    """
    if date is None:
        return {}
    return {" ".join(quote[start:end].split()): iso for start, end, iso in relative_dates_in(quote, date)}

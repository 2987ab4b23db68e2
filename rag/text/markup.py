"""Which characters of a text are its format's syntax: what a person is not shown.

Markdown and reStructuredText keep their marks in a document's text, since a quotation is byte for byte what
the file says. Titles, headings and quotations on screen are shown without them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

# Every repetition is bounded: text that only looks like syntax must not cost more than its length.
_MAX_SPAN = 400  # characters; no emphasis, link or role that people write is longer
_S = rf"{{1,{_MAX_SPAN}}}"
_FLAGS = re.MULTILINE
# Of each match, all but the group ``kept`` is syntax.
_CODE_SPAN = re.compile(rf"(?<!`)(`{{1,3}})(?!`)(?P<kept>[^`\n]{_S})(?<!`)\1(?!`)")
_LITERAL = re.compile(rf"(?<!`)``(?!`)(?P<kept>[^`\n]{_S})(?<!`)``(?!`)")  # in reStructuredText
_LINES = (
    re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(?P<kept>[^\n]{0,1000}?)(?:[ \t]+#+)?[ \t]*$", _FLAGS),
    re.compile(r"^[ ]{0,3}([=~^\"'*+#`-])\1{2,}[ \t]*$", _FLAGS),  # the line under a heading; a rule
    re.compile(r"(?<![ \t])[ \t]*[¶🔗][ \t]*$", _FLAGS),  # the mark of a link to the heading itself
)
_MARKDOWN = (
    *_LINES,
    re.compile(r"^[ ]{0,3}(?:=+|--)[ \t]*$", _FLAGS),
    re.compile(r"^[ ]{0,3}(?:>[ \t]?){1,20}", _FLAGS),
    re.compile(r"^[ ]{0,3}\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)+\|?[ \t]*$", _FLAGS),  # under a header row
    re.compile(r"^[ ]{0,3}(?:`{3,}|~{3,})[^`\n]{0,100}$", _FLAGS),
    re.compile(r"(?<![ \t])[ \t]*\{#[\w-]{1,100}\}[ \t]*$", _FLAGS),
    re.compile(rf"(?<!\\)(\*\*|__)(?=[^\s*_])(?P<kept>[^\n]{_S}?)(?<=\S)\1"),
    re.compile(rf"(?<![*\\])\*(?=[^\s*])(?P<kept>[^*\n]{_S}?)(?<=[^\s*])\*(?!\*)"),
    re.compile(rf"(?<![\w\\])_(?=[^\s_])(?P<kept>[^_\n]{_S}?)(?<=[^\s_])_(?!\w)"),
    re.compile(
        rf"!?\[(?P<kept>[^\[\]\n]{{0,{_MAX_SPAN}}})\]"
        r"(?:\([^()\s]{0,2000}(?:\s+\"[^\"\n]{0,200}\")?\)|\[[^\[\]\n]{0,100}\])"
    ),
    re.compile(r"\[\^[\w-]{1,40}\]"),
    re.compile(r"<(?P<kept>https?://[^<>\s]{1,2000})>"),
    re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>\n]{0,500})?/?>|<!--[^\n]{0,1000}?-->"),
    re.compile(r"\\(?=[!-/:-@\[-`{-~])"),
)
_PLAIN = (  # of reStructuredText too; much plain text borrows from both
    *_LINES,
    re.compile(rf"(?<![\w*])\*\*(?=[^\s*])(?P<kept>[^*\n]{_S}?)(?<=[^\s*])\*\*(?![\w*])"),
    re.compile(rf"(?<![\w*])\*(?=\w)(?P<kept>[^*\n]{_S}?)(?<=[\w.!?’”])\*(?![\w*])"),
    re.compile(
        rf"(?::[\w.+-]{{1,60}}){{1,2}}:`(?P<kept>[^`<\n]{_S}?)(?:\s*<[^<>`\n]{{1,500}}>)?`"
        rf"|`(?P<kept2>[^`<\n]{_S}?)(?:\s*<[^<>`\n]{{1,500}}>)?`__?(?!\w)"
    ),
    re.compile(r"^\.\. _[^\n:]{1,100}:[ \t]*$", _FLAGS),
)
_ASCIIDOC = (
    re.compile(r"^={1,6}[ ]+(?P<kept>[^\n]{0,1000})$", _FLAGS),
    re.compile(rf"(?<![\w*])\*{{1,2}}(?=[^\s*])(?P<kept>[^*\n]{_S}?)(?<=[^\s*])\*{{1,2}}(?![\w*])"),
    re.compile(rf"(?<![\w_])_{{1,2}}(?=[^\s_])(?P<kept>[^_\n]{_S}?)(?<=[^\s_])_{{1,2}}(?!\w)"),
    re.compile(rf"(?:link:|xref:|https?://)[^\s\[\]]{{1,2000}}\[(?P<kept>[^\[\]\n]{_S})\]"),
    re.compile(rf"<<[^<>,\n]{{1,200}},[ ]?(?P<kept>[^<>\n]{_S})>>"),
)
# For each media type, what keeps its words as they are, and all other syntax.
_SYNTAX = {
    "text/markdown": (_CODE_SPAN, _MARKDOWN),
    "text/plain": (_LITERAL, _PLAIN),
    "text/x-rst": (_LITERAL, _PLAIN),
    "text/asciidoc": (_CODE_SPAN, _ASCIIDOC),
}


def syntax(text: str, media_type: str) -> list[tuple[int, int]]:
    """The ranges of a text that are syntax of its format, in order and apart.

    >>> syntax("a **b**", "text/markdown"), syntax("a **b**", "application/pdf")
    ([(2, 4), (5, 7)], [])
    """
    if media_type not in _SYNTAX:
        return []
    literal, patterns = _SYNTAX[media_type]
    spans = [match.span("kept") for match in literal.finditer(text)]
    hidden = list(_around([literal], text))
    hidden += [(start, end) for start, end in _around(patterns, text) if not _inside(spans, start)]
    return _apart(hidden)


def _around(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            kept = next(
                (
                    match.span(group)
                    for group in ("kept", "kept2")
                    if group in pattern.groupindex and match[group] is not None
                ),
                (match.end(), match.end()),
            )
            for start, end in ((match.start(), kept[0]), (kept[1], match.end())):
                if start < end:
                    yield start, end


def _inside(ranges: Sequence[tuple[int, int]], at: int) -> bool:
    row = bisect_right(ranges, at, key=lambda pair: pair[0]) - 1
    return row >= 0 and at < ranges[row][1]


def _apart(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def without_syntax(
    text: str, media_type: str, marks: Iterable[tuple[int, int]] = ()
) -> tuple[str, list[tuple[int, int]]]:
    """A text as people are shown it, and the ranges ``marks`` of it where they stand then.

    A mark on nothing but syntax is dropped.

    >>> without_syntax("It **was** `x`.", "text/markdown", [(5, 8)])
    ('It was x.', [(3, 6)])
    """
    hidden = syntax(text, media_type)
    if not hidden:
        return text, list(marks)
    parts, at = list[str](), 0
    for start, end in hidden:
        parts.append(text[at:start])
        at = end
    parts.append(text[at:])

    def moved(offset: int) -> int:
        return offset - sum(min(offset, end) - start for start, end in hidden if start < offset)

    places = [(moved(start), moved(end)) for start, end in marks]
    return "".join(parts), [(start, end) for start, end in places if start < end]


def plain_words(text: str, media_type: str) -> str:
    """The words of a heading or title without its format's syntax, with single spaces.

    >>> plain_words("## The **board**  met ##", "text/markdown"), plain_words("API¶", "text/plain")
    ('The board met', 'API')
    """
    return " ".join(without_syntax(text, media_type)[0].split())

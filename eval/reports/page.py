"""The frame of every HTML report: one file, no network, light and dark, narrow and wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --dim: #5d6671; --paper: #fbfaf8; --card: #fff;
    --line: #dcd9d3; --good: #18794e; --bad: #b3261e; --mark: #ffe28a; --gold: #cdeedd; --one: #2458c5;
  --two: #c05a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e4df; --dim: #a09c94; --paper: #16181b; --card:
  #1e2125;
    --line: #363a40; --good: #58c795; --bad: #ff8a80; --mark: #6b5600; --gold: #17472f; --one: #86aaff;
  --two: #ffb066; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.2rem clamp(.8rem, 3vw, 2.4rem) 4rem; background:
  var(--paper);
    color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .2rem 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { margin: .4rem 0; } .dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad);
  }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: .92rem; }
th, td { padding: .22rem .7rem .22rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--dim); font-weight: 600; }
td.words, th.words { white-space: normal; text-align: left; min-width: 14rem; color: var(--dim); }
tr.lead td:first-child { font-weight: 700; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem;
  }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding:
  .7rem; }
figcaption { font-weight: 600; font-size: .92rem; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--dim); font-size: 11px; } .grid { stroke: var(--line); fill: none; stroke-width: .6;
  }
.ideal { stroke: var(--dim); stroke-dasharray: 4 4; fill: none; } .line { fill: none; stroke-width: 2; }
.line.run0 { stroke: var(--one); } .line.run1 { stroke: var(--two); stroke-dasharray: 6 3; }
.dot.run0 { fill: var(--one); } .dot.run1 { fill: var(--two); } .dot { opacity: .8; }
.solid { fill: var(--one); } .pale { fill: var(--one); opacity: .3; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .4rem 0;
  padding: 0 .8rem;
    content-visibility: auto; contain-intrinsic-size: auto 2.6rem; }
summary { cursor: pointer; padding: .45rem 0; } details[open] { padding-bottom: .7rem; }
.tag { font-size: .8rem; border: 1px solid var(--line); border-radius: 99px; padding: .05rem .55rem;
  color: var(--dim);
    margin-left: .4rem; white-space: nowrap; }
.tag.bad { border-color: var(--bad); color: var(--bad); } .tag.good { border-color: var(--good); color:
  var(--good); }
blockquote { margin: .4rem 0; padding: .4rem .8rem; border-left: 3px solid var(--line); white-space:
  pre-wrap; }
blockquote.bad { border-color: var(--bad); } blockquote.good { border-color: var(--good); }
blockquote, h1, h2, p, summary, td { color: var(--ink); } blockquote.bad, blockquote.good { color:
  var(--ink); }
p.dim, td.dim { color: var(--dim); } td.good { color: var(--good); } td.bad { color: var(--bad); }
mark { background: var(--gold); color: inherit; border-radius: 3px; }
mark.word { background: var(--mark); } mark.gold { box-shadow: inset 0 -.16em var(--good); }
.quote { text-decoration: underline; text-decoration-color: var(--dim); text-underline-offset: .2em; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: .3rem
  1.6rem; }
h3 { font-size: .95rem; margin: .6rem 0 .1rem; color: var(--dim); }
#find { font: inherit; width: min(28rem, 100%); padding: .35rem .6rem; color: inherit; background:
  var(--card);
    border: 1px solid var(--line); border-radius: 8px; } [hidden] { display: none; }
@media print { body { max-width: none; } details { break-inside: avoid; } }
"""

FILTER = """
const find = document.getElementById("find");
if (find) { find.hidden = false; find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const row of document.querySelectorAll("details[data-words]"))
    row.hidden = !words.every((word) => row.dataset.words.includes(word));
}); }
"""

SEARCH = (
    '<input id="find" type="search" hidden placeholder="filter: words, a type, a cause, an id" '
    'aria-label="filter the questions">'
)


def page(title: str, body: Iterable[str]) -> str:
    """A whole HTML document; ``body`` is markup already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # The page may load nothing at all, from anywhere.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(body)
        + f"\n<script>{FILTER}</script></body></html>\n"
    )


def grid(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, leads: Iterable[str] = (), words: int | None = None
) -> str:
    """A table of plain texts; rows named in ``leads`` stand out, column ``words`` holds sentences."""
    lead = set(leads)
    heads = ("<th>" if i != words else '<th class="words">' for i in range(len(head)))
    lines = [
        "<tr>" + "".join(f"{tag}{escape(cell)}</th>" for tag, cell in zip(heads, head, strict=True)) + "</tr>"
    ]
    for row in rows:
        cells = "".join(
            f'<td class="words">{escape(cell)}</td>' if i == words else f"<td>{escape(cell)}</td>"
            for i, cell in enumerate(row)
        )
        lines.append(f"<tr{' class=lead' if row[0] in lead else ''}>{cells}</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def figure(caption: str, svg: str) -> str:
    """A plot under its caption."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"


def marked(text: str, ranges: Iterable[tuple[int, int, str]]) -> str:
    """A text with its ranges marked by class; ranges may overlap, and "quote" is a line under the words.

    >>> marked("to be or not", [(3, 5, "gold"), (0, 5, "quote")])
    '<span class="quote">to </span><mark class="gold"><span class="quote">be</span></mark> or not'
    """
    inside = [(max(0, a), min(len(text), b), kind) for a, b, kind in ranges if max(0, a) < min(len(text), b)]
    cuts = sorted({0, len(text), *(a for a, _, _ in inside), *(b for _, b, _ in inside)})
    parts = []
    for start, end in pairwise(cuts):
        kinds = [kind for a, b, kind in inside if a <= start and end <= b]
        words = escape(text[start:end])
        if "quote" in kinds:
            words = f'<span class="quote">{words}</span>'
        marks = sorted(set(kinds) - {"quote"})
        if marks:
            words = f'<mark class="{" ".join(marks)}">{words}</mark>'
        parts.append(words)
    return "".join(parts)

r"""LaTeX: words without commands, and blocks as its sections, lists, tables and quotations mark them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.tex import load_tex
from rag.records import Document

REPORT = r"""% Report of the trust
\documentclass[11pt,a4paper]{report}
\newcommand{\trust}[1]{the #1 trust}
\def\cost#1{\pounds #1}
\title{The \emph{harbour} bridge\thanks{Paid by the county.}}
\author{Ann Lee \and Bo Day}
\date{22 March 2017}
\begin{document}
\maketitle
\tableofcontents
\chapter[Costs]{What it cost}\label{ch:costs}
The bridge cost \textbf{\pounds6.5\,m}, % so far
25\,\% more than planned.\footnote{Net of tax; see \cite[p.~3]{lee2016}.}

Ren\'e \c{C}elik -- its ``engineer'' -- left.
\begin{quote}
Nobody was told.
\end{quote}
\begin{enumerate}
  \item Open it
  \begin{itemize}
    \item by sea
  \end{itemize}
  \item Close it
\end{enumerate}
\begin{description}
\item[Pier] A walk over water.
\end{description}
\begin{table}[htbp]
\caption{Posts by year}
\begin{tabular}{l|r}
\hline
Year & Posts \\
\hline
2016 & 24 \\[2pt]
2017 & \multicolumn{1}{c}{15} \\
\hline
\end{tabular}
\end{table}
\begin{verbatim}
open(%d)
\end{verbatim}
\section{Next}
See \href{http://a.b/%20c}{the plan} and $10^{6}\,\%$.
\begin{comment}
Not this.
\end{comment}
\input{chapters/two}
\end{document}
Nor this.
"""


def blocks(draft: Draft) -> list[tuple[str, str]]:
    return [(block.kind.value, draft.text[block.start : block.end]) for block in draft.blocks]


def test_a_report_is_its_words_and_each_block_is_what_its_commands_say() -> None:
    draft = load_tex(REPORT.encode())
    assert (draft.title, draft.date) == ("The harbour bridge", "2017-03-22")
    assert blocks(draft) == [
        ("title", "The harbour bridge"),
        ("lines", "Ann Lee, Bo Day"),
        ("date", "22 March 2017"),
        ("paragraph", "1 Paid by the county."),
        ("heading", "What it cost"),
        ("paragraph", "The bridge cost £6.5 m, 25 % more than planned."),
        ("paragraph", "2 Net of tax; see [lee2016]."),
        ("paragraph", "René Çelik – its “engineer” – left."),
        ("quotation", "Nobody was told."),
        ("list item", "1. Open it"),
        ("list item", "- by sea"),
        ("list item", "2. Close it"),
        ("term", "Pier"),
        ("definition", "A walk over water."),
        ("caption", "Posts by year"),
        ("table header", "Year | Posts"),
        ("table row", "2016 | 24"),
        ("table row", "2017 | 15"),
        ("code", "open(%d)"),
        ("heading", "Next"),
        ("paragraph", "See the plan and 10^{6} %."),
    ]


def test_the_line_of_a_place_is_that_of_the_source() -> None:
    draft = load_tex(REPORT.encode())
    lines = REPORT.splitlines()
    for words in ("Nobody was told.", "2016 | 24", "See the plan", "What it cost"):
        at = draft.text.index(words)
        place = next(place for place in draft.places if place.start == at)
        assert place.line is not None
        assert words.split()[0] in lines[place.line - 1]


def test_no_file_is_taken_in_and_each_is_named() -> None:
    draft = load_tex(b"Text.\n\\input{/etc/passwd}\n\\include{chapters/two}\n")
    assert draft.text == "Text."
    assert draft.notes == (
        "files that it takes in are read only where they are indexed: /etc/passwd, chapters/two",
    )


def test_a_chapter_without_a_preamble_is_text_from_its_first_line() -> None:
    draft = load_tex(b"\\section{One}\nText of one.\n\n\\subsection{Two}\nText of two.\n")
    assert [(block.level, draft.text[block.start : block.end]) for block in draft.blocks] == [
        (3, "One"),
        (0, "Text of one."),
        (4, "Two"),
        (0, "Text of two."),
    ]
    assert draft.title == "One"


def test_a_comment_is_left_out_and_an_escaped_percent_sign_is_none() -> None:
    assert load_tex(b"Up 5\\% % or 6\nin May.\n% all of this\n").text == "Up 5% in May."


def test_accents_in_every_spelling_are_letters() -> None:
    words = (
        rb"""Caf\'e caf\'{e} na{\"\i}ve \~nandu fa\c cade \v{S}koda \r aland \o re stra\ss e \L{}\'od\'z"""
    )
    assert load_tex(words).text == "Café café naïve ñandu façade Škoda åland øre straße Łódź"


def test_what_defines_commands_says_nothing() -> None:
    head = rb"\newcommand{\a}[2][x]{one #1} \renewcommand\b[1]{two} \def\c#1#2{three} \let\d=\e "
    head += rb"\newenvironment{f}[1]{\begin{quote}four}{\end{quote}} \DeclareMathOperator{\g}{five} "
    assert load_tex(head + b"Words.").text == "Words."


def test_a_formula_on_lines_of_its_own_is_no_sentence() -> None:
    draft = load_tex(b"So it is.\n\\begin{equation}\nE = mc^2\n\\end{equation}\nIt goes on \\[ a \\] so.\n")
    assert [words for kind, words in blocks(draft) if kind == "code"] == ["E = mc^2", "a"]


@pytest.mark.parametrize("source", ["\\label{a}", "% only a comment", "{{{", "\\begin{document}"])
def test_a_file_without_words_is_refused(source: str) -> None:
    with pytest.raises(UnreadableError, match="no text in it"):
        load_tex(source.encode())


COMMANDS = (
    "\\begin{itemize} \\end{itemize} \\begin{tabular}{l} \\end{tabular} \\begin{quote} \\end{quote} \\item"
    " \\item[x] \\section \\footnote \\caption \\verb|a| \\[ \\] \\( \\) $ $$ & \\\\ { } [ ] % \\' \\cite"
    " \\title \\hline \\par \\begin{verbatim} \\end{verbatim} \\newcommand \\def \\x #1 \\begin{document}"
    " \\end{document} word \\ ~"
).split(" ")


@given(st.lists(st.sampled_from([*COMMANDS, "\n", "\n\n", " "])))
def test_any_commands_give_blocks_in_order_with_every_word_in_one(parts: list[str]) -> None:
    try:
        draft = load_tex("".join(["first ", *parts]).encode())
    except UnreadableError:
        return
    made = Document("d", "/d.tex", "0", draft.media_type, draft.text, draft.title, blocks=draft.blocks)
    assert [place.start for place in draft.places] == sorted(place.start for place in draft.places)
    lines = [place.line or 0 for place in draft.places]
    assert all(line > 0 for line in lines)
    left = list(made.text)
    for block in made.blocks:
        left[block.start : block.end] = " " * (block.end - block.start)
    assert not any(map(str.isalnum, left))
    assert all(a.end <= b.start for a, b in pairwise(made.blocks))

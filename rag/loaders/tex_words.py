"""The commands of LaTeX by what they are: headings, lists, signs, and what holds no words."""

from __future__ import annotations

import re

LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6}
LEVELS |= {"subparagraph": 7, "frametitle": 4, "framesubtitle": 5}
NOTES = {"footnote", "footnotetext", "thanks", "marginpar", "endnote", "sidenote"}
DEFINES = {"newcommand", "renewcommand", "providecommand", "DeclareMathOperator", "def", "gdef", "edef"}
# How many arguments of a command hold no words; those after them are read.
UNREAD = {
    **dict.fromkeys(
        "label index usepackage RequirePackage documentclass bibliographystyle bibliography"
        " pagestyle thispagestyle pagenumbering includegraphics vspace hspace vskip hskip color pagecolor"
        " textcolor colorbox hypersetup phantom hphantom vphantom todo nocite geometry graphicspath parbox"
        " raisebox hyperlink hypertarget cline cmidrule selectlanguage usetheme hyphenation lstset newlength"
        " newcounter refstepcounter stepcounter enlargethispage addbibresource includeonly"
        " captionsetup theoremstyle titleformat setmainfont sisetup tikzset".split(),
        1,
    ),
    **dict.fromkeys(
        "setlength addtolength setcounter addtocounter rule newtheorem fontsize resizebox markboth"
        " multicolumn multirow fcolorbox definecolor lstinputlisting titlespacing settowidth".split(),
        2,
    ),
    "addcontentsline": 3,
    "newenvironment": 3,
    "renewenvironment": 3,
}
CITES = re.compile(r"(?:[a-zA-Z]?cite[a-zA-Z]*|(?:eq|page|auto|name|[cC])?ref)")
LISTS = {"itemize", "enumerate", "description"}
TABLES = {
    "tabular": 1,
    "tabular*": 2,
    "tabularx": 2,
    "tabulary": 2,
    "longtable": 1,
    "supertabular": 1,
    "tblr": 1,
}
QUOTES = {"quote", "quotation", "verse", "displayquote"}
RAW = {"verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "alltt"}
MATH = {"equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "flalign", "alignat"}
MATH |= {f"{name}*" for name in MATH}
NO_WORDS = {"comment", "tikzpicture", "pgfpicture", "picture", "filecontents", "filecontents*"}
ARGUMENTS = {
    "minipage": 1,
    "multicols": 1,
    "thebibliography": 1,
    "wrapfigure": 2,
    "adjustbox": 1,
    "spacing": 1,
}
WITH_OPTION = {
    "figure",
    "figure*",
    "table",
    "table*",
    *LISTS,
    *TABLES,
    *ARGUMENTS,
    *RAW,
    "frame",
    "document",
}
RULES = {"hline", "toprule", "midrule", "bottomrule", "endhead", "endfirsthead"}
ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}
SIGNS = {"ss": "ß", "ae": "æ", "oe": "œ", "o": "ø", "l": "ł", "aa": "å", "i": "ı", "j": "ȷ"} | {
    "AE": "Æ",
    "OE": "Œ",
    "O": "Ø",
    "L": "Ł",
    "AA": "Å",
    "ldots": "…",
    "dots": "…",
    "textellipsis": "…",
    "pounds": "£",
    "textsterling": "£",
    "euro": "€",
    "EUR": "€",
    "texteuro": "€",
    "S": "§",
    "P": "¶",
    "copyright": "©",
    "textdegree": "°",
    "textendash": "–",
    "textemdash": "—",
    "textquoteleft": "‘",
    "textquoteright": "’",
    "textquotedblleft": "“",
    "textquotedblright": "”",
    "textbullet": "•",
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textunderscore": "_",
    "textbar": "|",
    "LaTeX": "LaTeX",
    "TeX": "TeX",
    "newline": " ",
    "quad": " ",
    "qquad": " ",
    "and": ", ",
}
MATH_SIGNS = {
    "times": "×",
    "pm": "±",
    "le": "≤",
    "leq": "≤",
    "ge": "≥",
    "geq": "≥",
    "approx": "≈",
    "cdot": "·",
}
LIGATURES = (("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"), ("`", "‘"), ("'", "’"))

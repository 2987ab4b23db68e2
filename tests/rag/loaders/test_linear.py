"""Loading and splitting take time in proportion to a text's length, whatever shape it has."""

from __future__ import annotations

import gc
import os
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rag.loaders import LOADERS, find_files
from rag.loaders.draft import UnreadableError
from rag.passages import split
from rag.records import Document
from rag.settings import PassageSettings

MOST = 2.6  # times as long for twice as much; 2 is linear, 4 quadratic, and the rest is for noise
TRIES = 2
ROUNDS = 4  # a busy machine spoils a measurement or two; what is quadratic fails them all
DEEP = 1_900  # folders in one another
LEAST_SECONDS = 0.02  # below it a clock tells little
PROSE = "Caseloads fell in March, Mr. Hebden said, and “nobody was told.” The board met on 3 May 2019. "


def page(body: str) -> bytes:
    return f"<html><body><article><p>{PROSE * 3}</p>{body}</article></body></html>".encode()


# For each shape, a file of it that is ``n`` times as long as the shortest.
SHAPES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "one paragraph": (".txt", lambda n: (PROSE * 500 * n).encode()),
    "many paragraphs": (".txt", lambda n: ((PROSE * 3 + "\n\n") * 400 * n).encode()),
    "many short lines": (".txt", lambda n: ("one two\n" * 3000 * n).encode()),
    "many items": (".txt", lambda n: ("We will:\n\n" + "- come and see\n" * 1000 * n).encode()),
    "many headings": (".txt", lambda n: ("Next steps\n\nOne two three.\n\n" * 500 * n).encode()),
    "one word": (".txt", lambda n: b"x" * (2_000_000 * n)),
    "spaces in a line": (".txt", lambda n: ("One. " + " " * 200_000 * n + "Two. ").encode() * 3),
    "stops and quotes": (".txt", lambda n: ('."' * 6000 * n).encode()),
    "one Markdown paragraph": (".md", lambda n: (PROSE * 500 * n).encode()),
    "Markdown sections": (".md", lambda n: (f"# H *a*\n\n{PROSE}\n\n" * 300 * n).encode()),
    "Markdown fences": (".md", lambda n: ("x\n" + "```\n" * 5000 * n).encode()),
    "Markdown marks": (".md", lambda n: ("# " + "**a [" * 2000 * n).encode()),
    "Markdown table": (".md", lambda n: ("|a|b|\n|-|-|\n" + "|1|2|\n" * 1000 * n).encode()),
    "front matter": (".md", lambda n: ("---\na: b" + " " * 500_000 * n + "x\n---\nwords\n").encode()),
    "one paragraph of a page": (".html", lambda n: page(f"<p>{PROSE * 300 * n}</p>")),
    "paragraphs of a page": (".html", lambda n: page("".join(f"<p>{i} {PROSE}</p>" for i in range(200 * n)))),
    "spans of a page": (".html", lambda n: page(f"<p>{'<span>a b</span> ' * 3000 * n}</p>")),
    "items of a page": (".html", lambda n: page(f"<ul>{'<li>come and see</li>' * 400 * n}</ul>")),
    "rows of a page": (".html", lambda n: page(f"<table>{'<tr><td>a<td>1</tr>' * 200 * n}</table>")),
}


def seconds(suffix: str, data: bytes) -> float:
    """The processor time of reading and splitting, the best of several."""
    times = []
    for _ in range(TRIES):
        gc.collect()
        gc.disable()  # its turns come by the number of objects, and not in proportion to it
        try:
            began = time.process_time()
            draft = LOADERS[suffix](data)
            made = Document("d", "/d", "0", draft.media_type, draft.text, draft.title, blocks=draft.blocks)
            split(made, PassageSettings())
            times.append(time.process_time() - began)
        finally:
            gc.enable()
    return min(times)


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_much_text_takes_about_twice_as_long(shape: str) -> None:
    suffix, made = SHAPES[shape]
    seconds(suffix, made(1))  # what is imported and compiled once is no part of it
    seen = []
    for _ in range(ROUNDS):
        times = [seconds(suffix, made(n)) for n in (1, 2, 4)]
        seen.append([after / before for before, after in pairwise(times) if after > LEAST_SECONDS])
        if all(ratio <= MOST for ratio in seen[-1]):
            return
    raise AssertionError(f"times as long for twice as much: {seen}")


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("<p " + " ".join(f"a{n}=1" for n in range(500_000)) + ">x</p>", "more than 1,000 attributes"),
        ("<nav>" * 300 + PROSE + "</nav>" * 300, "more than 250 deep"),
    ],
)
def test_a_page_the_parser_cannot_take_in_time_is_refused(markup: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        LOADERS[".html"](page(markup))


def test_a_long_value_of_an_attribute_is_no_reason_to_refuse_a_page() -> None:
    picture = f'<img src="data:image/png;base64,{"A B " * 50_000}">'
    assert PROSE.strip() in LOADERS[".html"](page(picture)).text


def test_a_run_of_text_longer_than_the_parser_takes_is_read_whole() -> None:
    words = [f"word{number}" for number in range(1_100_000)]
    draft = LOADERS[".html"](page(f"<p>{' '.join(words)}</p>"))
    assert [word for word in draft.text.split() if word.startswith("word")] == words


@pytest.mark.parametrize("name", ["undefined", "base64", "idna", "no-such"])
def test_a_page_that_declares_what_is_no_encoding_is_read_by_guess(name: str) -> None:
    data = f"<meta charset={name}><p>The café’s price is £5 a cup. {PROSE}</p>".encode("cp1252")
    assert "café’s price" in LOADERS[".html"](data).text


def test_a_folder_is_walked_however_deep_it_is(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    try:
        files, problems = find_files([tmp_path])
    finally:  # Python's own way to remove a folder goes as deep as its stack, and no further
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert ([file.name for file in files], problems) == (["a.txt"], [])

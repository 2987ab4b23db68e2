"""Files into documents: what is kept, what is dropped, where words stand, and why a file is refused."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import REAL, needs_real

from rag.errors import LoadError
from rag.loaders import LOADERS, UnsupportedFileError, find_files, load
from rag.loaders.markdown import load_markdown
from rag.loaders.plain import decode, load_text
from rag.records import Block, BlockKind

FIXTURES = Path(__file__).parents[2] / "fixtures"


def written(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(LoadError) as caught:
        load(path, **options)
    assert caught.value.path == str(path)
    return caught.value.reason


def headings(text: str, blocks: Sequence[Block]) -> list[tuple[str, int]]:
    kinds = {BlockKind.TITLE, BlockKind.HEADING}
    return [(text[block.start : block.end], block.level) for block in blocks if block.kind in kinds]


# -- text


def test_the_text_is_the_file_and_the_hash_is_of_its_bytes(tmp_path: Path) -> None:
    data = "\ufeffOne £\r\n\r\ntwo\rthree\u2028four\n".encode()
    document = load(written(tmp_path, "a.txt", data))
    assert document.text == "One £\r\n\r\ntwo\rthree\u2028four\n"
    assert (document.sha256, document.encoding) == (hashlib.sha256(data).hexdigest(), "utf-8")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")))
def test_utf8_is_read_back_exactly(text: str) -> None:
    assert load_text(text.encode()).text == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_byte_order_mark_decides(encoding: str) -> None:
    assert decode("“Quoted” £6.5m".encode(encoding))[0] == "“Quoted” £6.5m"


def test_another_encoding_is_guessed_and_said(tmp_path: Path) -> None:
    text = "The “trust” paid £6.5m – the inspector’s words – for the children’s café in Doncaster.\n" * 5
    document = load(written(tmp_path, "not_utf8.txt", text.encode("cp1252")))
    assert "£6.5m – the inspector’s" in document.text
    assert document.encoding in {"cp1252", "cp1250", "cp1254"}
    assert document.notes == (f"decoded as {document.encoding}, a guess: it is not UTF-8",)


def test_markdown_headings_are_found_and_those_in_code_are_not() -> None:
    text = "# One\n\ntext\n\n```\n# no\n```\n\nTwo\n===\n\n- item\n---\n\n### Three ###\n#none\n"
    draft = load_markdown(text.encode())
    assert headings(draft.text, draft.blocks) == [("# One", 1), ("Two\n===", 1), ("### Three ###", 3)]


def test_front_matter_gives_title_and_date() -> None:
    draft = load_markdown(b'---\ntitle: "The bridge"\ndate: 2021-05-04\n---\n# Other\n\n6 June 2022\n')
    assert (draft.title, draft.date) == ("The bridge", "2021-05-04")


# -- title and date


@pytest.mark.parametrize(
    ("text", "title", "date"),
    [
        ("Trust praised\n\nBy Joe Lepper\n\n| 22 March 2017\n\nIt was.", "Trust praised", "2017-03-22"),
        ("Trust rated\n\nNeil Puffett\nFriday, November 27, 2015\n\nIt was.", "Trust rated", "2015-11-27"),
        ("Trust opens\n\nBy Laura Benson / 3 October 2014\n\nIt did.", "Trust opens", "2014-10-03"),
        (
            "ECHO\n2019-06-03\n\nContractor leaves the scheme\n\nIt was so.",
            "Contractor leaves the scheme",
            "2019-06-03",
        ),
        (
            "PRESS RELEASE\n\nThe Trust\nFor release: 6 June 2018\n\nHomes sought\n\nIt is.",
            "Homes sought",
            "2018-06-06",
        ),
        (
            "3 May 2019\n\nMr A Lee\nQuay\n\nDear Mr Lee\n\nThe lights\n\nThey are out.",
            "The lights",
            "2019-05-03",
        ),
        ("3 May 2019\n\nDear Mr Lee\n\nThey are out and have been.", None, "2019-05-03"),
        ("The council said on 4 May 2021 that it had decided to close the bridge for a year.", None, None),
        ("Notes\n\nPublished 4 May 2021. Last revised 6 June 2022.\n\nText.", "Notes", "2021-05-04"),
        ("Notes\n\nLast revised 6 June 2022.\n\nText.", "Notes", "2022-06-06"),
        ("Notes\n\nLast revised in June 2022.\n\nText.", "Notes", None),
        ("Annual review\n\nMarch 2017\n\nText of it.", "Annual review", "2017-03"),
        ("March 2017\n\nAnnual review\n\nText of it.", "Annual review", "2017-03"),
        ("Notes\n\nPublished: Sept. 2018\n\nText.", "Notes", "2018-09"),
        ("Review\n\nMarch 2017\n\nPublished 3 May 2017\n\nText.", "Review", "2017-05-03"),
        ("The fire of March 2017\n\nText of it stands here.", "The fire of March 2017", None),
        (
            "Minutes of the meeting held on 26 April 2016\n\nThere were.",
            "Minutes of the meeting held on 26 April 2016",
            "2016-04-26",
        ),
        (
            "From: Ann Lee\nDate: 3 May 2019\nSubject: The lights\n\nDear Bo,\n\nOut.",
            "The lights",
            "2019-05-03",
        ),
        (
            "Echo > News > Harbour\n\nLights go out\n28 Dec 2015\n\nThey are out.",
            "Lights go out",
            "2015-12-28",
        ),
        ("", None, None),
    ],
)
def test_opening_lines_give_title_and_date(text: str, title: str | None, date: str | None) -> None:
    draft = load_text(text.encode())
    assert (draft.title, draft.date) == (title, date)


def test_a_version_is_no_date_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    items = "".join(f"<li><a href='c{n}.html'>22.{n} Version 3.5.{n}</a></li>" for n in range(1, 14))
    body = "<p>This manual describes the policy requirements for the distribution, and how it is made.</p>"
    path.write_text(f"<html><head><title>Manual</title></head><body><h1>Manual</h1>{body}<ul>{items}</ul>")
    assert load(path).date is None


@needs_real
def test_the_real_documents_have_these_titles_and_dates() -> None:
    found = {path.name: (load(path).title, load(path).date) for path in sorted(REAL.iterdir())}
    assert found == {
        "2015-11-27-rated-inadequate-news.txt": (
            "Ofsted rates government-imposed children's services trust 'inadequate'",
            "2015-11-27",
        ),
        "2017-03-22-monitoring-visit-news.txt": (
            "Ofsted praises 'continuing progress' at Doncaster's independent trust",
            "2017-03-22",
        ),
        "council-ilacs-good.txt": (None, None),
        "monitoring-visit-letter.txt": (
            "Monitoring visit: Children's services provided by Doncaster metropolitan borough council (DMBC) "
            "and Doncaster children's services Trust (DCST)",
            "2017-03-22",
        ),
        "ratings-jump-news.txt": ("Chief: trust model enabled rare jump in Ofsted ratings", None),
    }


# -- web pages


def test_a_page_keeps_its_article_and_drops_the_site() -> None:
    document = load(FIXTURES / "page.html")
    assert document.text == (
        "Bridge opens at last\n\n"
        "The harbour bridge opened yesterday, two years late. About 900 people walked over it in the first "
        "hour, and a brass band played on the south bank until it rained.\n\n"
        "What it cost\n\n"
        "The bridge cost £7.5m, a million more than the port board had set aside for it in 2021.\n\n"
        "- The county paid half.\n- The port paid the rest.\n\n"
        "Year | Spent\n2021 | £6.5m\n2023 | £7.5m\n\n"
        "Ferries will stop at the end of the month, the board said, because few people would use them now."
    )
    assert (document.title, document.date) == ("Bridge opens at last", "2023-06-14")
    assert headings(document.text, document.blocks) == [("Bridge opens at last", 1), ("What it cost", 2)]


def test_a_place_in_a_page_is_its_source_line() -> None:
    document = load(FIXTURES / "page.html")
    source = (FIXTURES / "page.html").read_text().splitlines()
    lines = {document.text[place.start :][:12]: source[(place.line or 0) - 1] for place in document.places}
    assert "<h1>" in lines["Bridge opens"]
    assert "&pound;7.5m" in lines["The bridge c"]
    assert "<td>2023</td>" in lines["2023 | £7.5m"]


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    page = '<html><head><meta charset="iso-8859-1"></head><body><p>The café’s price is £5 a cup.</p></body>'
    document = load(written(tmp_path, "a.html", page.encode("cp1252")))
    assert "café’s price is £5" in document.text
    assert document.encoding == "cp1252"


@pytest.mark.parametrize("page", ["<html></html>", "<script>x</script>", "   ", "<!-- -->", "<<<>>>"])
def test_a_page_without_words_is_refused(tmp_path: Path, page: str) -> None:
    assert refusal(written(tmp_path, "empty.html", page)) in {
        "no readable text in this page",
        "no text in it",
    }


@settings(deadline=None)  # every format has a library to import
@given(st.binary(max_size=200))
def test_nothing_but_a_load_error_comes_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for suffix in LOADERS:
        path = written(folder, f"any{suffix}", data)
        with contextlib.suppress(LoadError):
            assert load(path).text


def test_a_page_in_utf16_is_read(tmp_path: Path) -> None:
    page = "<html><head><meta charset='utf-8'></head><body><p>The café’s price is £5 a cup.</p></body></html>"
    assert "café’s price" in load(written(tmp_path, "a.html", page.encode("utf-16"))).text
    assert refusal(written(tmp_path, "binary.html", b"<p>words\0\0</p>")) == "binary content"


# -- files that cannot be read


def test_a_refused_file_is_told_why(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, "empty.txt", b"")) == "empty"
    assert refusal(written(tmp_path, "blank.txt", b" \n\n")) == "no text in it"
    assert refusal(written(tmp_path, "binary.txt", b"\x7fELF\0\0\1")) == "binary content"
    assert refusal(written(tmp_path, "large.txt", b"x" * 3_000_000), max_bytes=2_000_000).startswith(
        "too large: 3 MB"
    )
    assert refusal(tmp_path / "missing.txt") == "there is no such file or folder"
    assert refusal(written(tmp_path, "not_a_pdf.pdf", b"hello")) == "not a PDF file, whatever its name says"
    assert refusal(written(tmp_path, "truncated.docx", b"PK\3\4abc")) == "not a Word file, or a truncated one"
    assert refusal(written(tmp_path, "encrypted.docx", b"\xd0\xcf\x11\xe0" + b"x" * 600)).startswith(
        "encrypted"
    )
    assert refusal(written(tmp_path, "a.xyz", b"hello")) == "unsupported kind of file (.xyz)"


def test_a_folder_a_pipe_and_a_socket_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    assert refusal(tmp_path / "folder.txt") == "a folder, not a file"
    os.mkfifo(tmp_path / "pipe.txt")
    assert refusal(tmp_path / "pipe.txt") == "a named pipe, not a file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.txt"))
        assert refusal(tmp_path / "s.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "secret.txt", "words")
    path.chmod(0)
    assert refusal(path) == "no permission to read it"


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop.txt"
    loop.symlink_to(loop)
    assert refusal(loop) == "a link loop: it leads back to itself"


# -- finding files


def test_files_are_found_sorted_and_the_rest_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    names = ["b/two.md", "a.txt", "c.PDF", "b/x.py", ".hidden.txt", "b/none"]
    for name in names:
        written(tmp_path, name, "x")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "again").symlink_to(tmp_path / "b")
    files, problems = find_files([tmp_path, tmp_path / "a.txt", tmp_path / "missing"])
    assert [str(path.relative_to(tmp_path)) for path in files] == ["a.txt", "b/two.md", "c.PDF"]
    kept = [problem for problem in problems if not isinstance(problem, UnsupportedFileError)]
    assert [(Path(problem.path).name, problem.reason) for problem in kept] == [
        ("up", "a link loop: it leads back to a folder above it"),
        ("gone.txt", "a link that leads nowhere"),
        ("missing", "there is no such file or folder"),
    ]
    assert sorted(Path(p.path).name for p in problems if isinstance(p, UnsupportedFileError)) == [
        "none",
        "x.py",
    ]


def test_a_named_file_is_taken_even_when_hidden(tmp_path: Path) -> None:
    path = written(tmp_path, ".notes.txt", "x")
    assert find_files([path]) == ([path], [])


def test_a_path_that_cannot_be_is_a_problem() -> None:
    files, problems = find_files([Path("bad\0name.txt"), Path("x" * 5000)])
    assert files == []
    assert len(problems) == 2

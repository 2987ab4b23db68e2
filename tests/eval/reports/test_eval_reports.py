"""What is shown: the screen, the pages (in a real browser where there is one), and the explanation."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from eval.reports import compare_html, html
from eval.reports.compare import compare
from eval.reports.explain import explain, lines
from eval.reports.tables import plain, show
from eval.runs import open_run
from eval.scoring.saved import finish, load_scores
from rag.output.pages import source_hash

VOID = {"meta", "input", "br", "link"}


class Strict(HTMLParser):
    """Checks that every element that opens closes, in order, and remembers what refers elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.refers: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.refers += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: str) -> Strict:
    parser = Strict()
    parser.feed(page)
    assert parser.open == []
    return parser


def make_page(folder: Path) -> str:
    run = open_run(folder)
    return html.render(run, *finish(run))


def make_versus(a: Path, b: Path) -> str:
    runs = (open_run(a), open_run(b))
    scores = [finish(run)[0] for run in runs]
    found = compare(scores[0], scores[1], load_scores(a)[1], load_scores(b)[1])
    return compare_html.render(runs[0], scores[0], runs[1], scores[1], found)


def test_the_page_parses_and_refers_to_nothing_outside(make_run: Callable[..., Path]) -> None:
    page = make_page(make_run("one"))
    assert parsed(page).refers == []
    assert not re.search(r"https?:|url\(|@import|//\w+\.\w", page)
    assert "default-src 'none'" in page


def test_the_page_shows_every_question_failures_first(make_run: Callable[..., Path]) -> None:
    folder = make_run("one")
    page = make_page(folder)
    scores, causes = load_scores(folder)
    ids = re.findall(r'<details data-words="[^"]*" id="([^"]+)"', page)
    assert sorted(ids) == sorted(scores)
    failed = [causes[i] is not None for i in ids]
    assert failed == [True] * failed.count(True) + [False] * failed.count(False)
    assert set(failed) == {True, False}
    assert "not in the split corpus" in page
    assert '<mark class="gold word"><span class="quote">May</span></mark>' in page


def test_the_page_says_what_it_leaves_out(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run("one"))
    page = html.render(run, *finish(run), most_rows=2)
    assert page.count("<details") == 2
    assert "5 more questions are in rows.jsonl" in page


def test_words_of_documents_cannot_become_markup(
    make_run: Callable[..., Path], corpus: Path, questions_file: Path
) -> None:
    path = corpus / "2016-05-01-minutes.txt"
    evil = "</blockquote><script>alert(1)</script><b>&amp;"
    path.write_text(path.read_text().replace("Ann Carver resigned", f"{evil} Ann Carver resigned"))
    questions_file.write_text(questions_file.read_text().replace("chess cup", "chess <img src=x> cup"))
    page = make_page(make_run("evil"))
    assert "<script>alert" not in page
    assert "<img" not in page
    parsed(page)


def test_two_runs_stand_side_by_side_flips_first(make_run: Callable[..., Path]) -> None:
    a, b = make_run("good"), make_run("bad", threshold=0.99)
    page = make_versus(a, b)
    assert parsed(page).refers == []
    assert page.index("Went wrong") < page.index("What changed") < page.index("Plots")
    assert page.count("<h3>A</h3>") == page.count("<h3>B</h3>") > 0


def test_the_screen_shows_figures_causes_and_power(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run("one"))
    out = io.StringIO()
    show(run, finish(run)[1], Console(file=out, width=160))
    told = out.getvalue()
    for words in (
        "7 questions",
        "hit@5",
        "by type",
        "off_subject",
        "gold doubtful",
        "AUROC",
        "With 6 answerable",
    ):
        assert words in told


def test_nothing_from_a_document_can_steer_the_terminal() -> None:
    assert plain("a\x1b]0;x\x07 b\u202e\x9b31m\nc") == "a]0;x b31m c"


def test_an_explanation_sets_the_gold_passage_beside_the_winner(
    make_run: Callable[..., Path], corpus: Path
) -> None:
    from small import SmallAssistant

    run = open_run(make_run("strict", threshold=0.99))
    found = explain(run, "q5", search=SmallAssistant(corpus).search)
    assert found.gold is not None
    assert found.winner is not None
    assert found.failure is not None
    assert str(found.failure.cause) == "wrong abstention"
    told = "\n".join(lines(found))
    assert "as typed: and when was that resignation of hers" in told
    assert "words rank" in told
    assert "gold: May 2016" in told


def test_a_word_that_would_have_found_the_passage_is_tried(
    make_run: Callable[..., Path], corpus: Path
) -> None:
    from small import SmallAssistant

    run = open_run(make_run("strict", threshold=0.99))
    found = explain(run, "q3", search=SmallAssistant(corpus).search)
    assert all(finder.place for finder in found.finders)
    assert all(finder.word not in found.row["asked"].lower().split() for finder in found.finders)


def test_explaining_an_unknown_question_is_refused(make_run: Callable[..., Path]) -> None:
    from rag.errors import UsageError

    with pytest.raises(UsageError, match="no question"):
        explain(open_run(make_run("one")), "q99")


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    return found


def browse(*options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options],
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (400, False), (400, True)])
def test_a_browser_draws_the_page_light_and_dark_wide_and_narrow(
    make_run: Callable[..., Path], tmp_path: Path, width: int, dark: bool
) -> None:
    folder = make_run("seen")
    page = tmp_path / "page.html"
    page.write_text(make_page(folder), encoding="utf-8")
    shot = tmp_path / "shot.png"
    scheme = (
        ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
    )
    browse(*scheme, f"--window-size={width},900", f"--screenshot={shot}", page.as_uri())
    data = shot.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 10_000  # an empty page is under 5 KB
    corner = first_pixel(data)
    assert (sum(corner) < 200) == dark


def first_pixel(data: bytes) -> tuple[int, int, int]:
    """The colour of a PNG's upper left pixel: on the first line every filter predicts it from nothing."""
    import struct
    import zlib

    place, packed = 8, b""
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + size]
        place += size + 12
    raw = zlib.decompress(packed)
    return raw[1], raw[2], raw[3]


def with_probe(page: str, script: str) -> str:
    """The page with a script at its end that its policy is told of, as it is of the page's own."""
    allowed = page.replace("script-src ", f"script-src '{source_hash(script)}' ")
    return allowed.replace("</body>", f"<script>{script}</script></body>")


def test_a_narrow_page_does_not_scroll_sideways_and_the_filter_works(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    probe = (
        "find.value = 'chess'; find.dispatchEvent(new Event('input'));"
        "const shown = [...document.querySelectorAll('details')].filter((d) => !d.hidden).length;"
        "const fits = document.documentElement.scrollWidth <= innerWidth;"
        "document.title = [fits, shown].join(' ');"
    )
    path = tmp_path / "page.html"
    path.write_text(with_probe(make_page(make_run("narrow")), probe), encoding="utf-8")
    dom = browse("--window-size=500,900", "--dump-dom", path.as_uri()).stdout.decode()
    assert "<title>true 1</title>" in dom


def test_a_browser_runs_no_script_but_the_page_s_own(make_run: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    page = make_page(make_run("strange"))
    path.write_text(page.replace("</body>", "<script>document.title = 'mine';</script></body>"), "utf-8")
    assert "<title>mine</title>" not in browse("--dump-dom", path.as_uri()).stdout.decode()
    path.write_text(with_probe(page, "document.title = 'mine';"), "utf-8")
    assert "<title>mine</title>" in browse("--dump-dom", path.as_uri()).stdout.decode()


def test_a_page_of_500_questions_opens_within_a_second(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    folder = make_run("big")
    big = tmp_path / "big500"
    shutil.copytree(folder, big)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    asked = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    many = [(i, rows[i % 7], asked[i % 7]) for i in range(500)]
    (big / "rows.jsonl").write_text("".join(json.dumps({**r, "id": f"q{i}x"}) + "\n" for i, r, _ in many))
    (big / "questions.jsonl").write_text(
        "".join(json.dumps({**q, "id": f"q{i}x"}) + "\n" for i, _, q in many)
    )
    page = make_page(big)
    assert page.count("<details") == 500
    path = tmp_path / "page.html"
    path.write_text(with_probe(page, "document.title = performance.now();"), encoding="utf-8")
    best = 9e9
    for _ in range(3):
        dom = browse("--dump-dom", path.as_uri()).stdout.decode()
        match = re.search(r"<title>([\d.]+)</title>", dom)
        assert match
        best = min(best, float(match.group(1)))
        time.sleep(0.1)
    assert best < 1000, f"parsed after {best:.0f} ms"

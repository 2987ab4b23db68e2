"""The page to read in, in a real browser: it shows what an answer says, obeys the keyboard, and does no more.

The documents are hostile: their names, titles, headings and words hold markup, script and marks that turn the
direction of reading.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import Browser, chromium
from served import Served, serving

from rag.indexing import index
from rag.settings import Settings

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
FILES = {
    "letter.txt": "14 July 2017\n\nPeer review of plans\n\nThe panel was chaired by Alan Crossfield, "
    "an officer of the county council. It read forty plans in two days.\n\n"
    "The panel asked for plans of no more than four pages.\n",
    f"{SCRIPT.replace('/', '')}.txt": f"3 May 2019\n\nThe {SCRIPT} bridge\n\n"
    f"The 🌉 bridge on Canal Street {SCRIPT} was closed by Mary \u202eOrr\u202c\u200b Atkin in May 2019, and "
    "[a link](javascript:alert(3)) http://example.invalid/beacon.png says so.\n\n"
    + "".join(f"Line {n} of much that is of no use to anybody.\n\n" for n in range(60)),
    "master.txt": "3 May 2019\n\nThe harbour\n\nThe harbour master, Ada Quill, resigned last October.\n",
}
WHO = "who closed the bridge on Canal Street?"
CHAIR = "who chaired the panel?"
NOTHING = "zebra quagga xylophone?"
SETTLED = "return !document.getElementById('ask').disabled && !document.getElementById('columns').hidden"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    docs, store = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("served") / "store"
    for name, text in FILES.items():
        (docs / name).write_text(text, encoding="utf-8")
    with chromium(tmp_path_factory.mktemp("profile")) as browser:  # it skips before anything is built
        index([docs], store, Settings(store=store))
        with serving(store, home=tmp_path_factory.mktemp("home")) as running:
            BROWSERS.append(browser)
            yield running
            BROWSERS.clear()


BROWSERS: list[Browser] = []


@pytest.fixture
def page(served: Served) -> Browser:
    """The page as a new visitor has it."""
    (browser,) = BROWSERS
    browser.look(1280, 860)
    browser.open(served.url)
    browser.run("sessionStorage.clear()")
    browser.requested(), browser.console()
    browser.open(served.url)
    browser.wait("return document.getElementById('corpus').textContent")
    return browser


def ask(page: Browser, question: str) -> None:
    """Ask by the keyboard, and wait for the answer with its source."""
    page.press("Escape", "/", question, "Enter")
    page.wait(f"return document.title.startsWith({question!r}) && (() => {{ {SETTLED} }})()")


def text(page: Browser, selector: str) -> str:
    found: str = page.run(f"return document.querySelector({selector!r}).textContent")
    return found


def test_hostile_words_are_shown_and_do_nothing(page: Browser, served: Served) -> None:
    ask(page, WHO)
    page.wait("return document.querySelector('#lines .said mark')")
    shown = text(page, ".card blockquote")
    assert SCRIPT in shown
    assert "▯Orr▯▯ Atkin" in shown
    assert SCRIPT.replace("/", "") in text(page, ".card .facts")
    assert SCRIPT in text(page, "#lines")
    assert (
        page.run("return document.querySelectorAll('main img, main script, main a, main iframe').length") == 0
    )
    assert not page.has_dialog()
    assert page.console() == []
    own = (served.url, "data:")
    assert {url for url in page.requested() if not url.startswith((*own, "chrome"))} == set()


def test_the_marked_words_are_the_answer_s_though_other_letters_count_double(
    page: Browser, served: Served
) -> None:
    answer = served.ask(WHO).json
    ask(page, WHO)
    page.wait("return document.querySelector('#lines .said mark')")
    for place in (".card mark", "#lines .said mark"):
        assert text(page, place) == answer["answer"].translate({0x202E: "▯", 0x202C: "▯", 0x200B: "▯"})
    assert text(page, ".says").endswith(f"confidence {round(answer['confidence'] * 100)}%")


def test_a_script_that_got_in_could_neither_run_nor_call_home(page: Browser) -> None:
    page.run(
        "const s = document.createElement('script'); s.append('window.ran = 1'); document.body.append(s)"
    )
    assert page.run("return window.ran === undefined")
    thrown = page.run("try { document.body.innerHTML = '<p>'; return '' } catch (e) { return e.name }")
    assert thrown == "TypeError"
    with socket.socket() as home:
        home.bind(("127.0.0.1", 0))
        home.listen()
        home.setblocking(False)
        page.run(
            "const home = 'http://127.0.0.1:' + arguments[0]; window.refused = 0;"
            "const count = () => { window.refused += 1 };"
            "const i = new Image(); i.onerror = count; i.src = home + '/x.png'; fetch(home).catch(count)",
            home.getsockname()[1],
        )
        page.wait("return window.refused === 2")
        with pytest.raises(BlockingIOError):  # nobody called
            home.accept()


def test_the_keyboard_alone_reads_copies_and_comes_back(page: Browser, served: Served) -> None:
    page.devtools("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    ask(page, CHAIR)
    page.wait("return document.querySelector('#lines .said')")
    page.press("Enter")
    page.wait("return document.activeElement.id === 'lines'")
    page.press("Escape")
    page.wait("return document.activeElement.className === 'card'")
    page.press("c")
    page.wait("return document.getElementById('toast').textContent.startsWith('Copied')")
    copied = page.run("return navigator.clipboard.readText()")
    cited = served.ask(CHAIR).json["citations"][0]
    title = f"{cited['title']}, " if cited["title"] else ""
    assert (
        copied
        == f"“{' '.join(cited['quote'].split())}” {title}14 July 2017 (letter.txt, line {cited['line']})"
    )
    page.press("?")
    assert page.run("return document.getElementById('help').open")
    page.press("Escape")
    assert not page.run("return document.getElementById('help').open")
    page.press("/")
    assert page.run("return document.activeElement.id") == "question"


def test_more_of_the_source_is_a_key_away(page: Browser) -> None:
    ask(page, WHO)
    rows = "return document.querySelectorAll('#lines .row').length"
    page.wait("return document.querySelector('#lines .said')")
    before = page.run(rows)
    page.press("m")
    page.wait(f"return (() => {{ {rows} }})() > {before}")


def test_evidence_is_walked_through_and_its_source_goes_along(page: Browser) -> None:
    ask(page, NOTHING)
    current = "return [...document.querySelectorAll('.card')].findIndex((c) => c.ariaCurrent === 'true')"
    assert page.run(current) == 0
    page.press("j")
    assert page.run(current) == 1
    page.wait(
        "return document.querySelector('#source-head .path').textContent.endsWith("
        "document.querySelectorAll('.card .title')[1].textContent)"
    )
    page.press("k", "k")
    assert page.run(current) == 0


def test_what_evidence_counts_from_its_date_is_said_beside_the_date(page: Browser) -> None:
    ask(page, "when did the harbour master resign?")
    page.wait("return document.querySelector('.card')")
    assert "3 May 2019“last October” from then: October 2018" in text(page, ".card .facts")


def test_no_answer_says_so_and_explains_itself(page: Browser) -> None:
    ask(page, NOTHING)
    assert "No answer in these documents" in text(page, ".says")
    assert "none mentions" in text(page, ".reason")
    assert "do not answer it" in text(page, "#cards-name")
    page.run("document.querySelector('.meaning').open = true")
    assert "none is given" in text(page, ".meaning p")


def test_recent_questions_stay_in_their_tab(page: Browser, served: Served) -> None:
    ask(page, CHAIR)
    ask(page, NOTHING)
    listed = "return [...document.querySelectorAll('.recent button')].map((one) => one.textContent)"
    assert page.run(listed) == [NOTHING, CHAIR]
    assert page.run("return [localStorage.length, document.cookie]") == [0, ""]
    page.run("document.querySelectorAll('.recent button')[1].click()")
    page.wait(f"return document.title.startsWith({CHAIR!r})")
    assert page.run(listed) == [CHAIR, NOTHING]
    assert page.run("return location.href") == served.url


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(page: Browser, width: int, dark: bool) -> None:
    page.look(width, 844, dark=dark, mobile=width < 600)
    ask(page, WHO)
    page.press("Enter")
    page.wait("return document.querySelector('#lines .said')")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    inside = page.run("return document.querySelector('.card').contains(document.getElementById('source'))")
    assert inside == (width < 600)
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, ground[4:-1].split(","))) < 128) == dark


def test_what_is_wrong_is_told_in_place(page: Browser) -> None:
    page.run("document.querySelector('[name=after]').value = 'yesterday'")
    page.press("Escape", "/", CHAIR, "Enter")
    page.wait("return !document.getElementById('problem').hidden")
    assert "after: expected 2017, 2017-03 or 2017-03-22" in text(page, "#problem")


def test_a_token_is_asked_for_once(served: Served, tmp_path: Path) -> None:
    del served  # the browser and the store are its
    (browser,) = BROWSERS
    token = "correct horse battery"
    store = tmp_path / "store"
    (tmp_path / "letter.txt").write_text(FILES["letter.txt"], encoding="utf-8")
    index([tmp_path / "letter.txt"], store, Settings(store=store))
    with serving(store, home=tmp_path, RAG_SERVE_TOKEN=token) as guarded:
        browser.open(guarded.url)
        browser.wait("return !document.getElementById('token-form').hidden")
        browser.press(token, "Enter")
        browser.wait("return document.getElementById('corpus').textContent")
        ask(browser, CHAIR)
        assert "Answered" in text(browser, ".says")
        assert quote(token) not in browser.run("return location.href")

"""Tags as they are used: keep, change the documents, ask what was kept, and see what changed; real models."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.output.json_lines import schema

ROOT = Path(__file__).parents[3]
FILES = {
    "letter.txt": "14 July 2017\n\nPeer review of plans\n\nThe panel was chaired by Alan Crossfield, "
    "an officer of the county council.\n",
    "minutes.md": "# Minutes of the board\n\n26 April 2016\n\n"
    "Tom Hebden reported 24 vacant social worker posts at 31 March 2016.\n",
    "bridge.txt": "The bridge on Canal Street was closed in May 2019 for repairs to its arches.\n",
}
QUESTIONS = """who chaired the panel?
{"id": "posts", "question": "how many social worker posts were vacant?"}

when was the bridge closed?
what is the capital of France?
"""
SCREEN = """since v1 (DAY): 2 edited, 1 removed
  removed  docs/bridge.txt
  edited  docs/letter.txt
  edited  docs/minutes.md

other words  who chaired the panel?
  docs/letter.txt:5
    The panel was chaired by [-Alan Crossfield,-] {+Jane Doe,+} an officer of
    the county council.
  why: letter.txt was edited; these words were changed

moved  how many social worker posts were vacant?
  docs/minutes.md:5, now at docs/minutes.md:7
    Tom Hebden reported 24 vacant social worker posts at 31 March 2016.
  why: minutes.md was edited; its words stand elsewhere in it

answered, now abstained  when was the bridge closed?
  was docs/bridge.txt:1
    The bridge on Canal Street was closed in May 2019 for repairs to its arches.
  why: bridge.txt is no longer there

4 answers: 1 same, 1 other words, 1 moved, 1 another status
"""


class Shell:
    """A home in which commands are run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {name: None for name in os.environ if name.startswith("RAG_") or name == "FORCE_COLOR"}
        self.env: dict[str, str | None] = kept | {
            "HOME": str(home),
            "PWD": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "RAG_STORE": str(home / "store"),
            "RAG_ENCODER_RUNTIME": "openvino",
            "COLUMNS": "80",
        }

    def run(self, *arguments: str, given: str = "") -> tuple[int, str, str]:
        """Status, stdout and stderr of a command."""
        done = CliRunner().invoke(app, list(arguments), input=given, env=self.env, prog_name="rag")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    def write(self, name: str, text: str) -> None:
        (self.home / "docs" / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def shell(home: Path) -> Shell:
    """A store tagged v1, answers of then, and three documents changed since."""
    shell = Shell(home)
    (home / "docs").mkdir()
    for name, text in FILES.items():
        shell.write(name, text)
    status, told, _ = shell.run("index", str(home / "docs"), "--tag", "v1")
    assert status == 0
    assert "(generation 1, kept as v1," in told
    status, answers, _ = shell.run("ask", "-", given=QUESTIONS)
    assert status == 2  # the blank line
    (home / "answers.jsonl").write_text(answers, encoding="utf-8")
    assert shell.run("diff", "v1") == (0, f"since v1 ({day(shell)}): no document has changed\n", "")
    status, told, said = shell.run("diff", "v1", str(home / "answers.jsonl"))
    assert (status, said) == (0, "note: line 3 holds an error in the place of an answer, and is left out\n")
    assert told.endswith("\n4 answers: 4 same\n")
    shell.write("letter.txt", FILES["letter.txt"].replace("Alan Crossfield", "Jane Doe"))
    shell.write("minutes.md", "A paragraph was put in above.\n\n" + FILES["minutes.md"])
    (home / "docs" / "bridge.txt").unlink()
    assert shell.run("index")[0] == 0
    return shell


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def day(shell: Shell) -> str:
    from rag.text.dates import long_date

    created: str = json.loads(shell.run("info", "--json")[1])["tags"][0]["created"]
    return long_date(created[:10])


def test_the_screen_of_a_diff_says_what_became_of_each_answer_and_why(shell: Shell) -> None:
    status, told, said = shell.run("diff", "v1", "answers.jsonl")
    assert told == SCREEN.replace("DAY", day(shell))
    assert said == "note: line 3 holds an error in the place of an answer, and is left out\n"
    assert status == 10


def test_a_diff_of_the_documents_alone_needs_no_answers(shell: Shell) -> None:
    status, told, said = shell.run("diff", "v1")
    assert (status, told, said) == (10, SCREEN.replace("DAY", day(shell)).partition("\n\n")[0] + "\n", "")
    status, told, _ = shell.run("diff", "v1", "--json")
    lines = [json.loads(line) for line in told.splitlines()]
    assert [one["became"] for one in lines] == ["removed", "edited", "edited"]
    for one in lines:
        jsonschema.validate(one, schema("diff"))


def test_a_diff_as_json_holds_to_its_schema_and_echoes_ids(shell: Shell, home: Path) -> None:
    given = (home / "answers.jsonl").read_text(encoding="utf-8")
    status, told, said = shell.run("diff", "v1", "-", "--json", given=given)
    lines = [json.loads(line) for line in told.splitlines()]
    for one in lines:
        jsonschema.validate(one, schema("diff"))
    assert [(one["line"], one["id"], one["became"]) for one in lines] == [
        (1, None, "words"),
        (2, "posts", "moved"),
        (4, None, "status"),
        (5, None, "same"),
    ]
    assert said.endswith("\n4 answers: 1 same, 1 other words, 1 moved, 1 another status\n")
    assert status == 10


def test_all_shows_what_is_the_same_too(shell: Shell) -> None:
    assert "\nsame  what is the capital of France?\n" in shell.run("diff", "v1", "answers.jsonl", "--all")[1]


def test_an_answer_at_a_tag_is_of_its_generation_and_says_that_the_file_was_edited(shell: Shell) -> None:
    status, told, _ = shell.run("ask", "who chaired the panel?", "--at", "v1", "--json")
    answer = json.loads(told)
    assert answer["store"]["generation"] == 1
    assert "Alan Crossfield" in answer["citations"][0]["quote"]
    assert answer["citations"][0]["freshness"] == "edited"
    assert status == 5
    status, told, _ = shell.run("ask", "who chaired the panel?", "--json")
    assert json.loads(told)["store"]["generation"] == 2
    assert status == 0


def test_search_show_and_chat_take_a_tag_too(shell: Shell) -> None:
    assert "Canal Street" in shell.run("search", "bridge closed for repairs", "--at", "v1")[1]
    assert "Canal Street" not in shell.run("search", "bridge closed for repairs")[1]
    status, told, _ = shell.run("show", "bridge:1", "--at", "v1")
    assert status == 0
    assert "Canal Street" in told
    assert "file no longer there; this is the indexed text" in told
    assert shell.run("show", "bridge:1")[0] == 1
    status, told, _ = shell.run("chat", "--at", "v1", given="when was the bridge closed?\n:reindex\n")
    assert status == 0
    assert f"3 documents, read {day(shell)}, kept as v1." in told
    assert "closed in" in told
    assert "May 2019" in told
    assert "This session stays with the documents kept as v1." in told


def test_check_looks_a_text_up_in_what_the_tag_keeps(shell: Shell) -> None:
    text = "The panel was “chaired by Alan Crossfield”.\n"
    assert shell.run("check", "-", "--at", "v1", given=text)[:2] == (0, "1 looked up: 1 verbatim\n")
    assert shell.run("check", "-", given=text)[0] == 9


def test_a_server_at_a_tag_answers_from_its_generation(shell: Shell, home: Path) -> None:
    import asyncio

    from rag.serving.http import Limits, Server
    from rag.settings import EncoderSettings, Settings

    settings = Settings(store=home / "store", encoder=EncoderSettings(runtime="openvino"))
    server = Server(settings, Limits(30.0, 4), at="v1")
    server.start()
    try:
        listed = asyncio.run(server.reading.run(lambda shelf: shelf.sources))
        answer = asyncio.run(server.asking.run(lambda assistant: assistant.ask("who chaired the panel?")))
    finally:
        assert server.close()
    assert [Path(one["document"]).name for one in listed] == ["bridge.txt", "letter.txt", "minutes.md"]
    assert "Alan Crossfield" in answer.citations[0].quote


def test_info_lists_tags_with_their_dates(shell: Shell) -> None:
    told = json.loads(shell.run("info", "--json")[1])["tags"]
    assert [(tag["name"], tag["generation"]) for tag in told] == [("v1", 1)]
    assert f"v1 (generation 1, {told[0]['created'][:10]})" in shell.run("info")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["ask", "who?", "--at", "v9"], 2, "error: there is no tag v9 in the store at "),
        (["ask", "who?", "--at", "../v1"], 2, "error: no tag can be called '../v1'"),
        (["search", "who", "--at", ""], 2, "error: no tag can be called ''"),
        (["show", "letter", "--at", "/etc/passwd"], 2, "error: no tag can be called '/etc/passwd'"),
        (["chat", "--at", "v9"], 2, "error: there is no tag v9"),
        (["serve", "--at", "v9"], 2, "error: there is no tag v9"),
        (["check", "docs/letter.txt", "--at", "v9"], 2, "error: there is no tag v9"),
        (["index", "--tag", "a/b"], 2, "error: no tag can be called 'a/b'"),
        (["index", "--tag", "v1"], 2, "error: the tag v1 keeps generation 1 already"),
        (["index", "--untag", "v9"], 2, "error: there is no tag v9"),
        (["index", "--untag", "\x1b[2J"], 2, "error: no tag can be called '\\x1b[2J'"),
        (["diff", "v9", "answers.jsonl"], 2, "error: there is no tag v9"),
        (
            ["diff", "v1", "nowhere.jsonl"],
            2,
            "error: nowhere.jsonl cannot be read: No such file or directory",
        ),
        (["diff", "v1", "docs/letter.txt"], 2, "error: these lines are no answers"),
        (["diff", "v1", "--store", "nowhere"], 1, "error: there is no store at "),
        (["index", "--untag", "v1", "--store", "nowhere"], 1, "error: there is no store at "),
    ],
)
def test_what_cannot_be_used_is_said_with_a_hint(
    arguments: list[str], status: int, said: str, shell: Shell
) -> None:
    got, told, errors = shell.run(*arguments)
    assert got == status
    assert told == ""
    assert said in errors
    assert "\nhint: " in errors


def test_a_diff_of_no_answers_finds_none_changed(shell: Shell) -> None:
    status, told, _ = shell.run("diff", "v1", "-", given="\n")
    assert status == 0
    assert told.endswith("\nno answers\n")


def test_a_tag_is_let_go_without_indexing_anything(shell: Shell, home: Path) -> None:
    shell.run("index", "--tag", "short-lived")
    shell.write("later.txt", "A later text that nobody has indexed.")
    try:
        status, told, said = shell.run("index", "--untag", "short-lived")
        assert (status, told, said) == (0, "", "let go: short-lived\n")
        assert json.loads(shell.run("info", "--json")[1])["generation"] == 2
    finally:
        (home / "docs" / "later.txt").unlink()
    assert sorted(path.name for path in (home / "store" / "tags").iterdir()) == ["v1"]

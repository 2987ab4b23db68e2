"""The command line: helps, streams, statuses, bad input; with the real encoder over three small files."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import hand_made
import jsonschema
import pytest
from typer.testing import CliRunner

from rag.cli.ask import status_of
from rag.cli.exits import ExitStatus, status_table
from rag.output.json_lines import schema
from rag.records import Freshness
from rag.store import FORMAT

ROOT = Path(__file__).parents[3]
COMMANDS = "index ask chat search show verify check diff export mcp info doctor".split()
STATUSES = {"answered": 0, "abstained": 3, "weak": 4}
QUESTION = "who chaired the panel?"

FILES = {
    "letter.txt": "14 July 2017\n\nPeer review of plans\n\nThe panel was chaired by Alan Crossfield, "
    "an officer of the county council. It read forty plans in two days.\n\n"
    "The panel asked for plans of no more than four pages.\n",
    "minutes.md": "# Minutes of the board\n\n26 April 2016\n\n## Workforce\n\n"
    "Tom Hebden reported 24 vacant social worker posts at 31 March 2016. The board noted the figure.\n",
    "hostile.txt": "A notice \x1b[2J\x1b]0;owned\x07 about the \u202egnp.exe\u202c bridge on Canal Street "
    "\u200bwhich was closed in May 2019 for repairs to its arches.\n",
}


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        kept.pop(name, None)
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "RAG_STORE": str(home / "store"),
        # plumbing is tested here: the reader that starts fastest, and the encoder that imports no torch
        "RAG_READER_MODEL": "similarity",
        "RAG_ENCODER_RUNTIME": "openvino",
        "PYTHONPATH": str(ROOT),
    }


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run(arguments: list[str], env: Mapping[str, str], given: str = "", **changes: str) -> Done:
    """Run a command in this process, which has paid for its imports already."""
    from rag.cli import app

    chosen = {**env, **changes}
    only = {name: chosen.get(name) for name in {*os.environ, *chosen}}
    done = CliRunner().invoke(app, arguments, input=given, env=only, prog_name="rag")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def run_apart(arguments: list[str], env: Mapping[str, str], given: str = "", **changes: str) -> Done:
    """Run a command in a process of its own, as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        input=given,
        env={**env, **changes},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def store(docs: Path, env: dict[str, str]) -> Path:
    done = run(["index", str(docs)], env)
    assert done.returncode == 0, done.stderr
    assert "3 added" in done.stdout
    return Path(env["RAG_STORE"])


# helps


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_an_example(command: str, env: dict[str, str]) -> None:
    done = run([command, "--help"], env)
    assert done.returncode == 0
    assert done.stdout.strip().splitlines()[-1].strip().startswith("Example: rag " + command)


def parameters() -> Iterator[tuple[str, str, str | None]]:
    import typer.main

    from rag.cli import app

    group = typer.main.get_command(app)
    for command_name, command in group.commands.items():  # type: ignore[attr-defined]
        for parameter in command.params:
            yield command_name, str(parameter.name), getattr(parameter, "help", None)


@pytest.mark.parametrize(("command", "name", "text"), list(parameters()))
def test_every_option_and_argument_has_help(command: str, name: str, text: str | None) -> None:
    assert text, f"{command} {name}"


def test_rag_alone_shows_the_help_with_every_exit_status(env: dict[str, str]) -> None:
    done = run([], env)
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)
    for status in ExitStatus:
        assert f"{int(status):>3}  {status.meaning}" in status_table()
        assert status.meaning.split(";")[0] in done.stdout


def test_the_version_is_the_package_s(env: dict[str, str]) -> None:
    from rag import __version__

    assert run(["--version"], env).stdout == f"rag {__version__}\n"


# statuses


def test_the_status_says_how_far_an_answer_goes() -> None:
    assert status_of(hand_made.answered()) == ExitStatus.OK
    assert status_of(hand_made.weak()) == ExitStatus.WEAK
    assert status_of(hand_made.abstained()) == ExitStatus.ABSTAINED
    assert status_of(hand_made.answered(Freshness.EDITED)) == ExitStatus.STALE
    assert status_of(hand_made.answered(Freshness.MISSING)) == ExitStatus.STALE


def test_no_two_statuses_are_the_same() -> None:
    assert len({int(status) for status in ExitStatus}) == len(ExitStatus.__members__)


def test_ask_ends_with_the_status_of_its_answer(store: Path, env: dict[str, str]) -> None:
    done = run_apart(["ask", QUESTION, "--json"], env)
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, schema("answer"))
    assert done.returncode == STATUSES[answer["status"]]
    assert done.stderr == ""
    assert "Alan Crossfield" in json.dumps(answer["citations"] or answer["hits"])


def test_an_edited_file_has_its_own_status_and_is_said(docs: Path, store: Path, env: dict[str, str]) -> None:
    letter = docs / "letter.txt"
    before = letter.stat()
    letter.write_text(FILES["letter.txt"] + "A line more.\n", encoding="utf-8")
    try:
        done = run(["ask", QUESTION, "--in", "letter.txt"], env)
        shown = run(["show", "letter"], env)
        doctor = run(["doctor", "--json"], env)
    finally:
        letter.write_text(FILES["letter.txt"], encoding="utf-8")
        os.utime(letter, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done.returncode in (5, 3)
    assert done.returncode == 3 or "edited since indexing" in done.stdout
    assert "file edited since indexing; this is the indexed text" in shown.stdout
    assert "A line more." not in shown.stdout
    bad = [finding for finding in map(json.loads, doctor.stdout.splitlines()) if not finding["good"]]
    assert doctor.returncode == 7
    assert [finding["check"] for finding in bad] == ["files"]
    assert "1 edited" in bad[0]["detail"]
    assert str(docs) in bad[0]["remedy"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ask", "  "], 2, "error: the question is empty"),
        (["ask", "x" * 10_000], 2, "error: the question has 10,000 characters; at most 1,000 are read"),
        (["ask", "who?", "--no-such-option"], 2, "No such option"),
        (["ask", "who?", "-k", "0"], 2, "'-k'"),
        (["ask", "who?", "--after", "last year"], 2, "expected 2017, 2017-03 or 2017-03-22, got 'last year'"),
        (["ask", "who?", "--before", "2017-02-30"], 2, "got '2017-02-30'"),
        (["ask"], 2, "Missing argument"),
        (["nonsense"], 2, "No such command"),
        (["search", ""], 2, "error: the question is empty"),
        (["show", "no-such-file"], 1, "error: no document in the store goes by the name 'no-such-file'"),
        (["show", "letter:99"], 1, "letter.txt has no line 99"),
        (["index", "/no/such/folder"], 1, "there is no readable document under /no/such/folder"),
        (["verify", "/no/such/answers.jsonl"], 2, "error: /no/such/answers.jsonl cannot be read"),
        (["ask", "who?", "--store", "/no/such/store"], 1, "error: there is no store at /no/such/store"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_bad_input_gets_a_clear_line_and_its_status(
    arguments: list[str], status: int, message: str, store: Path, env: dict[str, str]
) -> None:
    done = run(arguments, env)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_error_comes_with_a_hint(env: dict[str, str]) -> None:
    done = run(["ask", "who?", "--store", "/no/such/store"], env)
    assert done.stderr.splitlines()[1].startswith("hint: rag index")


def test_a_bad_setting_is_named_with_its_place(store: Path, env: dict[str, str]) -> None:
    done = run(["info"], env, RAG_RETRIEVAL_K="many")
    assert done.returncode == 1
    assert "error: environment RAG_RETRIEVAL_K: expected a whole number" in done.stderr


def test_an_empty_folder_leaves_the_store_alone(store: Path, env: dict[str, str], tmp_path: Path) -> None:
    before = run(["info", "--json"], env).stdout
    done = run(["index", str(tmp_path)], env)
    assert done.returncode == 1
    assert "there is no readable document" in done.stderr
    assert json.loads(run(["info", "--json"], env).stdout)["generation"] == json.loads(before)["generation"]


def test_a_store_of_another_format_is_refused_with_a_remedy(
    store: Path, env: dict[str, str], tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    (manifest,) = copy.glob("generations/*/manifest.json")
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    for command in (["ask", "who?"], ["search", "who"], ["show", "letter"], ["info"]):
        done = run([*command, "--store", str(copy)], env)
        assert done.returncode == 1, command
        assert "format 99" in done.stderr
        assert "hint: rag index --rebuild" in done.stderr
    doctor = run(["doctor", "--store", str(copy)], env)
    assert doctor.returncode == 7
    assert "bad  store: the store was written in format 99" in doctor.stdout


def test_a_store_of_another_encoder_is_refused_with_a_remedy(store: Path, env: dict[str, str]) -> None:
    done = run(["ask", QUESTION], env, RAG_ENCODER_QUERY_PREFIX="query: ")
    assert done.returncode == 1
    assert "was built with" in done.stderr
    assert "hint: rag index --rebuild" in done.stderr


@pytest.mark.parametrize("question", ["为什么信托被撤销？", "لماذا ألغي الصندوق؟", "🙂🙂🙂", "\x1b[31mwho?"])
def test_a_question_in_another_script_is_answered_or_not_and_never_breaks(
    question: str, store: Path, env: dict[str, str]
) -> None:
    done = run(["ask", question], env)
    assert done.returncode in STATUSES.values()
    assert "\x1b" not in done.stdout


# a batch


def test_a_batch_answers_every_line_and_echoes_ids(store: Path, env: dict[str, str]) -> None:
    lines = [QUESTION, '{"question": "how many posts were vacant?", "id": [1, "b"]}', "why?"]
    done = run(["ask", "-"], env, "\n".join(lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [answer["question"] for answer in answers] == [QUESTION, "how many posts were vacant?", "why?"]
    assert [answer.get("id") for answer in answers] == [None, [1, "b"], None]
    for answer in answers:
        jsonschema.validate(answer, schema("answer"))


NO_QUESTIONS = {
    b"\xff\xfe": "not UTF-8",
    b"caf\xe9?": "not UTF-8",
    b"": "blank",
    b"  \t": "blank",
    b'{"question": "\\ud800"}': "half a surrogate",
    b'{"a":' * 15_000: "nested too deeply",
    b'{"a":' * 100_000: "too long",
    b'{"question": ' + b"[" * 20_000: "nested too deeply",
    b'{"question": "who?", "id": NaN}': "no JSON number",
    b'{"question": "who?", "id": 1e999}': "cannot be given back",
    b'{"question": "who?", "id": -Infinity}': "no JSON number",
    b'{"question": "who?", "id": 1' + b"0" * 5000 + b"}": "not a JSON object",
    b'{"question": 7}': "expected text",
    b'{"q": "who?"}': "expected text",
    b"{broken": "not a JSON object",
    b'{"question": " "}': "empty",
    b"x" * 2000: "characters",
    b"x" * 200_000: "too long",
}


def test_a_line_that_holds_no_question_is_answered_by_an_error_object_on_its_line(
    store: Path, env: dict[str, str]
) -> None:
    lines = [b"who?", *NO_QUESTIONS, b"why?"]
    done = subprocess.run(
        [sys.executable, "-m", "rag", "ask", "-"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        env=env,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    answers = [json.loads(line, parse_constant=pytest.fail) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for answer in (answers[0], answers[-1]):
        jsonschema.validate(answer, schema("answer"))
    for number, (answer, expected) in enumerate(
        zip(answers[1:-1], NO_QUESTIONS.values(), strict=True), start=2
    ):
        jsonschema.validate(answer, schema("error"))
        assert (answer["line"], expected in answer["error"]) == (number, True), answer
        assert f"error: line {number}: ".encode() in done.stderr


def test_one_question_and_a_batch_say_the_same(store: Path, env: dict[str, str]) -> None:
    one = json.loads(run(["ask", QUESTION, "--json"], env).stdout)
    (many,) = [json.loads(line) for line in run(["ask", "-"], env, QUESTION).stdout.splitlines()]
    del one["timings_ms"], many["timings_ms"]
    assert one == many


def test_a_line_that_cannot_be_asked_is_named_and_stops_nothing(store: Path, env: dict[str, str]) -> None:
    done = run(["ask", "-"], env, '{"q": 1}\n{broken\n' + "x" * 2000 + f"\n{QUESTION}\n")
    assert done.returncode == 2
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()[:3]] == ["error"] * 3
    for number in (1, 2, 3):
        assert f"error: line {number}: " in done.stderr


# the other commands


def test_search_lists_passages_and_explains_them(store: Path, env: dict[str, str]) -> None:
    done = run(["search", "vacant posts", "-k", "2", "--explain"], env)
    assert done.returncode == 0
    assert done.stdout.startswith("1. ")
    assert "bm25 #1" in done.stdout
    found = json.loads(run(["search", "vacant posts", "-k", "2", "--json"], env).stdout)
    jsonschema.validate(found, schema("search"))
    assert "24 vacant" in found["hits"][0]["text"]


def test_a_filter_acts_before_the_cut(store: Path, env: dict[str, str]) -> None:
    found = json.loads(run(["search", "vacant posts", "-k", "1", "--in", "letter*", "--json"], env).stdout)
    assert [Path(hit["document"]).name for hit in found["hits"]] == ["letter.txt"]


def test_show_marks_the_line(store: Path, env: dict[str, str]) -> None:
    done = run(["show", "minutes:7", "--context", "1"], env)
    assert done.returncode == 0
    assert [line[:4] for line in done.stdout.splitlines()[3:]] == ["  6 ", "> 7 ", "  8 "]


def test_verify_says_what_became_of_earlier_citations(
    docs: Path, store: Path, env: dict[str, str], tmp_path: Path
) -> None:
    answers = tmp_path / "answers.jsonl"
    asked = f"{QUESTION}\nhow many social worker posts were vacant?\n"
    answers.write_text(run(["ask", "-"], env, asked).stdout, encoding="utf-8")
    done = run(["verify", str(answers)], env)
    assert done.returncode == 0
    assert re.fullmatch(r"(\d+) citations: \1 stand\n", done.stdout)
    piped = run(["verify", "-", "--json"], env, answers.read_text(encoding="utf-8"))
    for line in piped.stdout.splitlines():
        jsonschema.validate(json.loads(line), schema("verify"))
    lines = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    for answer in lines:
        for citation in answer["citations"]:
            citation["document"] = citation["document"].replace("docs", "elsewhere")
    answers.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = run(["verify", str(answers)], env)
    assert done.returncode == 6
    assert done.stdout.startswith("missing  ")


def test_info_says_where_each_setting_came_from(store: Path, env: dict[str, str]) -> None:
    done = run(["info", "--documents"], env, RAG_RETRIEVAL_K="7")
    assert "7  (environment RAG_RETRIEVAL_K)" in " ".join(done.stdout.split("\n")).replace("7 (", "7  (")
    assert "letter.txt" in done.stdout
    found = json.loads(run(["info", "--json"], env).stdout)
    assert found["n_documents"] == 3
    assert {row["name"]: row["origin"] for row in found["settings"]}["store"] == "environment RAG_STORE"


def test_the_doctor_finds_a_sound_store_well(store: Path, env: dict[str, str]) -> None:
    done = run(["doctor"], env)
    assert done.returncode == 0, done.stdout
    assert "bad" not in done.stdout.split()


def test_the_doctor_names_a_missing_store_a_new_file_and_a_lock_left_behind(
    docs: Path, store: Path, env: dict[str, str], tmp_path: Path
) -> None:
    missing = run(["doctor", "--store", str(tmp_path / "none")], env)
    assert missing.returncode == 7
    assert "-> rag index PATH --store" in " ".join(missing.stdout.split())
    (docs / "new.txt").write_text("A new file about nothing much at all.\n")
    (store / "lock.json").write_text('{"pid": 1, "host": "old", "started": "yesterday"}')
    try:
        done = run(["doctor"], env)
    finally:
        (docs / "new.txt").unlink()
        (store / "lock.json").unlink()
    assert done.returncode == 7
    assert "1 new since indexing" in done.stdout
    assert "process 1 on old, started at yesterday ended without finishing" in done.stdout


def test_a_damaged_store_is_found_by_the_doctor(store: Path, env: dict[str, str], tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    (vectors,) = copy.glob("generations/*/*/vectors.faiss")
    vectors.write_bytes(vectors.read_bytes()[:-4] + b"torn")
    done = run(["doctor", "--store", str(copy)], env)
    assert done.returncode == 7
    assert "vectors.faiss has changed since it was written" in done.stdout
    assert "-> rag index --rebuild" in done.stdout


def test_boilerplate_is_listed_with_its_key_and_can_be_brought_back(
    env: dict[str, str], tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "news.txt").write_text(
        "We use cookies to give you the best experience. Accept all | Manage settings\n\n"
        "The bridge on Canal Street was closed in May 2019 for repairs to its arches.\n"
    )
    (docs / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    chosen = {"RAG_STORE": str(tmp_path / "store")}
    done = run(["index", str(docs), "--report"], env, **chosen)
    assert done.returncode == 0
    assert "skipped: " in done.stderr
    assert "torn.pdf" in done.stderr
    assert "1 skipped" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "We use cookies" in line]
    key = line.split()[0]
    again = run(["index", "--keep", key, "--report"], env, **chosen)
    assert again.returncode == 0, again.stderr
    assert "Brought back" in again.stdout
    assert "0 passages kept out" in again.stdout
    wrong = run(["index", "--keep", "nonsense"], env, **chosen)
    assert wrong.returncode == 2
    assert "no boilerplate goes by the key nonsense" in wrong.stderr


# streams


def test_nothing_in_a_document_reaches_the_terminal_raw(store: Path, env: dict[str, str]) -> None:
    for arguments in (
        ["ask", "when was the bridge on Canal Street closed?"],
        ["search", "bridge Canal Street"],
        ["show", "hostile"],
        ["ask", "when was the bridge on Canal Street closed?", "--json"],
        ["info", "--documents"],
    ):
        for changes in ({}, {"FORCE_COLOR": "1"}):
            done = run(arguments, env, **changes)
            for sign in ("\x1b[2J", "\x1b]0;", "\x07", "\u202e", "\u202c", "\u200b"):
                assert sign not in done.stdout, (arguments, sign)


def test_a_closed_pipe_is_no_error(store: Path, env: dict[str, str]) -> None:
    asking = f'"{sys.executable}" -m rag ask -'
    shell = f'yes "{QUESTION}" | head -300 | {asking} | head -1 >/dev/null; echo ${{PIPESTATUS[2]}}'
    done = subprocess.run(
        ["bash", "-c", shell], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "0"


def test_ctrl_c_ends_with_130_and_no_traceback(store: Path, env: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "ask", "-"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(QUESTION + "\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["question"] == QUESTION
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.strip() == "interrupted"


def in_terminal(arguments: list[str], env: Mapping[str, str], **changes: str) -> str:
    """What a command writes when all its streams are one terminal of 80 columns."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", *arguments],
        env={**env, "TERM": "xterm-256color", "COLUMNS": "80", **changes},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        close_fds=True,
    )
    os.close(slave)
    written = b""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        ready, _, _ = select.select([master], [], [], 1)
        if not ready:
            continue
        try:
            piece = os.read(master, 65_536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    process.wait(timeout=60)
    os.close(master)
    return written.decode("utf-8")


def test_a_terminal_gets_colour_and_a_pipe_none(store: Path, env: dict[str, str]) -> None:
    assert "\x1b[" in in_terminal(["ask", QUESTION], env)
    assert "\x1b" not in run(["ask", QUESTION], env).stdout


@pytest.mark.parametrize("changes", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_and_a_dumb_terminal_are_obeyed(
    changes: dict[str, str], store: Path, env: dict[str, str]
) -> None:
    assert "\x1b" not in in_terminal(["ask", QUESTION], env, **changes)


def test_columns_fold_the_lines(store: Path, env: dict[str, str]) -> None:
    narrow = run(["search", "panel"], env, COLUMNS="40").stdout
    whole = run(["search", "panel"], env).stdout
    assert max(map(len, narrow.splitlines())) <= 40
    assert max(map(len, whole.splitlines())) > 80


def test_output_that_cannot_be_encoded_is_escaped(store: Path, env: dict[str, str]) -> None:
    done = run_apart(["ask", QUESTION, "--json"], env, PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["question"] == QUESTION
    assert run_apart(["ask", QUESTION], env, PYTHONIOENCODING="ascii").returncode in STATUSES.values()

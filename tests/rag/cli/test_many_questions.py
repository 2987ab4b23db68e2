"""Thousands of questions, sensible, random and hostile, through one ``rag ask -``: each line is answered.

By default three hundred, with an encoder of words and the similarity reader; RAG_QUESTIONS asks as many as it
says (``make fuzz`` a hundred thousand), RAG_QUESTIONS_MODELS=real with the models as they ship.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from support import write_corpus

TESTS = Path(__file__).parents[2]
N = int(os.environ.get("RAG_QUESTIONS", "300"))
WITH_MODELS = os.environ.get("RAG_QUESTIONS_MODELS") == "real"
MOST_SECONDS = 20.0  # for one line, on a machine that has much else to do
MOST_GROWTH_MB = 100  # from a tenth of the questions to the last
SMALL = f"""
import sys
sys.path[:0] = {[str(TESTS.parent), str(TESTS)]!r}
import rag.assistant, rag.indexing
from support import WordEncoder
rag.assistant.load_encoder = rag.indexing.load_encoder = lambda *_, **__: WordEncoder()
from rag.cli import main
main()
"""
WORDS = (
    "who what when where why how many much the trust council mill flood was were is not opened closed "
    "reopened June 2014 in of by staff ninety nobody hurt library letters road as of 2016 "
    "before after between since"
).split()
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\u202e", "\u200b" * 50, "\ufeff", "e\u0301" * 30, "\U000e0041", "\u2028",
    "\r", "\t", "\0", "' OR 1=1 --", "$(touch pwned)", "`id`", "../../etc/passwd",
    "<script>alert(1)</script>",
    "%s%n%x", "{{7*7}}", "((((((((((", "[[[[[[[[[[", "*" * 40, "a" * 900, "?" * 300, "as of 9999-99-99",
    "in 0000", "between 2016 and 2014", "NULL", "NaN", "-1", "1e309", "\u0130\u0131\ufb03\u1e9e",
    "日本語の質問", "ما هو", "😀" * 60, "before after before after", "“", "’s",
    "N.B. e.g. i.e. Mr. Mrs. Dr.", "\x85", "\x7f",
)  # fmt: skip
BAD_LINES = (
    b"", b"   ", b"\xff\xfe\xfa", b'{"question": "\\ud800"}', b'{"question": 7}', b'{"question": ""}', b"{",
    b'{"a":' * 5000, b"[" * 5000, b'{"question": "Who?", "id": NaN}', b'{"question": null, "id": 1}',
    b"\xc3\x28", b'{"question": "Who?", "question": []}', b"\xef\xbb\xbf", b"x" * 300_000,
    b"{}", b'{"question": "\xff"}',
)  # fmt: skip
FILES = {
    "trust.txt": "The Trust\n\nThe trust was opened in June 2014 by the council.\n\nIt had ninety staff.",
    "mill.md": "# The mill\n\nA flood at the mill closed the road in 2016. Nobody was hurt.",
    "letters.txt": "The library keeps the letters of 2014. The letters were written before the trust closed.",
    "many.md": "# Years\n\n"
    + "\n\n".join(f"In {year} the mill made {year % 97} boats." for year in range(1900, 2024)),
}


def line_of(chance: random.Random, n: int) -> bytes:
    """The nth line: a question or what is none, one line in any case."""
    kind = chance.random()
    if kind < 0.15:
        return chance.choice(BAD_LINES)
    if kind < 0.25:
        return bytes(chance.choices(range(256), k=chance.randrange(1, 200))).replace(b"\n", b"")
    words = chance.choices(WORDS, k=chance.randrange(1, 14))
    if kind > 0.5:
        for _ in range(chance.randrange(1, 4)):
            words.insert(chance.randrange(len(words) + 1), chance.choice(HOSTILE))
    if kind > 0.8:
        words += [
            chr(chance.randrange(1, 0xD800)) + chr(chance.randrange(0xE000, 0x110000)) for _ in range(9)
        ]
    question = " ".join(words)
    if chance.random() < 0.4:
        return json.dumps({"question": question, "id": [n, question]}).encode()
    return question.replace("\n", " ").encode()


def resident_mb(pid: int) -> float:
    """The memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def test_thousands_of_questions_of_any_kind_are_each_answered_on_their_line(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", FILES)
    environment = {**os.environ, "HOME": str(tmp_path), "RAG_STORE": str(tmp_path / "store")}
    rag = [sys.executable, "-m", "rag"]
    if not WITH_MODELS:
        (tmp_path / "small.py").write_text(SMALL)
        environment |= {"RAG_READER_MODEL": "similarity", "RAG_PASSAGES_MIN_WORDS": "1"}
        rag = [sys.executable, "-P", str(tmp_path / "small.py")]
    subprocess.run([*rag, "index", str(corpus)], env=environment, check=True, capture_output=True)
    chance = random.Random(7)
    lines = [line_of(chance, n) for n in range(N)]
    slowest, answered, refused, held = 0.0, 0, 0, list[float]()
    with (
        (tmp_path / "stderr").open("wb") as said,
        subprocess.Popen(
            [*rag, "ask", "-"],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        asking, answering = process.stdin, process.stdout
        assert asking is not None
        assert answering is not None

        def write() -> None:
            with asking:
                for line in lines:
                    asking.write(line + b"\n")

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        for n, line in enumerate(lines):
            began = time.monotonic()
            got = json.loads(answering.readline())
            slowest = max(slowest, time.monotonic() - began if n else 0)  # the first waits for the model
            if "error" in got:
                refused += 1
                assert got["line"] == n + 1, line[:200]
            else:
                answered += 1
                assert line.strip(), "a blank line is no question"
                for citation in got["citations"]:
                    text = Path(citation["document"]).read_text()
                    assert text[citation["start"] : citation["end"]] == citation["quote"]
            if b'"id": [' in line:
                assert got["id"][0] == n
            if n % max(1, N // 50) == 0:
                held.append(resident_mb(process.pid))
        assert answering.read() == b""
        writer.join()
    assert process.returncode == 2, "some lines were no questions"
    assert b"Traceback" not in (tmp_path / "stderr").read_bytes()
    assert not (tmp_path / "pwned").exists()
    print(
        f"{answered} answered, {refused} refused, slowest {slowest:.2f} s, {held[5]:.0f} to {held[-1]:.0f} MB"
    )
    assert answered > N / 3
    assert refused > N / 20
    assert slowest < MOST_SECONDS
    assert max(held[5:]) - held[5] < MOST_GROWTH_MB

"""Nothing leaves the machine: no connection is opened, no name looked up, no process started but our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

# Audit events (PEP 578) are raised by the interpreter itself, whatever library asks.
WATCHED = (
    "socket.connect",
    "socket.getaddrinfo",
    "urllib.Request",
    "subprocess.Popen",
    "os.fork",
    "os.posix_spawn",
)
ASKING = f"""
import json, sys
seen = []
def note(event, args):
    if event in {WATCHED!r}:
        ours = event == "subprocess.Popen" and args[0] == sys.executable
        seen.append("our own loader" if ours and "rag.loading:answer" in args[1][-1] else event)
sys.addaudithook(note)
from pathlib import Path
from rag import Assistant
from rag.indexing import index
from rag.settings import Settings
store = Path(sys.argv[2])
index([Path(sys.argv[1])], store, Settings(store=store))
with Assistant.open(store) as assistant:
    answer = assistant.ask("why was the trust decommissioned?")
import time
time.sleep(0.5)  # what reports does so beside the work
print(json.dumps([str(answer.status), seen, sorted(sys.modules)]))
"""


def test_indexing_and_asking_open_no_connection(sample_corpus: Path, tmp_path: Path) -> None:
    # telemetry of libraries is silent under CI; users have no CI
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    documents = sample_corpus / "doncaster" / "2022-09-08-services-return.txt"
    done = subprocess.run(
        [sys.executable, "-c", ASKING, str(documents), str(tmp_path / "store")],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    status, seen, modules = json.loads(done.stdout)
    assert status in ("answered", "weak")
    assert seen == ["our own loader"]
    assert "openvino" in modules
    assert "openvino_telemetry" not in modules
    assert not (tmp_path / "intel").exists()


LOADING = f"""
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event in {WATCHED!r} else None)
from dataclasses import asdict
from pathlib import Path
from rag.loading import answer
from rag.settings import PassageSettings
paths = sorted(path for path in Path(sys.argv[1]).rglob("*.*") if path.is_file())
by_suffix = {{path.suffix: path for path in paths}}
for path in by_suffix.values():
    answer({{"path": str(path), "inside": None, "settings": asdict(PassageSettings())}})
print(len(by_suffix), seen)
"""


def test_the_process_that_loads_opens_no_connection_and_starts_no_other(sample_corpus: Path) -> None:
    command = [sys.executable, "-c", LOADING, str(sample_corpus)]
    cwd = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd)
    n, seen = done.stdout.split(maxsplit=1)
    assert int(n) > 2
    assert seen.strip() == "[]"

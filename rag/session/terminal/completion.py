"""What Tab offers: commands and what they take, documents, and the corpus's own words and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document as Typed

from rag.output import references
from rag.session.commands import COMMANDS, options
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.session.session import Session

N_OFFERED = 12  # enough to choose from; more is a search
LEAST_TYPED = 2  # letters of a word before the corpus is asked for its end
_WORD = re.compile(r"[\w'’-]+$")


class SessionCompleter(Completer):
    """Completes from a session whose models may still be loading: until then it knows only commands."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Typed, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The completions of what stands before the cursor."""
        before = document.text_before_cursor
        for text, typed, shown in offered(self._session, before):
            yield Completion(text, start_position=-len(typed), display=clean(shown))


def offered(session: Session, before: str) -> Iterator[tuple[str, str, str]]:
    """What could stand in place of the end of an entry: (text, the end it replaces, how it is listed)."""
    if before.startswith(":"):
        yield from _of_command(session, before)
        return
    word = before.rsplit(" ", 1)[-1]
    if word.casefold().startswith("in:"):
        yield from _documents(session, word[3:], quoting=True)
        return
    yield from _words(session, before)


def _of_command(session: Session, before: str) -> Iterator[tuple[str, str, str]]:
    name, space, rest = before[1:].partition(" ")
    if not space:
        for each in COMMANDS:
            if each.name.startswith(name.casefold()):
                usage = f":{each.name} {each.takes}".rstrip()
                yield f":{each.name}{' ' if each.takes else ''}", before, usage
        return
    fixed = {
        "set": options.NAMES,
        "copy": references.FORMATS,
        "help": tuple(each.name for each in COMMANDS),
    }
    fitting = [each.name for each in COMMANDS if each.name.startswith(name.casefold())]
    command = name.casefold() if name.casefold() in fitting else fitting[0] if len(fitting) == 1 else ""
    if command == "set" and " " in rest:
        option, _, value = rest.partition(" ")
        if option == "in":
            yield from _documents(session, value, quoting=False)
        elif option == "followups":
            yield from ((each, value, each) for each in ("on", "off") if each.startswith(value))
        return
    if command in fixed:
        yield from ((each, rest, each) for each in fixed[command] if each.startswith(rest.casefold()))
    elif command == "sources":
        yield from _documents(session, rest, quoting=False)
    elif command == "save":
        yield from _files(rest)
    elif command in ("ask", "edit", "expect", "whynot"):
        yield from _words(session, rest)


def _documents(session: Session, typed: str, *, quoting: bool) -> Iterator[tuple[str, str, str]]:
    assistant = session.background.ready
    if assistant is None:
        return
    wanted = typed.strip('"').casefold()
    names = [Path(file.path).name for file in assistant.store.files()]
    fitting = [name for name in names if name.casefold().startswith(wanted)]
    fitting += [name for name in names if wanted in name.casefold() and name not in fitting]
    for name in list(dict.fromkeys(fitting))[:N_OFFERED]:
        if clean(name) == name:  # one with control characters cannot be typed back
            yield (f'"{name}"' if quoting and " " in name else name), typed, name


def _files(typed: str) -> Iterator[tuple[str, str, str]]:
    path = Path(typed).expanduser()
    folder, start = (path, "") if typed.endswith("/") else (path.parent, path.name)
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        folder_mark = "/" if path.is_dir() else ""
        if path.name.startswith(start) and not (path.name.startswith(".") and not start):
            yield path.name + folder_mark, start, path.name + folder_mark


def _words(session: Session, before: str) -> Iterator[tuple[str, str, str]]:
    """Names that the last two words begin, then words that the last one begins."""
    match = _WORD.search(before)
    assistant = session.background.ready
    if match is None or assistant is None or len(match.group()) < LEAST_TYPED:
        return
    vocabulary = session.vocabulary(assistant)
    seen: set[str] = set()
    two = re.search(r"[\w'’-]+ [\w'’-]+$", before)
    for typed in ([two.group()] if two else []) + [match.group()]:
        for name in vocabulary.names:
            if name.casefold().startswith(typed.casefold()) and len(seen) < N_OFFERED // 2:
                seen.add(name.casefold())
                yield name, typed, name
        if seen and " " in typed:
            return  # two words began a name: single ones would only blur the choice
    if match.group().casefold() in session.language.stop_words:
        return
    for word in vocabulary.starting_with(match.group(), N_OFFERED):
        if len(seen) < N_OFFERED and word.casefold() not in seen:
            seen.add(word.casefold())
            yield word, match.group(), word

"""What a session holds and can be told to do; ``repl`` takes the lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from rag.assistant import Assistant
from rag.errors import UsageError
from rag.records import Answer, Status
from rag.session import changes, view
from rag.session.background import Background
from rag.session.filters import Filters, read_filters
from rag.session.followups import Completed, Earlier, complete
from rag.session.screen import Screen
from rag.session.suggestions import LEAST_CHARS, READ_CHARS, Vocabulary, spellings, subjects
from rag.session.turns import Options, Turn
from rag.settings import Settings
from rag.text.dates import long_date
from rag.text.language import load_language
from rag.text.sinks import clean_line


class Session:
    """Questions and commands over one store, or over what its tag ``at`` keeps.

    Input and output are whatever is given. ``environ`` names editor and pager. ``questions`` is the file that
    ``:good`` and its like write to, by default one beside the store.
    """

    def __init__(
        self,
        screen: Screen,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        open_assistant: Callable[[], Assistant] | None = None,
        questions: Path | None = None,
        at: str | None = None,
    ) -> None:
        self.screen = screen
        self.at = at
        self.settings = settings
        self.environ = environ
        self.language = load_language(settings.passages.language)
        opening = open_assistant or (lambda: Assistant.open(settings=settings, at=at))
        self.background = Background(opening, prepare=self.vocabulary)
        store = settings.store
        self.options = Options(questions or store.with_name(f"{store.name}.questions.jsonl"))
        self.turns: list[Turn] = []
        self.position = 0  # of the evidence on the screen
        self.widened = 0  # paragraphs shown around it
        self.saved: set[Path] = set()  # files this session wrote, which it may write again
        self.prefill = ""  # what the next prompt offers
        self._vocabulary: tuple[int, Vocabulary] | None = None

    def greet(self) -> None:
        """Say what the session stands on, before any model is loaded; StoreError where there is no store."""
        from rag.store.manifest import read_manifest
        from rag.store.tags import tagged_manifest

        path = self.settings.store
        manifest = read_manifest(path) if self.at is None else tagged_manifest(path, self.at)
        documents = "1 document" if manifest.n_documents == 1 else f"{manifest.n_documents:,} documents"
        read = long_date(manifest.created[:10])
        tag = "" if self.at is None else f", kept as {self.at}"
        self.screen.note(f"{documents}, read {read}{tag}. Ask in your own words; :help, and Ctrl-D to leave.")
        self.screen.gap()

    def prompt(self) -> str:
        """What stands before the entry: the filters in force, and a mark."""
        written = clean_line(self.options.filters.written())
        mark = "› " if self.screen.look.unicode else "> "
        return f"{written} {mark}" if written else mark

    def ask(self, typed: str, *, as_typed: bool = False) -> None:
        """Answer a question, completed from those before it unless ``as_typed``."""
        question, own = read_filters(typed, self.language)
        if not question:
            raise UsageError("there is no question beside the filters", ":set after 2016  # to keep a filter")
        completed = Completed(question)
        if self.options.followups and not as_typed:
            completed = complete(question, self.earlier(), self.language)
        filters = own.over(self.options.filters)
        answer = self.answer(completed.text, filters)
        self.turns.append(Turn(typed, completed, filters, answer, self._paths(answer)))
        self.position = self.widened = 0
        self.show_turn()

    def _paths(self, answer: Answer) -> dict[str, str]:
        store = self.assistant().store
        passages = [span.passage for span in answer.spans]
        for hit in answer.hits:
            passages += [hit.passage, *hit.duplicates]
        return {passage.document_id: store.document(passage.document_id).path for passage in passages}

    def answer(self, question: str, filters: Filters, *, k: int | None = None) -> Answer:
        """The assistant's answer, waited for with a sign of life."""
        k = self.options.k if k is None else k
        return self.background.run(
            lambda assistant: assistant.ask(question, k=k, **filters.arguments()),
            self.screen,
            "reading the documents",
        )

    def assistant(self) -> Assistant:
        """The assistant, once it is open."""
        return self.background.run(lambda assistant: assistant, self.screen, "loading the models")

    def earlier(self) -> list[Earlier]:
        """What was asked and answered, the evidence on the screen first: follow-ups are completed from it."""
        if not self.turns:
            return []
        answer, at = self.turns[-1].answer, self.position
        shown = [*answer.citations[at : at + 1], *answer.citations[:at], *answer.citations[at + 1 :]]
        marked = " ".join(shown[0].quote[a:b] for a, b in shown[0].marks) if shown else ""
        return [
            Earlier(
                self.turns[-1].question,
                " ".join(marked.split()),
                tuple(citation.quote for citation in shown),
                tuple(hit.passage.text for hit in answer.hits),
                shown[0].date if shown else None,
            )
        ]

    def last(self) -> Turn:
        """The last question with its answer; UsageError before the first."""
        if not self.turns:
            raise UsageError("nothing has been asked yet", "ask a question first; :help lists the commands")
        return self.turns[-1]

    def show_turn(self) -> None:
        """The screen of the last question."""
        turn, assistant, look = self.last(), self.assistant(), self.screen.look
        allowed = None
        if turn.filters != Filters():
            n_documents = assistant.store.manifest.n_documents
            n_allowed = self._n_allowed(assistant, turn.filters)
            allowed = None if n_allowed is None else (n_allowed, n_documents)
        head = view.head(turn, look, n_allowed=allowed)
        if head:
            self.screen.show(head)
        self.screen.gap()
        self.screen.show(view.answer(turn, self.position, assistant.store.document, look))
        if turn.answer.status is not Status.ANSWERED:
            self.screen.show(self._suggestions(turn, assistant))

    @staticmethod
    def _n_allowed(assistant: Assistant, filters: Filters) -> int | None:
        """How many documents the filters let through; None where "as of" has the last word."""
        store = assistant.store
        if filters.as_of is not None:
            return None
        allowed = store.allowed(after=filters.after, before=filters.before, inside=filters.inside)
        return allowed.n_documents

    def _suggestions(self, turn: Turn, assistant: Assistant) -> list[Text]:
        store = assistant.store
        vocabulary = self.background.run(self.vocabulary, self.screen, "reading the vocabulary")
        spelt = spellings(turn.question, store.lexical.document_frequency, vocabulary, self.language)
        near = []
        if turn.answer.status is Status.ABSTAINED:
            near = subjects(turn.answer, store.document, self.language)
        return view.suggestions(near, spelt, self.screen.look)

    def vocabulary(self, assistant: Assistant) -> Vocabulary:
        """The corpus's words, read once a generation: of many documents, the beginning of each."""
        generation = assistant.store.manifest.generation
        if self._vocabulary is None or self._vocabulary[0] != generation:
            store = assistant.store
            share = READ_CHARS // max(1, store.manifest.n_documents)
            texts = (document.text[: max(share, LEAST_CHARS)] for document in store.documents())
            self._vocabulary = (generation, Vocabulary(texts, self.language))
        return self._vocabulary[1]

    def edit(self, text: str) -> None:
        """Ask another wording: the one given, else the last question offered at the next prompt."""
        if text:
            self.ask(text, as_typed=True)
            return
        turn = self.last()
        written = turn.filters.written() if turn.filters != self.options.filters else ""
        self.prefill = f"{turn.question} {written}".strip()
        if not self.screen.terminal:
            self.prefill = ""
            self.screen.say(turn.question)
            self.screen.note("Write :edit QUESTION to ask it otherwise.")

    def again(self) -> None:
        """Ask the last question again; say what changed, and show the answer if anything did."""
        turn = self.last()
        answer = self.answer(turn.question, turn.filters)
        differences = changes.between(turn.answer, answer)
        self.turns.append(replace(turn, answer=answer, paths=self._paths(answer)))
        self.position = self.widened = 0
        if differences:
            self.screen.say(*differences)
            self.show_turn()
        else:
            self.screen.say("Nothing changed.")

    def close(self) -> bool:
        """Let the store go; False when its thread is still at work."""
        return self.background.close()

"""What a program can ask of a store, as tools: each described with its promise, each one call of ours.

Nothing here knows a protocol. A tool takes arguments checked against its fields and gives the JSON that the
command of its name writes. It writes nothing, and reads only the store and the files that the store cites.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rag.assistant import Assistant
from rag.checks.claims import ClaimKind
from rag.checks.prose import N_NEAR, check_prose
from rag.checks.verify import check, citations_in
from rag.citations import freshness
from rag.errors import UsageError
from rag.output.json_lines import schema, search_to_json, show_to_json, to_json
from rag.output.prose import summary
from rag.serving.fields import FILLED, Field, faults
from rag.serving.openapi import SHOW, ask_fields, search_fields
from rag.serving.shelf import Shelf, about, chosen_lines, not_held, path_of
from rag.settings import RetrievalSettings, Settings
from rag.store.lookup import Line
from rag.store.reader import is_inside
from rag.text.language import load_language

N_LINES = 400  # of a document at once: some ten pages; the answer says how many are left
N_SOURCES = 200  # documents listed at once, unless fewer are asked for
N_ANSWERS = 1000  # verified at once: each may name a file that is read again
TEXT_CHARS = 200_000  # of a text to check: some 30,000 words

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: ``fields`` are its arguments, ``more`` the schemas of those that are no text or number."""

    name: str
    title: str
    promise: str
    fields: tuple[Field, ...]
    output: Json
    call: Callable[[Assistant, Shelf, Mapping[str, Any]], Json]
    more: Mapping[str, Json]

    def input_schema(self) -> Json:
        """The arguments as JSON schema."""
        return {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields} | dict(self.more),
            "required": [field.name for field in self.fields if field.required] + list(self.more),
            "additionalProperties": False,
        }

    def run(self, assistant: Assistant, shelf: Shelf, arguments: Mapping[str, Any]) -> Json:
        """The tool's JSON; UsageError naming everything wrong with the arguments. A null is not given."""
        given = {name: value for name, value in arguments.items() if value is not None}
        wrong = faults({name: value for name, value in given.items() if name not in self.more}, self.fields)
        wrong += [f"{name}: it is missing" for name in self.more if name not in given]
        if wrong:
            raise UsageError("; ".join(wrong)[:2000], f"the arguments of {self.name} are in its input schema")
        return self.call(assistant, shelf, given)


_VERBATIM = (
    "Every `quote` stands in the document word for word: `document`, `start` and `end` say at which "
    "characters, `sha256` and `quote_sha256` prove file and words, `freshness` says whether the file "
    "has changed since."
)
_ASK = (
    "Answers a question in the documents' own words; no model writes anything. "
    + _VERBATIM
    + " `status` means what it says: `answered`; `weak`: the nearest evidence, which may not answer the"
    " question; `abstained`: the documents do not answer it, and nothing is quoted. Do not present "
    "weak evidence as an answer, or fill in what the documents do not say. `confidence` is the "
    "estimated probability that the first citation answers. `notices` must be told: they say, among "
    "other things, that sources disagree."
)
_SEARCH = (
    "Lists the passages nearest to a query, best first, each the document's own characters `start` to"
    " `end`. They are near, not answers: nothing judges whether they answer anything. `ask` does."
)
_SHOW = (
    "Shows lines of a document as it was indexed, around a line, page or characters; `freshness` says"
    f" whether the file has changed since. At most {N_LINES} lines at once; `n_before` and `n_after` "
    "count the others. Only documents of the store can be shown."
)
_VERIFY = (
    "Says whether the citations of earlier answers of `ask` still stand, by reading the cited files "
    "as they are now: `stands`, `edited` (the file changed, the words are where they were), `moved`, "
    "`gone`, `missing`, `unreadable`, `altered` (the answer was changed since it was given). Only "
    "files of the store are read."
)
_SOURCES = (
    "Lists the documents of the store in order of path, with title and date. `n_documents` counts them all."
)
_CHECK = (
    "Looks up every quotation, figure and name of a text (a draft, a model's answer) in the "
    "documents. `verdict`: `verbatim`; `typography` (the same words in other typography, a figure in "
    "another spelling); `elided` (its parts stand, with words left out as marked); `differs` (the "
    "nearest words are others: see `diff`); `elsewhere` (not near its sentence); `nowhere`. "
    "`compared` says what each was compared with, and nothing else was searched. That a document says"
    " the same of a figure or a name as the text does is not checked."
)


def tools(settings: Settings) -> tuple[Tool, ...]:
    """The tools over a store with these settings."""
    language = load_language(settings.passages.language)
    retrieval = settings.retrieval
    max_bytes = settings.passages.max_file_mb * 1_000_000

    def ask(assistant: Assistant, _: Shelf, given: Mapping[str, Any]) -> Json:
        return to_json(assistant.ask(**given), path_of(assistant.store))

    def search(assistant: Assistant, _: Shelf, given: Mapping[str, Any]) -> Json:
        hits = assistant.search(**given)
        about_it = about(assistant.store, assistant.shards)
        return search_to_json(given["query"], hits, path_of(assistant.store), about_it)

    def verify(_: Assistant, shelf: Shelf, given: Mapping[str, Any]) -> Json:
        cited = _cited(given["answers"])
        own = [one for one in cited if one.document in shelf.ids]
        held = check(own, max_bytes=max_bytes, roots=shelf.store.manifest.roots)
        return {
            "checks": [
                (next(held) if one.document in shelf.ids else not_held(one)).to_json() for one in cited
            ]
        }

    def check_text(assistant: Assistant, _: Shelf, given: Mapping[str, Any]) -> Json:
        kinds = frozenset({ClaimKind(given["only"])} if "only" in given else ClaimKind)
        checks = check_prose(
            given["text"],
            assistant.store,
            lambda sentence: assistant.search(sentence, k=N_NEAR, whole=True),
            kinds=kinds,
            language=language,
            max_chars=retrieval.max_question_chars,
        )
        return {
            "checks": [one.to_json() for one in checks],
            "stands": all(one.stands for one in checks),
            "summary": summary(checks),
        }

    return (
        Tool("ask", "Ask the documents", _ASK, ask_fields(retrieval), schema("answer"), ask, {}),
        Tool("search", "Search passages", _SEARCH, search_fields(retrieval), schema("search"), search, {}),
        Tool("show", "Show a source", _SHOW, SHOW, schema("show"), _show, {}),
        Tool("verify", "Verify citations", _VERIFY, (), _listed("verify"), verify, {"answers": _ANSWERS}),
        Tool("sources", "List documents", _SOURCES, _sources_fields(), _sources_schema(), _sources, {}),
        Tool("check", "Check a text", _CHECK, _check_fields(retrieval), _checked_schema(), check_text, {}),
    )


def _show(assistant: Assistant, shelf: Shelf, given: Mapping[str, Any]) -> Json:
    document = shelf.document(given["document"])
    lines = _bounded(chosen_lines(document, given))
    fresh = freshness(document.path, document.sha256)
    return show_to_json(document, lines, fresh, about(assistant.store))


def _bounded(lines: list[Line]) -> list[Line]:
    """At most ``N_LINES`` of the lines, with the first wanted one in their middle."""
    if len(lines) <= N_LINES:
        return lines
    wanted = next((at for at, line in enumerate(lines) if line.wanted), 0)
    first = max(0, min(wanted - N_LINES // 2, len(lines) - N_LINES))
    return lines[first : first + N_LINES]


def _sources(assistant: Assistant, shelf: Shelf, given: Mapping[str, Any]) -> Json:
    inside, skip = given.get("inside"), given.get("skip", 0)
    fitting = [one for one in shelf.sources if inside is None or is_inside(one["document"], inside)]
    return {
        "documents": fitting[skip : skip + given.get("k", N_SOURCES)],
        "n_documents": len(fitting),
        "store": about(assistant.store),
    }


_ANSWERS: Json = {
    "type": "array",
    "maxItems": N_ANSWERS,
    "description": "Answers as `ask` gave them, with their citations whole.",
    "items": {"type": "object", "required": ["citations"]},
}


def _cited(answers: object) -> list[Any]:
    """Every citation of the answers; the number of its answer, from 1, stands for a line."""
    if not isinstance(answers, list) or len(answers) > N_ANSWERS:
        raise UsageError(f"answers: expected a list of at most {N_ANSWERS} answers")
    cited = []
    for number, answer in enumerate(answers, start=1):
        try:
            found = citations_in(answer, number)
            if any(one.start < 0 or one.end < 1 for one in found):
                raise TypeError("'start' counts from 0, and 'end' is past a character")
        except (KeyError, TypeError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"answers[{number - 1}]: {what}", "give answers as ask gave them") from None
        cited += found
    return cited


def _sources_fields() -> tuple[Field, ...]:
    return (
        Field("inside", "string", "Only documents whose path fits this glob, like *.pdf.", low=1),
        Field("k", "integer", f"How many to list; {N_SOURCES} unless told.", low=1, high=N_SOURCES),
        Field("skip", "integer", "How many to pass over first.", high=10**9),
    )


def _check_fields(retrieval: RetrievalSettings) -> tuple[Field, ...]:
    kinds = "|".join(ClaimKind)
    return (
        Field("text", "string", "The text, plain or Markdown.", True, 1, TEXT_CHARS, FILLED),
        Field("only", "string", f"Look up one kind alone: {kinds}.", pattern=f"^({kinds})$"),
    )


def _listed(name: str) -> Json:
    """An object with a list of the lines that a schema describes, its definitions led to the top."""
    line = schema(name)
    definitions = line.pop("$defs", {})
    return {
        "$schema": line.pop("$schema"),
        "type": "object",
        "required": ["checks"],
        "properties": {"checks": {"type": "array", "items": line}},
        "$defs": definitions,
    }


def _checked_schema() -> Json:
    made = _listed("check")
    made["required"] += ["stands", "summary"]
    made["properties"]["stands"] = {"type": "boolean", "description": "Whether everything stands."}
    made["properties"]["summary"] = {"type": "string", "description": "How many stand how, in words."}
    return made


def _sources_schema() -> Json:
    made = schema("sources")
    made["properties"]["n_documents"] = {
        "type": "integer",
        "minimum": 0,
        "description": "How many documents there are that fit, listed or not.",
    }
    return made

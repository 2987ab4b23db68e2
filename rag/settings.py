"""Every number and choice a user may set: its unit, its reason, and where its value came from.

A value comes from a flag, else from an environment variable (``RAG_RETRIEVAL_K``), else from one TOML
file, else from the default written here. The file is ``rag.toml`` in the user's configuration folder,
or the one ``RAG_CONFIG`` names:

    store = "~/papers/store"
    [retrieval]
    k = 8
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from rag.errors import SettingsError

T = TypeVar("T")
Runtime = Literal["auto", "openvino", "sentence-transformers"]
ReaderModel = Literal["cross-encoder", "similarity"]

# The languages whose words are known, each a module of rag.text.
LANGUAGES = ("english",)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one setting may be, in which unit, and why its default is what it is."""

    reason: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    may_be_empty: bool = True


def _setting(default: T, reason: str, **rule: Any) -> T:
    """A dataclass field that carries its rule."""
    made: T = field(default=default, metadata={"rule": Rule(reason, **rule)})
    return made


@dataclass(frozen=True, slots=True)
class RankingNumbers:
    """The numbers that shape ranking and what is shown, each with its unit and its reason.

    They were chosen on development questions and are not the user's to set: the reader, the fusion and the
    confidence were fitted together. Every evaluation run keeps them in its ``run.json``.
    """

    depth: int = _setting(
        100, "past that a reciprocal rank moves nothing", unit="places of each ranking kept"
    )
    sentence_candidates: int = _setting(
        200,
        "with 200 no figure moved by more than .003 against sentences searched among all, with 1,000 none",
        unit="passages nearest as a whole whose sentences are looked at",
    )
    sentence_share: float = _setting(
        0.5,
        "a sentence's vector resembles its passage's (cosine .86): without it two rankings of three say the "
        "same, and SQuAD loses .005 MRR@10",
        unit="of the passage's own score, taken from its sentence's",
    )
    bm25_weight: float = _setting(
        1.5,
        "of the three rankings two are of one encoder and err together; the words count more",
        unit="times the weight of a ranking",
    )
    bm25_lead: float = _setting(
        0.05,
        "ranks forget how far ahead the first is; with this .60 and .66 of right passages came first, "
        "without .57 and .58 (real and own documents)",
        unit="fused score, for the best BM25 score; less for a share of it",
    )
    prior_weight: float = _setting(
        40.0,
        "what the fused score counts beside the reader's first opinion: of 16 passages the 8 read on held "
        "the evidence among their first five for .91 with 20 to 60, for .85 by the opinion alone",
        unit="logits a fused score of 1",
    )
    begun_first: int = _setting(
        8,
        "of the candidates, the nearest; the others are begun only where none of these is clearly the best",
        unit="passages",
    )
    finished_first: int = _setting(
        4,
        "of those begun first, the most promising; 3 cost as much and missed the best more often",
        unit="passages",
    )
    clear_lead: float = _setting(
        2.0,
        "a passage is left unread when the best leads its first opinion by this: six questions in ten end "
        "after the first four, and 98 in 100 have the passage first that reading eight of 16 puts there",
        unit="logits, fused scores counted in",
    )
    mark_weight: float = _setting(
        0.2, "a little of the best mark's score parts passages of like relevance", unit="logits a logit"
    )
    fused_weight: float = _setting(
        20.0, "where the reader sees no answer anywhere, retrieval decides", unit="logits a fused score of 1"
    )
    passage_coverage_weight: float = _setting(
        2.0,
        "likewise the share of the question's words in the passage and its header",
        unit="logits for all of them",
    )
    quote_coverage_weight: float = _setting(
        2.0,
        "likewise the share of them in the quotation and the header",
        unit="logits for all of them",
    )
    n_evidence: int = _setting(4, "more is a search result, not an answer", unit="quotations at most")
    near_best: float = _setting(
        4.0, "a passage further below the best is not shown beside it", unit="rank score"
    )
    evidence_share: float = _setting(
        0.5,
        "a sentence beside the marked one is shown with it from here on",
        unit="probability that it belongs to what should be shown",
    )
    list_mark_drop: float = _setting(
        4.0,
        "a list question takes further marks of a passage down to this",
        unit="logits below its best mark",
    )
    n_related: int = _setting(
        1, "what else is said of the matter, beside a weak answer", unit="passages read for their words"
    )
    least_coverage_share: float = _setting(
        0.5,
        "beside the nearest evidence of a weak answer, what holds fewer of the question's words only sounds "
        "like an answer and would be taken for one",
        unit="of the nearest quotation's coverage",
    )
    repeated: float = _setting(
        0.5,
        "from here on a quotation says again what another says",
        unit="weighted share of its words in the other",
    )
    disagreement_relevance: float = _setting(
        1.5,
        "evidence less relevant is not held to answer; 1.5 told as many true disagreements as 0 and half as "
        "many false ones",
        unit="logits",
    )
    disagreement_coverage_share: float = _setting(
        0.6,
        "two figures are of one thing only if both quotations speak of it",
        unit="of the fuller quotation's coverage",
    )
    disagreement_probability: float = _setting(
        0.5, "from here on two quotations are said to disagree", unit="probability of a conflict"
    )


RANKING = RankingNumbers()


def _check(part: Any, section: str) -> None:
    """Raise SettingsError naming every field of a settings record that breaks its rule."""
    wrong = []
    for item in fields(part):
        value = getattr(part, item.name)
        expected = _fault(value, type(item.default), item.metadata["rule"])
        if expected:
            wrong.append(f"{section}.{item.name}: expected {expected}, got {value!r}")
    if wrong:
        raise SettingsError("; ".join(wrong), "rag info  # lists every setting and where it came from")


def _fault(value: object, kind: type, rule: Rule) -> str | None:
    """What was expected, when ``value`` is not that; None when it is.

    >>> _fault(0, int, Rule("", "passages", low=1, high=9))
    'a whole number from 1 to 9 (passages)'
    >>> _fault(3, int, Rule("", "passages", low=1, high=9)) is None
    True
    """
    if rule.choices:
        return None if value in rule.choices else "one of " + ", ".join(rule.choices)
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is int:
        low, high = rule.low, rule.high
        good = (
            isinstance(value, int)
            and not isinstance(value, bool)
            and (low is None or value >= low)
            and (high is None or value <= high)
        )
        return (
            None
            if good
            else f"a whole number from {low} to {high}" + (f" ({rule.unit})" if rule.unit else "")
        )
    if not isinstance(value, str):
        return "text"
    return None if value.strip() or rule.may_be_empty else "text that is not empty"


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Which model turns texts into vectors, and what runs it."""

    model: str = _setting(
        "minilm-l6-questions",
        "all-MiniLM-L6-v2 trained further on questions; both come with the package, nothing is downloaded; "
        "else a folder or a hub name",
        may_be_empty=False,
    )
    query_prefix: str = _setting("", "what the model wants before a question ('query: '); the default none")
    passage_prefix: str = _setting(
        "", "what the model wants before a passage ('passage: '); the default none"
    )
    runtime: Runtime = _setting(  # noqa: RUF009  (a field, made once for the class)
        "auto",
        "auto runs the built-in model through openvino (same vectors, no torch), others through the library",
        choices=("auto", "openvino", "sentence-transformers"),
    )

    def __post_init__(self) -> None:
        _check(self, "encoder")


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """How documents are cut; a change here needs the store to be built again."""

    max_words: int = _setting(
        220,
        "the default encoder reads 256 word pieces, title and heading included",
        unit="words",
        low=40,
        high=2000,
    )
    min_words: int = _setting(
        12,
        "shorter paragraphs (headings, list items, address lines) are found only together with a neighbour",
        unit="words",
        low=0,
        high=200,
    )
    keep_boilerplate: bool = _setting(False, "notices and adverts answer no question about the documents")
    sentence_view: bool = _setting(
        True, "vectors of single sentences beside those of passages find what a long passage buries"
    )
    language: str = _setting(
        "english",
        "that of the documents and questions: each that is offered is a file of word lists",
        choices=LANGUAGES,
    )
    max_file_mb: int = _setting(
        200,
        "a larger file is more often a mistake than a document",
        unit="MB of 1,000,000 bytes",
        low=1,
        high=100_000,
    )
    max_seconds: int = _setting(
        30,
        "a file that takes longer, 2 seconds for each MB of it added, is skipped: most take a tenth of one",
        unit="seconds",
        low=1,
        high=86_400,
    )
    max_memory_mb: int = _setting(
        1000,
        "a file whose reading needs more is skipped: some are built to unpack to more than a machine has",
        unit="MB of 1,000,000 bytes",
        low=100,
        high=1_000_000,
    )

    def __post_init__(self) -> None:
        _check(self, "passages")
        if self.min_words >= self.max_words:
            raise SettingsError(
                f"passages.min_words: expected less than passages.max_words ({self.max_words}), "
                f"got {self.min_words}",
                "lower min_words or raise max_words",
            )


# These say which files are read at all, not what an index is made of: another value needs no rebuilding.
READING_LIMITS = ("max_file_mb", "max_seconds", "max_memory_mb")


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How many passages are looked at for a question."""

    k: int = _setting(
        5, "passages listed with an answer; few enough to read", unit="passages", low=1, high=1000
    )
    n_candidates: int = _setting(
        16,
        "passages the reader begins with; each costs some 5 ms on two cores, and past 16 fusion finds little "
        "that answers (never fewer than k)",
        unit="passages",
        low=1,
        high=1000,
    )
    rrf_k: int = _setting(
        20,
        "damping of reciprocal rank fusion; the 60 of its authors (2009) suits long lists of web pages, on "
        "our development questions 10 to 20 put more right passages in the first five",
        unit="ranks",
        low=0,
        high=10_000,
    )
    max_question_chars: int = _setting(
        1000,
        "some 200 words; the encoder reads no more, and what is longer is a document, not a question",
        unit="characters",
        low=16,
        high=100_000,
    )

    def __post_init__(self) -> None:
        _check(self, "retrieval")


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How the answering words are marked in the evidence."""

    model: ReaderModel = _setting(  # noqa: RUF009  (a field, made once for the class)
        "cross-encoder",
        "the trained reader; similarity marks the nearest sentence instead, as a baseline to measure against",
        choices=("cross-encoder", "similarity"),
    )
    threads: int = _setting(0, "0 uses every core", unit="threads", low=0, high=1024)
    n_finished: int = _setting(
        8,
        "passages read to the end at most, chosen by a first opinion after a third of the layers; of more "
        "than 4, reading ends after 4 where one leads clearly; 0 finishes all: the right one is first no "
        "more often, among five in .93 and not .91, in twice the time",
        unit="passages",
        low=0,
        high=1000,
    )

    def __post_init__(self) -> None:
        _check(self, "reader")


@dataclass(frozen=True, slots=True)
class RaySettings:
    """The machines that help, where there are several: docs/cluster.md says when that is worth it."""

    address: str = _setting(
        "", "a Ray cluster that embeds and searches: auto finds that of this machine; the default none"
    )
    shards: int = _setting(
        0,
        "0 makes one for each node; more than there are nodes only add messages",
        unit="parts that a store is searched in",
        low=0,
        high=1024,
    )

    def __post_init__(self) -> None:
        _check(self, "ray")


def default_store() -> Path:
    """The store used when none is named: a folder in the user's data directory."""
    import platformdirs

    return Path(platformdirs.user_data_dir("rag", appauthor=False)) / "store"


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """The settings file: where RAG_CONFIG points, else ``rag.toml`` in the user's configuration folder."""
    named = (os.environ if environ is None else environ).get("RAG_CONFIG")
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_config_dir("rag", appauthor=False)) / "rag.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that shapes an index or an answer."""

    store: Path = field(default_factory=default_store)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    passages: PassageSettings = field(default_factory=PassageSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    reader: ReaderSettings = field(default_factory=ReaderSettings)
    ray: RaySettings = field(default_factory=RaySettings)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings in force, and for each dotted name ("retrieval.k") where its value came from."""

    settings: Settings
    origin: Mapping[str, str]

    def rows(self) -> list[tuple[str, object, str]]:
        """Every setting as (dotted name, value, origin), in the order they are written here."""
        found: list[tuple[str, object, str]] = []
        for name in self.origin:
            section, _, key = name.partition(".")
            part = getattr(self.settings, section)
            found.append((name, getattr(part, key) if key else part, self.origin[name]))
        return found


SECTIONS: Mapping[str, type] = MappingProxyType(
    {
        "encoder": EncoderSettings,
        "passages": PassageSettings,
        "retrieval": RetrievalSettings,
        "reader": ReaderSettings,
        "ray": RaySettings,
    }
)


def rules() -> dict[str, tuple[Rule, type, object]]:
    """Every dotted name but ``store``, with its rule, its type and its default.

    >>> rules()["retrieval.k"][2]
    5
    """
    return {
        f"{section}.{item.name}": (item.metadata["rule"], type(item.default), item.default)
        for section, kind in SECTIONS.items()
        for item in fields(kind)
    }


def environment_name(name: str) -> str:
    """The environment variable of a dotted name.

    >>> environment_name("retrieval.max_question_chars")
    'RAG_RETRIEVAL_MAX_QUESTION_CHARS'
    """
    return "RAG_" + name.replace(".", "_").upper()


_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def _from_text(text: str, kind: type) -> object:
    """An environment variable's text as the type its setting wants; the text itself when it cannot be.

    >>> _from_text("8", int), _from_text("yes", bool), _from_text("many", int)
    (8, True, 'many')
    """
    plain = text.strip().lower()
    if kind is bool and plain in _TRUE + _FALSE:
        return plain in _TRUE
    if kind is int:
        try:
            return int(plain)
        except ValueError:
            return text
    return text


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    """A TOML file's tables; empty when there is no file and none was asked for."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        if not required:
            return {}
        raise SettingsError(
            f"{path}: RAG_CONFIG names this settings file and there is none",
            "unset RAG_CONFIG, or write the file",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{path}: the settings file cannot be read: {error.strerror}", f"ls -l {path}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the settings file is not TOML: {error}", f"mend {path}") from error


def _nearest(name: str, names: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _named_in_file(
    path: Path, tables: Mapping[str, Any], known: list[str]
) -> tuple[dict[str, object], list[str]]:
    """What a file sets, by dotted name, and what in it names no setting."""
    values: dict[str, object] = {}
    wrong: list[str] = []
    for key, value in tables.items():
        if isinstance(value, dict) and key in SECTIONS:
            values |= {f"{key}.{inner}": inner_value for inner, inner_value in value.items()}
        else:
            values[key] = value
    for name in [name for name in values if name != "store" and name not in known]:
        del values[name]
        wrong.append(f"{path}: {name} is no setting{_nearest(name, [*known, 'store'])}")
    return values, wrong


def load_settings(
    flags: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None
) -> Resolved:
    """The settings in force: flag, else environment, else file, else default, each with its origin.

    ``flags`` go by dotted name; one that is None was not given. Every value that cannot be used is named
    in one SettingsError, with its place and what was expected there. A relative store path counts from the
    settings file's folder when it stands in that file, else from the working directory.
    """
    env = os.environ if environ is None else environ
    table = rules()
    path = config_path(env)
    in_file, wrong = _named_in_file(path, _read_file(path, required=bool(env.get("RAG_CONFIG"))), list(table))

    for name in [given for given in flags or {} if given != "store" and given not in table]:
        raise SettingsError(f"{name} is no setting{_nearest(name, [*table, 'store'])}")
    known_env = {environment_name(name) for name in table}
    prefixes = tuple(f"RAG_{section.upper()}_" for section in SECTIONS)
    for variable in sorted(env):
        if variable.startswith(prefixes) and variable not in known_env:
            wrong.append(f"environment {variable}: no such setting{_nearest(variable, sorted(known_env))}")

    origin: dict[str, str] = {}
    chosen: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    store = _choose_store(flags or {}, env, in_file, path, origin, wrong)
    for name, (rule, kind, default) in table.items():
        value, origin[name] = default, "default"
        variable = environment_name(name)
        if flags and flags.get(name) is not None:
            value, origin[name] = flags[name], "flag"
        elif variable in env:
            value, origin[name] = _from_text(env[variable], kind), f"environment {variable}"
        elif name in in_file:
            value, origin[name] = in_file[name], f"file {path}"
        expected = _fault(value, kind, rule)
        if expected:
            wrong.append(f"{_place(name, origin[name])}: expected {expected}, got {value!r}")
        section, key = name.split(".")
        chosen[section][key] = value
    if wrong:
        raise SettingsError("\n".join(wrong), "mend what is named, or unset it to get the default")
    parts = {section: kind(**chosen[section]) for section, kind in SECTIONS.items()}
    return Resolved(Settings(store=store, **parts), MappingProxyType(origin))


def _place(name: str, origin: str) -> str:
    """Where a value stands, for a message.

    >>> _place("retrieval.k", "flag"), _place("retrieval.k", "file /etc/rag.toml")
    ('flag for retrieval.k', '/etc/rag.toml: retrieval.k')
    """
    if origin.startswith("file "):
        return f"{origin.removeprefix('file ')}: {name}"
    return f"flag for {name}" if origin == "flag" else origin


def _choose_store(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    in_file: Mapping[str, object],
    path: Path,
    origin: dict[str, str],
    wrong: list[str],
) -> Path:
    """The store's absolute path; notes its origin, or what is wrong with it."""
    base = Path.cwd()
    value: object
    if flags.get("store") is not None:
        value, origin["store"] = flags["store"], "flag"
    elif env.get("RAG_STORE"):
        value, origin["store"] = env["RAG_STORE"], "environment RAG_STORE"
    elif "store" in in_file:
        value, origin["store"], base = in_file["store"], f"file {path}", path.parent
    else:
        value, origin["store"] = default_store(), "default"
    if not isinstance(value, str | Path) or not str(value).strip():
        wrong.append(f"{_place('store', origin['store'])}: expected a folder's path, got {value!r}")
        return base
    return base / Path(value).expanduser()

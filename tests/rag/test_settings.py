"""Settings: precedence, origins, and every value that cannot be used named with its place."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import (
    EncoderSettings,
    PassageSettings,
    RetrievalSettings,
    Settings,
    environment_name,
    load_settings,
    rules,
)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "rag.toml"


def env(toml: Path, **more: str) -> dict[str, str]:
    return {"RAG_CONFIG": str(toml), **more}


def test_without_any_source_every_setting_is_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    resolved = load_settings(environ={})
    assert resolved.settings == Settings()
    assert set(resolved.origin.values()) == {"default"}


def test_a_flag_beats_the_environment_and_that_beats_the_file_and_that_the_default(toml: Path) -> None:
    toml.write_text("[retrieval]\nk = 6\nn_candidates = 30\nrrf_k = 50\n")
    environ = env(toml, RAG_RETRIEVAL_K="7", RAG_RETRIEVAL_N_CANDIDATES="31")
    resolved = load_settings({"retrieval.k": 8}, environ=environ)
    assert resolved.settings.retrieval == RetrievalSettings(k=8, n_candidates=31, rrf_k=50)
    assert resolved.origin["retrieval.k"] == "flag"
    assert resolved.origin["retrieval.n_candidates"] == "environment RAG_RETRIEVAL_N_CANDIDATES"
    assert resolved.origin["retrieval.rrf_k"] == f"file {toml}"
    assert resolved.origin["retrieval.max_question_chars"] == "default"


def test_a_zero_is_a_value_and_none_is_not(toml: Path) -> None:
    toml.write_text("")
    resolved = load_settings({"passages.min_words": 0, "retrieval.k": None}, environ=env(toml))
    assert resolved.settings.passages.min_words == 0
    assert resolved.origin["retrieval.k"] == "default"


def test_every_bad_value_is_named_with_its_place_and_what_was_expected(toml: Path) -> None:
    toml.write_text('[retrieval]\nrrf_k = "sixty"\n[encoder]\nmodle = "x"\n')
    environ = env(toml, RAG_RETRIEVAL_K="many", RAG_PASSAGES_SENTENCE_VIEW="perhaps", RAG_READER_THRAEDS="2")
    with pytest.raises(SettingsError) as caught:
        load_settings({"passages.max_words": 3}, environ=environ)
    assert sorted(caught.value.message.splitlines()) == [
        f"{toml}: encoder.modle is no setting (did you mean encoder.model?)",
        f"{toml}: retrieval.rrf_k: expected a whole number from 0 to 10000 (ranks), got 'sixty'",
        "environment RAG_PASSAGES_SENTENCE_VIEW: expected true or false, got 'perhaps'",
        "environment RAG_READER_THRAEDS: no such setting (did you mean RAG_READER_THREADS?)",
        "environment RAG_RETRIEVAL_K: expected a whole number from 1 to 1000 (passages), got 'many'",
        "flag for passages.max_words: expected a whole number from 40 to 2000 (words), got 3",
    ]
    assert caught.value.hint


def test_a_file_that_is_not_toml_is_named_with_the_line(toml: Path) -> None:
    toml.write_text("[retrieval\n")
    with pytest.raises(SettingsError, match=r"rag\.toml: the settings file is not TOML: .*line 1"):
        load_settings(environ=env(toml))


def test_a_file_that_is_named_must_be_there(toml: Path) -> None:
    with pytest.raises(SettingsError, match="RAG_CONFIG names this settings file and there is none"):
        load_settings(environ=env(toml))


def test_a_store_in_the_file_counts_from_the_file_and_one_on_the_command_line_from_here(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    toml.write_text('store = "mine"\n')
    assert load_settings(environ=env(toml)).settings.store == tmp_path / "mine"
    assert load_settings({"store": Path("mine")}, environ=env(toml)).settings.store == here / "mine"
    assert load_settings(environ=env(toml, RAG_STORE="theirs")).settings.store == here / "theirs"


def test_a_store_that_is_no_path_is_refused(toml: Path) -> None:
    toml.write_text("store = 3\n")
    with pytest.raises(SettingsError, match="store: expected a folder's path, got 3"):
        load_settings(environ=env(toml))


def test_true_is_no_number_and_one_is_no_truth_in_a_file(toml: Path) -> None:
    toml.write_text("[retrieval]\nk = true\n[passages]\nsentence_view = 1\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=env(toml))
    assert len(caught.value.message.splitlines()) == 2


def test_records_made_by_hand_are_checked_too() -> None:
    with pytest.raises(SettingsError, match=r"retrieval\.k: expected a whole number from 1 to 1000"):
        RetrievalSettings(k=0)
    with pytest.raises(SettingsError, match=r"encoder\.model: expected text that is not empty"):
        EncoderSettings(model="")
    with pytest.raises(
        SettingsError, match=r"passages\.min_words: expected less than passages\.max_words \(40\)"
    ):
        PassageSettings(max_words=40, min_words=60)


def test_every_setting_has_a_reason_and_every_number_its_unit_and_bounds() -> None:
    for name, (rule, kind, _) in rules().items():
        assert rule.reason, name
        if kind is int:
            assert rule.unit, name
            assert rule.low is not None, name
            assert rule.high is not None, name


def test_every_setting_can_be_given_in_the_environment(toml: Path) -> None:
    toml.write_text("")
    for name, (_, _, default) in rules().items():
        resolved = load_settings(environ=env(toml, **{environment_name(name): str(default)}))
        assert resolved.origin[name] == f"environment {environment_name(name)}"
        assert {row[0]: row[1] for row in resolved.rows()}[name] == default


def test_rows_name_every_field_of_the_settings() -> None:
    resolved = load_settings({"store": "x"}, environ={})
    sections = {item.name for item in fields(Settings)}
    assert {row[0].split(".")[0] for row in resolved.rows()} == sections

# make demo   the sample corpus indexed, and three questions asked of it
# make check  style and types, in seconds
# make test-fast   what needs no model, in under a minute
# make test   every check
# make fuzz   generated input for as long as you let it, and every fault of the disk
# make fuzz-coverage   input that reaches new code, RAG_FUZZ_SECONDS (300) for each target
# make soak   asking and reindexing side by side with faults, for RAG_SOAK_MINUTES (120)
# make man    docs/rag.1 written anew from the help texts
# make release VERSION=1.2.3   version and date written, sdist and wheel built and checked; uploads nothing
# make eval   the question sets asked, scored and held against the baseline
#
# All of them make .venv when there is none, or when what it was made from has changed; PYTHON chooses the
# interpreter it is made with (3.11 to 3.13).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MADE_FROM := pyproject.toml .ci/constraints.txt
DEMO := RAG_STORE=.demo/store $(BIN)/rag
RUN := .demo/run

.PHONY: demo check test-fast test fuzz fuzz-coverage soak man release eval clean
.DELETE_ON_ERROR:

# An environment that does not work (another machine's, a moved checkout's, a half-made one) is made again.
ifneq ($(shell $(BIN)/python -I -c 'import rag, embeddings, eval, pytest' 2>/dev/null && echo sound),sound)
.PHONY: $(STAMP)
endif

$(STAMP): $(MADE_FROM)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'making $(VENV); the first time this takes some minutes'
	@$(BIN)/python -I -c 'import pip' 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@echo '$$ rag index eval/data/corpus/doncaster'
	@$(DEMO) index eval/data/corpus/doncaster
	@for question in \
		'why was the trust decommissioned?' \
		'how many social worker posts were vacant at the end of March 2016?' \
		'who won the 1966 world cup?'; do \
		echo; echo "$$ rag ask \"$$question\""; \
		$(DEMO) ask "$$question" || { status=$$?; test $$status -ge 3 && test $$status -le 5; } || exit 1; \
	done

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

# Doctests, and tests of what opens no store with a real encoder.
FAST := embeddings eval $(addprefix rag/,answering loaders output passages retrieval session store text) \
	tests/test_floors.py tests/test_prose.py tests/test_packaging.py tests/embeddings/test_index.py \
	$(addprefix tests/rag/,answering output passages retrieval text) \
	tests/rag/test_citations.py tests/rag/test_settings.py tests/rag/test_files.py \
	tests/rag/reader/test_decoding.py tests/rag/loaders/test_loaders.py \
	tests/eval/scoring tests/eval/test_eval_metrics.py tests/eval/test_eval_significance.py

test-fast: $(STAMP)
	$(BIN)/python -m pytest -q $(FAST)

test: check
	$(BIN)/python -m pytest

# Until it is stopped or has tried all: a million examples of each target, every call to the disk refused.
fuzz: $(STAMP)
	RAG_FAULTS=all $(BIN)/python -m pytest -q tests/rag/indexing/test_faults.py \
		tests/rag/indexing/test_power_cut.py
	RAG_QUESTIONS=100000 $(BIN)/python -m pytest -q -s tests/rag/cli/test_many_questions.py
	$(BIN)/python -m pytest -q --hypothesis-profile=fuzz tests/rag/test_fuzz.py tests/rag/text/test_sinks.py

fuzz-coverage: $(STAMP)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c .ci/constraints.txt -e '.[dev,fuzz]'
	set -e; for target in $$($(BIN)/python tests/rag/coverage_fuzz.py); do \
		echo "$$target"; mkdir -p runs/fuzz/$$target; \
		$(BIN)/python tests/rag/coverage_fuzz.py $$target -max_total_time=$${RAG_FUZZ_SECONDS:-300} \
			-rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 runs/fuzz/$$target; \
	done

soak: $(STAMP)
	RAG_SOAK_MINUTES=$${RAG_SOAK_MINUTES:-120} $(BIN)/python -m pytest -q -s tests/rag/test_soak.py

man: $(STAMP)
	$(BIN)/python -m rag.cli.man > docs/rag.1

release: $(STAMP)
	@test -n '$(VERSION)' || { echo 'say which: make release VERSION=1.2.3' >&2; exit 1; }
	$(BIN)/python .ci/release.py '$(VERSION)'

eval: $(STAMP)
	$(BIN)/rag eval run eval/data/questions --corpus eval/data/corpus --out $(RUN) --fresh
	$(BIN)/rag eval gate $(RUN) --baseline eval/baseline

clean:
	rm -rf $(VENV) .demo

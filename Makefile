# Every target does all the set-up it needs: Python >= 3.11, git and make are enough.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
AGENTS := build/agents
REAL_AGENTS := $(BIN)/python -m pytest -m real_agents -rs -n 2 --dist=loadgroup
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

help: ## says what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

$(READY): dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "uet needs Python 3.11 or newer; say which: make PYTHON=...")'
	@echo "Setting up $(VENV) (once, and again when the locks change)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## the whole product in two minutes, in a scratch repository
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/uet demo; else $(BIN)/uet demo --headless; fi

test: $(READY) ## all tests but the slowest; four at a time, since many wait for processes
	@$(BIN)/python -m pytest -n 4 --dist=loadgroup -m 'not real_agents and not chaos and not slow'

slow: $(READY) ## the slowest tests, which `make test` leaves to `make check`
	@$(BIN)/python -m pytest -n 2 --dist=loadgroup -m slow

chaos: $(READY) ## kills the program at every failpoint, then 200 times at random, and looks whether anything is lost; an hour
	@$(BIN)/python -m pytest -m chaos -rP -n 3

fuzz: $(READY) ## anything at all where something is read, and any history of a run: ten thousand of each; an hour
	@$(BIN)/python -m pytest -m fuzz -n 2 --hypothesis-profile=thorough --timeout=0 --durations=0

test-agents: $(READY) ## tests with aider, claude and codex, installed in build/, and a provider that is none
	@bash tests/real_agents/install.sh $(PYTHON) $(AGENTS) aider npm
	@$(REAL_AGENTS) --ignore=tests/real_agents/test_more.py tests/real_agents

test-more-agents: $(READY) ## the same with mini-swe-agent, opencode and gemini
	@bash tests/real_agents/install.sh $(PYTHON) $(AGENTS) mini npm-more
	@$(REAL_AGENTS) tests/real_agents/test_more.py

check: format lint types imports generated coverage smoke ## everything that must hold before a change lands

format: $(READY) ## is the code formatted?
	@$(BIN)/ruff format --check .

lint: $(READY) ## does the code keep the rules?
	@$(BIN)/ruff check .

types: $(READY) ## do the types hold?
	@$(BIN)/mypy

imports: $(READY) ## do imports point one way?
	@$(BIN)/lint-imports --no-logo

generated: $(READY) ## are the generated files what the code makes?
	@$(BIN)/python -m uet_tui.plan.schema | diff -u schema/workstream.schema.json -
	@$(BIN)/python -m uet_tui.store.schema | diff -u schema/schema.sql -

generate: $(READY) ## writes the generated files
	@$(BIN)/python -m uet_tui.plan.schema >schema/workstream.schema.json
	@$(BIN)/python -m uet_tui.store.schema >schema/schema.sql

coverage: $(READY) ## all tests, and how much of the code they reach
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -n 3 --dist=loadgroup
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

smoke: $(READY) ## does the wheel work, installed outside the checkout?
	@bash tests/smoke.sh $(BIN)/python

screens: $(READY) ## the pictures of the screens, from a real run
	@$(BIN)/python -m tests.pictures

bench: $(READY) ## what it costs, beside the same work by hand
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python -m benchmarks.$$(basename $$file .py); done

lock: ## pins what is newest of everything that pyproject.toml allows
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install -qq --disable-pip-version-check uv
	@build/lock/bin/uv pip compile $(LOCK) pyproject.toml -o run.lock
	@build/lock/bin/uv pip compile $(LOCK) --constraint run.lock pyproject.toml --group dev -o dev.lock

clean: ## removes what make made
	@rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: help demo test slow chaos fuzz test-agents test-more-agents check format lint types imports generated generate coverage smoke screens bench lock clean

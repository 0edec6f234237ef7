# Two commands do all set-up on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo run test check format bench soak fuzz reliability gallery clean help

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s:

demo: $(VENV)/.installed ## install if needed, then start the dashboard on the built-in simulator
	@$(BIN)/tickdeck demo

run: $(VENV)/.installed ## install if needed, then start the dashboard on your providers
	@$(BIN)/tickdeck run

test: $(VENV)/.installed-dev ## format check, lint, import directions, strict types, all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

check: $(VENV)/.installed-dev ## the same without the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev ## measure speed against the limits; ARGS=--brief takes two minutes at most, ARGS=--write fills docs/performance.md
	$(BIN)/python -m tests.benchmarks $(ARGS)

gallery: $(VENV)/.installed ## write the pictures of the documentation
	$(BIN)/python docs/gallery.py

soak: $(VENV)/.installed-dev ## ten minutes at ten times the rate with a fault every 5 s, into docs/soak.md (SOAK_SECONDS=60 for one)
	$(BIN)/python -m tests.soak $(ARGS)

fuzz: $(VENV)/.installed-dev ## feed everything that is read from outside with broken forms of it (FUZZ_EXAMPLES=20000 a test)
	@seed=$${FUZZ_SEED:-$$(date +%s)}; echo "seed $$seed: FUZZ_SEED=$$seed make fuzz runs the same again"; \
	$(BIN)/pytest tests/fuzz -n 2 --dist load --hypothesis-profile=fuzz --hypothesis-seed=$$seed -o timeout=0

reliability: $(VENV)/.installed-dev ## write docs/reliability.md and the counts in the README from the tests
	$(BIN)/python -m tests.faults.table

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .benchmarks .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tickdeck needs Python 3.11 or newer; say PYTHON=python3.11 make ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

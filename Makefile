# Every target does its own set-up: it needs Python 3.11+, make and a package index, and no model hub.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= 2
export HF_HUB_OFFLINE := 1

.PHONY: all demo test test-all pages lint docs bench fresh constraints format clean

all: lint test

demo: $(VENV)/demo.stamp  ## pretune on a real model, in the terminal
	$(BIN)/pretune demo

test: $(VENV)/dev.stamp  ## every test but the slow ones
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow"

test-all: $(VENV)/dev.stamp  ## every test
	$(BIN)/python -m pytest -q -n $(JOBS)

pages: $(VENV)/dev.stamp  ## the HTML pages in the system's chromium: widths, themes, WCAG, keyboard, paper
	$(PIP) install -qq -c constraints.txt -e ".[dev,pages]"
	$(BIN)/python -m pytest -q tests/pages

lint: $(VENV)/dev.stamp  ## style, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp  ## the pages that are made from docstrings
	$(BIN)/python scripts/document_rules.py

bench: $(VENV)/dev.stamp  ## ours and the alternatives, side by side
	$(BIN)/python bench/check.py

fresh:  ## an empty environment, the first commands of README.md, then sdist and wheel from scratch
	$(PYTHON) scripts/fresh_machine.py

constraints: $(VENV)/dev.stamp  ## renew constraints.txt from what is installed
	$(BIN)/python scripts/write_constraints.py

$(VENV)/python.stamp:
	$(PYTHON) -m venv $(VENV)
	touch $@

KERNEL := setup.py $(wildcard src/kernel/*)

$(VENV)/demo.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt $(KERNEL)
	$(PIP) install -qq -c constraints.txt -e ".[demo]"
	touch $@

$(VENV)/dev.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt $(KERNEL)
	$(PIP) install -qq -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

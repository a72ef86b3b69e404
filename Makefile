# Everything runs in .venv, which the first target that needs it makes. Only Python >= 3.11 with pip and venv is needed.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUFF_PATHS := lstmcast tests sample_data $(wildcard benchmarks docs)
# The first Python that is new enough and can make an environment; override with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Two test processes of one thread each beat one process of two threads.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow reliability mutations lint style types bench figures docs docs-check pictures clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

install: $(STAMP)  ## make .venv and install lstmcast in it

$(STAMP): pyproject.toml .ci/constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with venv found; give one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --constraint .ci/constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## fit and forecast a sample file
	$(BIN)/lstmcast fit sample_data/price.csv --target price --out runs/demo --force
	$(BIN)/lstmcast predict runs/demo

test: $(STAMP)  ## run the tests (the slow ones left out)
	$(PYTEST)

test-slow: $(STAMP)  ## run the slow tests
	$(PYTEST) -m slow

reliability: $(STAMP)  ## break disks, kill fits, spoil files, runs and requests by the thousand; write the figures into docs/reliability.md
	FIGURES=docs/figures/reliability.json OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow or not slow" tests/faults/test_crash.py tests/faults/test_reader_fuzz.py tests/faults/test_forged_runs.py tests/deployment/test_serve_rubbish.py
	$(BIN)/python -m benchmarks.pages

mutations: $(STAMP)  ## change single places of the code, and count which changes a test notices (some two hours; goes on where it was)
	$(BIN)/python -m benchmarks.mutations
	$(BIN)/python -m benchmarks.pages

lint: style types  ## both of these:

style: $(STAMP)  ## ruff: faults and form
	$(BIN)/ruff check $(RUFF_PATHS)
	$(BIN)/ruff format --check $(RUFF_PATHS)

types: $(STAMP)  ## mypy --strict
	$(BIN)/mypy

bench: $(STAMP)  ## measure accuracy, the parts of the network, covariates, anomalies, reading and speed; write their pages (some five hours)
	$(BIN)/python -m benchmarks.reading --keep
	$(BIN)/python -m benchmarks.accuracy --seeds 0,1,2 --keep
	$(BIN)/python -m benchmarks.model --keep
	$(BIN)/python -m benchmarks.covariates --seeds 0,1 --keep
	$(BIN)/python -m benchmarks.gaps --keep
	$(BIN)/python -m benchmarks.beyond --keep
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.detection --keep
	$(BIN)/python -m benchmarks.serving --keep
	$(BIN)/python -m benchmarks.tuning --fresh
	$(BIN)/python -m benchmarks.updating --keep
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.estimates
	$(BIN)/python -m benchmarks.pages

figures: $(STAMP)  ## write the figures of all pages anew from docs/figures/
	$(BIN)/python -m benchmarks.pages

docs: $(STAMP)  ## write docs/commands.md and docs/api.md anew from the program's own help and docstrings
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/api.py

pictures: $(STAMP)  ## draw the pictures of the README and the tutorial anew
	$(BIN)/python docs/pictures.py

docs-check: $(STAMP)  ## fail where docs/commands.md or docs/api.md is not what the program says
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/api.py --check

clean:  ## remove what the targets made, .venv apart
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

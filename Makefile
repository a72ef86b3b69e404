# Everything runs in .venv, which the first target that needs it makes. Only Python >= 3.11 with pip and venv is needed.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What a user gets, without the tools of development: `make demo`.
PLAIN := $(VENV)/.plain
# Environments of their own, for what an index would give: the oldest requirements, a wheel.
OLDEST := .venv-oldest
SKTIME := .venv-sktime
# More options of pip, such as where the small build of torch lies that has no GPU in it.
PIP_ARGS ?=
RUFF_PATHS := lstmcast tests sample_data $(wildcard benchmarks docs)
# The first Python that is new enough and can make an environment; override with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Two test processes of one thread each beat one process of two threads.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# What runs the tests beside the oldest requirements: its tools are as new as may be. The oldest
# fastapi tests itself with httpx, the newest with httpx2, and uses names that anyio has moved since.
OLDEST_TOOLS := 'pytest>=9' pytest-xdist hypothesis httpx httpx2 odfpy 'polars>=1.30' 'schemathesis>=4.32' 'scikit-learn>=1.6'
# The extra `remote` is not tried with its oldest versions.
OLDEST_TESTS := --ignore tests/tables/formats/test_remote.py tests/timeaxis tests/tables tests/ingest tests/panel tests/features tests/scoring tests/network tests/runs tests/forecasting tests/training tests/evaluation tests/inspection tests/monitoring tests/tuning tests/deployment tests/api tests/platforms tests/cli/commands

# The whole command line but ranks, whose hosts are simulated with what Linux has.
SYSTEM_TESTS := tests/platforms tests/cli --ignore tests/cli/test_hosts.py --ignore tests/cli/test_ranks.py

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow test-oldest test-sktime test-windows test-macos reliability mutations lint style types bench figures docs docs-check pictures dist clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

install: $(STAMP)  ## make .venv and install lstmcast in it

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with venv found; give one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$@ -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)

$(STAMP): pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -qq --constraint .ci/constraints.txt $(PIP_ARGS) --editable '.[dev]'
	@touch $@ $(PLAIN)

$(PLAIN): pyproject.toml .ci/constraints.txt | $(BIN)/python
	@echo 'Installing lstmcast and what it needs into $(VENV): some 1.1 GB and a few minutes, most of it torch.'
	$(BIN)/python -m pip install --no-compile --constraint .ci/constraints.txt $(PIP_ARGS) --editable .
	@touch $@

demo: $(PLAIN)  ## install what a user needs, then fit and forecast a sample file
	$(BIN)/lstmcast fit sample_data/price.csv --target price --out runs/demo --force
	$(BIN)/lstmcast predict runs/demo

test: $(STAMP)  ## run the tests (the slow ones left out)
	$(PYTEST)

test-slow: $(STAMP)  ## run the slow tests
	$(PYTEST) -m slow

test-oldest:  ## run the tests with the oldest versions of what lstmcast needs, in .venv-oldest
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with venv found; give one: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(OLDEST)
	$(PYTHON) .ci/oldest.py > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install -qq --constraint .ci/constraints.txt --constraint $(OLDEST)/constraints.txt $(PIP_ARGS) --editable '.[duckdb,excel,holidays,likelihood,plot,serve,tune]' $(OLDEST_TOOLS)
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -n 2 -W 'ignore:The anyio:DeprecationWarning' $(OLDEST_TESTS)

test-sktime:  ## run the tests of the adapter for sktime, and sktime's own checks of it, in .venv-sktime
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with venv found; give one: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(SKTIME)
	$(SKTIME)/bin/python -m pip install -qq --constraint .ci/constraints.txt $(PIP_ARGS) --editable '.[sktime]' hypothesis pytest pytest-xdist
	OMP_NUM_THREADS=1 $(SKTIME)/bin/python -m pytest -n 2 -m "slow or not slow" tests/adapters

test-windows: $(STAMP)  ## run the tests of the command line as if on Windows, as far as that can be simulated
	PYTHONPATH=tests/platforms/windows $(PYTEST) $(SYSTEM_TESTS)

test-macos: $(STAMP)  ## the same as if on macOS
	PYTHONPATH=tests/platforms/macos $(PYTEST) $(SYSTEM_TESTS)

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

dist: $(STAMP)  ## build sdist and wheel into dist/, twice, and check them: the same bytes, and what an index asks for
	$(BIN)/python docs/release.py build

clean:  ## remove what the targets made, .venv apart
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

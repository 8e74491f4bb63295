# From a bare clone: `make demo` shows the main job in a real kernel, `make test` passes the tests.
# The environments are .venv (demo, lab) and .venv-X.Y (tests); pip runs again only when pyproject.toml changed.

# The tested Pythons, looked up once, and only by a recipe that names them: keep these two out of prerequisites, which
# every `make` expands. What was not found goes to stderr.
VERSIONS = $(eval VERSIONS := $(patsubst python%,%,$(notdir $(shell .ci/pythons))))$(or $(VERSIONS),$(error $(NO_PYTHON)))
LOWEST = .venv-$(firstword $(VERSIONS))
NO_PYTHON = Python 3.11 or later with venv was not found; on Debian: apt-get install python3-venv

# -qq leaves pip's errors. No byte code: most of what the proof packages bring is never imported.
PIP_INSTALL = -m pip install -qq --disable-pip-version-check --prefer-binary --no-compile
TEST_EXTRAS = lint,proof,test
PYTEST = bin/python -m pytest -n 2
SUBMAKE = +@$(MAKE) --silent
# Jupyter refuses to start for root unless told; containers often have no other user.
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help demo lab test lint types unit proof histories edited cover bench soak varied environments lowest clean
# Make would delete the stamps of pattern rules, taking them for intermediate files.
.PRECIOUS: .venv/%.installed .venv-%/installed

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

demo: .venv/demo.installed ## run the quickstart notebook in a real kernel and say what happened
	.venv/bin/python notebooks/demo.py

lab: .venv/lab.installed ## open the notebooks in JupyterLab, on 127.0.0.1
	.venv/bin/python -m jupyterlab --ServerApp.ip=127.0.0.1 --ServerApp.root_dir=notebooks $(ALLOW_ROOT)

test: lint types ## run lint, types and all tests, the tests on each Python found
	$(SUBMAKE) $(VERSIONS:%=pytest-%)
	@echo "Passed on Python $(VERSIONS)."
	@.ci/pythons >/dev/null

pytest-%: .venv-%/installed
	.venv-$*/$(PYTEST)

# One Python is enough from here to `bench`: what the lowest one takes, the others take.
lint: lowest ## check with ruff
	$(LOWEST)/bin/python -m ruff check
	$(LOWEST)/bin/python -m ruff format --check

types: lowest ## check with mypy
	$(LOWEST)/bin/python -m mypy

unit: lowest ## run the fast tests: no browser, kernel, notebook or real packages
	$(LOWEST)/$(PYTEST) -m "not browser and not history and not kernel and not notebook and not proof"

proof: lowest ## run the proof on real packages
	$(LOWEST)/$(PYTEST) -m proof

histories: lowest ## replay all release upgrades; `make test` replays a few
	$(LOWEST)/$(PYTEST) -m history

edited: lowest ## replay random edits of real packages; `make test` replays a few
	$(LOWEST)/bin/python -m tests.histories.edited

cover: lowest ## run all tests and list the lines that none of them ran
	$(LOWEST)/$(PYTEST) --cov

# The files are bench_*.py: the other targets don't collect them, since a time depends on the machine.
bench: lowest ## run the benchmarks
	$(LOWEST)/bin/python -m pytest tests/benchmarks --override-ini=python_files='bench_*.py' --capture=no

soak: lowest ## compare 5,000 random sequences of edits with restarts; goes on where it was stopped, see .soak
	$(LOWEST)/bin/python -m tests.differential.soak

varied: lowest ## compare all scenarios with restarts on other ways to the same files; `make test` compares a few
	$(LOWEST)/bin/python -m tests.scenarios.varied

lowest:
	$(SUBMAKE) $(LOWEST)/installed

environments: ## make the environments of the tests and run nothing; takes --jobs
	$(SUBMAKE) $(VERSIONS:%=.venv-%/installed)

clean: ## remove everything that make has made
	rm -rf .venv .venv-* .histories .soak .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find exocet_ipython notebooks tests -name __pycache__ -prune -exec rm -rf {} +

# The newest tested Python is the best one; 3.14 serves where there is no other.
.venv/%.installed: pyproject.toml
	$(call install,.venv,3.13 3.12 3.11 3.14,$*)

.venv-%/installed: pyproject.toml
	$(call install,.venv-$*,$*,$(TEST_EXTRAS))

# $(call install,FOLDER,VERSIONS,EXTRAS): an environment that is half made, or whose Python is gone, is made anew.
define install
@echo "Installing into $1 ..."
@$1/bin/python -m pip --version >/dev/null 2>&1 || { \
	python=$$(.ci/pythons $2 2>/dev/null | head -n 1); \
	test -n "$$python" || { echo "$(NO_PYTHON)" >&2; exit 1; }; \
	"$$python" -m venv --clear $1; }
@$1/bin/python $(PIP_INSTALL) --editable '.[$3]'
@touch $@
endef

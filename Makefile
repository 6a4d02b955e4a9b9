# One folder, one environment: everything lives in .venv and var/.
export PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo programs test test-browser bench faults thorough lint audit clean
# What is missing is said before anything is installed.
.NOTPARALLEL:

.venv/ready: requirements.lock pyproject.toml
	@.ci/environment .venv requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: .venv/ready
	@$(BIN)/ezt up --sample-data --stand-in

demo: .venv/ready
	@$(BIN)/ezt demo

# PostgreSQL, nginx, Chromium and what else the tests stand on.
programs:
	@.ci/prepare

test: programs .venv/ready
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-browser: programs .venv/ready
	@$(BIN)/python -m pytest -m browser

# What the program is measured beside has an environment of its own.
.venv-bench/ready: requirements-bench.lock
	@.ci/environment .venv-bench requirements-bench.lock
	@touch $@

bench: programs .venv/ready .venv-bench/ready
	@$(BIN)/python -m bench

faults: programs .venv/ready
	@$(BIN)/python -m tests.faults.rounds --cases 200 --rounds 10 --seed 330603

# What `make test` leaves out: the days on which counting days goes wrong, and the rounds of faults.
thorough: programs .venv/ready
	@$(BIN)/python -m tests.days
	@$(MAKE) --no-print-directory faults

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# In an environment of its own: it is nobody's dependency. A package that could not be looked up is no pass.
audit:
	@$(PYTHON) -m venv build/audit
	@build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

clean:
	@rm -rf .venv .venv-bench build *.egg-info

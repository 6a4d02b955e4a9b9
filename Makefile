# One folder, one environment: everything lives in .venv and var/.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test test-browser bench faults lint audit clean

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"需要Python 3.11至3.13，现为{v[0]}.{v[1]}；请用 make PYTHON=python3.11 指定。")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: .venv/ready
	@$(BIN)/ezt up --sample-data --stand-in

demo: .venv/ready
	@$(BIN)/ezt demo

test: .venv/ready
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-browser: .venv/ready
	@$(BIN)/python -m pytest -m browser

# What the program is measured beside has an environment of its own.
.venv-bench/ready: requirements-bench.lock
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.lock
	@touch $@

BENCHES := working_days record_sealing deadline_watch paper_backfill bulk_objections online_supervision certificate_use mail objection_life legs

bench: .venv/ready .venv-bench/ready
	@set -e; for each in $(BENCHES); do $(BIN)/python -m bench.$$each; done
	@$(BIN)/python -m bench.performance

faults: .venv/ready
	@$(BIN)/python -m tests.faults.rounds --cases 200 --rounds 10 --seed 330603

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

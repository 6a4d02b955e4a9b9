# One folder, one environment: everything lives in .venv and var/.
export PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo programs test quick test-browser bench faults thorough lint audit wheelhouse locks clean
# What is missing is said before anything is installed.
.NOTPARALLEL:

# What runs.
.venv/ready: requirements.lock pyproject.toml
	@.ci/environment .venv requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# And what tests and checks it. An environment in which this was broken off is not ready to run either.
.venv/ready-dev: .venv/ready requirements-dev.lock
	@.ci/environment .venv requirements-dev.lock
	@touch .venv/ready $@

run: .venv/ready
	@$(BIN)/ezt up --sample-data --stand-in

demo: .venv/ready
	@$(BIN)/ezt demo

# PostgreSQL, nginx, Chromium and what else the tests stand on.
programs:
	@.ci/prepare

test: programs .venv/ready-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal

# Rules, articles on SQLite and the interface, which need no other programs. What takes its time is left to `make test`:
# whatever may be sent, hostile bodies, made-up files, rounds of trial calls, counting by several processes.
LONG := documents bounds spot_checks trial_calls
quick: .venv/ready-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal regulation runtime tests/articles tests/interface \
		-k "not (postgresql or processes or unfolds)" $(LONG:%=--ignore=tests/interface/test_%.py)

test-browser: programs .venv/ready-dev
	@$(BIN)/python -m pytest -m "browser and not thorough"

# What the program is measured beside has an environment of its own.
.venv-bench/ready: requirements-bench.lock
	@.ci/environment .venv-bench requirements-bench.lock
	@touch $@

bench: programs .venv/ready-dev .venv-bench/ready
	@$(BIN)/python -m bench

faults: programs .venv/ready-dev
	@$(BIN)/python -m tests.faults.rounds --cases 200 --rounds 10 --seed 330603

# What `make test` leaves out: faults, attacks and walks on PostgreSQL, the days on which counting days goes wrong, and
# the rounds of faults.
thorough: programs .venv/ready-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal -m thorough
	@$(BIN)/python -m tests.days
	@$(MAKE) --no-print-directory faults

lint: .venv/ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# In an environment of its own: it is nobody's dependency. A package that could not be looked up is no pass.
audit:
	@$(PYTHON) -m venv build/audit
	@build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock -r requirements-dev.lock

# What an installation without internet needs, for machines like this one: the wheels, and the program's files as they are
# here. It has a pip of its own: whoever collects need not install.
build/wheelhouse/ready: requirements.lock
	@.ci/environment build/pip .ci/pip.lock
	@rm -rf build/wheelhouse
	@build/pip/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		--only-binary :all: --dest build/wheelhouse -r requirements.lock
	@touch $@

wheelhouse: build/wheelhouse/ready
	@git ls-files -z | tar --create --gzip --owner=root:0 --group=root:0 --mode=u=rwX,go=rX --null --files-from - \
		--file build/wheelhouse/ezt.tar.gz
	@sha256sum build/wheelhouse/ezt.tar.gz

# What is asked for in pyproject.toml, as packages with hashes, the versions left as they are where they may be. What tests
# comes in the versions of what runs. Made by uv, which nobody else needs.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
locks:
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) --group pyproject.toml:dev -c requirements.lock -o requirements-dev.lock
	@$(LOCK) --group pyproject.toml:bench -o requirements-bench.lock
	@echo pip | $(LOCK) - -o .ci/pip.lock

clean:
	@rm -rf .venv .venv-bench build *.egg-info

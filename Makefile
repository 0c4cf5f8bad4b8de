# The few verbs of this project. `make run` and `make test` work in a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check test-interpreted cover-kernels bench clean

run: .venv/.run
	$(BIN)/jointcell run $(ARGS)

test: .venv/.test
	$(BIN)/python -m pytest -q $(ARGS)

check: .venv/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test-interpreted: .venv/.test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/kinematics --cov=kinematics --cov-branch --cov-report=term-missing --cov-fail-under=100

# Compiled kernels are invisible to coverage: those outside kinematics run once more, interpreted, and are added to the
# coverage of `make test ARGS=--cov=...`.
cover-kernels: .venv/.test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/controller/motion/test_orientation.py tests/sim/test_joint_under_test.py tests/controller/scheduling/test_cycle_ratio.py tests/controller/scheduling/test_longest_path.py tests/controller/scheduling/shop/test_interpreted.py $(ARGS)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/controller/scheduling/test_solve.py -k "same_seed or pinned" --cov-append $(ARGS)

# Side by side with peers; an hour and more. A bounded form: make bench ARGS=--quick
bench: .venv/.bench
	$(BIN)/jointcell bench kernels --peers $(ARGS)
	$(BIN)/jointcell bench schedule --peers $(ARGS)
	$(BIN)/jointcell bench plan $(ARGS)
	$(BIN)/jointcell bench serial $(ARGS)
	$(BIN)/jointcell bench supervision $(ARGS)
	$(BIN)/jointcell bench panel $(ARGS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "jointcell needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --progress-bar on -e .
	@touch $@

.venv/.test: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --progress-bar on -e '.[test]'
	@touch $@ .venv/.run

.venv/.bench: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --progress-bar on -e '.[peers]'
	@touch $@ .venv/.run

.venv/.check: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --progress-bar on -e '.[test,check]'
	@touch $@ .venv/.run .venv/.test

clean:
	rm -rf .venv .jit_cache build dist *.egg-info

# make run | test | test-fast | check | bench [ONLY=name] | clean
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROCESSES := -n 2 --dist loadfile
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test test-fast check format bench clean

run: $(VENV)/.app
	$(BIN)/python app.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PROCESSES)

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest $(PROCESSES) -m "not browser and not model and not slow"

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(ONLY)

$(VENV)/.app: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; ok = (3, 10) <= sys.version_info[:2] <= (3, 12); sys.exit(0 if ok else "In-Context Lab needs Python 3.10 to 3.12, found %d.%d: use make PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the app needs into $(VENV) (a few minutes, once) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.app
	@echo "Installing what the benchmarks compare with ..."
	@$(PIP) -r requirements-bench.txt
	@touch $@

clean:
	rm -rf $(VENV)

# `make demo` and `make test` are the README's two commands; both set up what they need in .venv.
#
#   make demo     set up and run a whole pool on loopback until it has mined two blocks
#   make test     set up and run everything that CI runs: ruff, mypy, pytest
#   make bench    measure this machine's devices
#   make soak     kill services of a running pool at random, 50 times, and look at the books
#   make docs     build the operators' pages as a site, into build/site
#   make clean    remove .venv and build products

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOLDERS := protocol kernels engine client operations miner handler pool cli
SOURCES := $(wildcard $(foreach folder,$(FOLDERS),$(folder)/*.* $(folder)/*/*.*))
PIP_INSTALL := $(BIN)/python -m pip install -qq --config-settings editable_mode=strict

.PHONY: demo test bench soak lint types tests docs clean

demo: $(VENV)/installed
	$(BIN)/packetcrypt devnet --blocks 2

bench: $(VENV)/installed
	$(BIN)/packetcrypt bench ann

soak: $(VENV)/installed-dev
	$(BIN)/python tests/support/soak.py

test: lint types tests

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy $(addprefix -p packetcrypt.,$(FOLDERS))

tests: $(VENV)/installed-dev
# Two files at a time: most tests compute on one core, or wait.
	$(BIN)/pytest -n 2 --dist loadfile --durations=10

docs: $(VENV)/installed-dev
	$(BIN)/mkdocs build --strict

# Stamp files: installed again when a module is added or the dependencies change (see pyproject.toml).
# Wheels come from PyPI; nothing is compiled here but OpenCL kernels, at run time.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; run make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "error: $(PYTHON) has no venv; run apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip

$(VENV)/installed: pyproject.toml $(SOURCES) | $(VENV)/bin/python
	$(PIP_INSTALL) -e '.[pocl]'
	touch $@

$(VENV)/installed-dev: pyproject.toml $(SOURCES) | $(VENV)/bin/python
	$(PIP_INSTALL) -e '.[pocl,dev]'
	touch $(VENV)/installed $@

clean:
	rm -rf $(VENV) build dist *.egg-info

# make demo    analyse a phantom study with the embedded bundle, print the grades and where the report lies
# make test    every check and every test, windows on a virtual screen
# make bundle  train the embedded bundle again, from a seed
# make screenshots  pictures of the reader at work on a phantom, into docs/screens
# make clean   remove what the others made
# Each sets itself up; PYTHON names the Python 3.11+ to use, WORKERS the test processes.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LIBRARIES := $(VENV)/.libraries
# Mesa's own drawing threads may touch a fence that is freed already (22.3, lp_fence): none, then.
SCREEN := LP_NUM_THREADS=0 xvfb-run -a -s "-screen 0 1600x1000x24"

export PYTHON
# Libraries are installed without bytecode: a process that may not keep what it compiles compiles all of
# PyTorch, and so does each one after it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bundle screenshots clean

demo: $(INSTALLED)
	$(BIN)/napari-lumbar demo --out demo-report

# One thread for each test process: with more they wait for each other.
test: export OMP_NUM_THREADS = 1
test: lint
	$(SCREEN) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(INSTALLED) $(LIBRARIES)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari-lumbar --imports

bundle: $(INSTALLED)
	$(BIN)/python -m napari_lumbar.training bundle

screenshots: $(INSTALLED) $(LIBRARIES)
	$(SCREEN) $(BIN)/python -m benchmarks.screenshots docs/screens

clean:
	rm -rf $(VENV) build dist demo-report .mypy_cache .ruff_cache .import_linter_cache

$(INSTALLED): pyproject.toml .ci/setup
	.ci/setup python $(VENV)
	touch $@

$(LIBRARIES): .ci/setup | $(INSTALLED)
	.ci/setup system
	touch $@

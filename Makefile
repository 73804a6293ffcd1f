# Everything runs from .venv, which is made on first use from requirements.lock.
# PYTHON=/path/to/python picks the interpreter; otherwise the first of these that fits is taken.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
  2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# As many tests at once as there are processors; the tests of one file one after another.
AT_ONCE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: lessons test lab release lint format benchmark soak lock clean

# OPTIONS="-p epochs 1 -p train_size 6000" makes it short.
lessons: $(READY)
	$(BIN)/course run --out build/lessons $(OPTIONS)

test: $(READY) lint
	$(BIN)/pytest $(AT_ONCE)

lab: $(READY)
	$(BIN)/course lab

release: $(READY)
	$(BIN)/course release

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(READY)
	$(BIN)/python -m tests.benchmarks

soak: $(READY)
	$(BIN)/pytest tests/soak

# The lock for every platform and Python at once, and the same versions without hashes for conda's pip.
lock: $(READY)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --extra test pyproject.toml -o requirements.lock
	grep -E '^[a-z]' requirements.lock | sed -e 's/ *\\$$//' > constraints.txt

# pip refuses an editable install beside hashes, hence two calls. The pip that comes with
# Python is enough, and setuptools, which builds the package, is in the lock.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 with venv was found: install one (on Debian and Ubuntu also python3-venv), or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q -j 0 $(VENV) >/dev/null || true
	touch $@

clean:
	rm -rf build $(VENV)

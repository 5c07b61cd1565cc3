# make demo   solve examples/bridge.yaml with nothing but Python 3.11+, a C++ compiler and make on the machine
# make test   the whole suite, with branch coverage
# make lint, make docs, make wheel, make format, make clean
# make bench  the quick benchmarks, some ten minutes; make bench-all measures everything and takes a night

# The first Python that is new enough; `make PYTHON=/path/to/python3` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
BENCH := $(BIN)/python -m benchmarks
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# Two test processes with one thread each use two cores better than one with two. A file stays in one of them,
# so that what its tests share is solved and trained once.
WORKERS ?= 2
# The build runs in the environment itself (no isolation), so that a second build only compiles what changed.
BUILD_TOOLS := 'scikit-build-core>=0.10' 'nanobind>=2.2' 'cmake>=3.18' ninja
BUILT_FROM := pyproject.toml CMakeLists.txt README.md $(wildcard kernels/*)

.PHONY: demo test lint format docs bench bench-all wheel install clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/trabecula solve examples/bridge.yaml --out out/bridge --stl
	@echo
	@echo "The picture is out/bridge/design.png, the surface to print is out/bridge/design.stl (millimetres)."
	@echo "Change examples/bridge.yaml and run: $(BIN)/trabecula solve examples/bridge.yaml --stl"

install: $(VENV)/.installed

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered --cov-report=xml

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(wildcard kernels/*.cpp kernels/*.h kernels/*.hpp)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(wildcard kernels/*.cpp kernels/*.h kernels/*.hpp)

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Results of the quick ones go to out/benchmarks, so that those in benchmarks/results stay as they are.
bench: $(VENV)/.dev
	$(BENCH).kernels --sizes 96x48x48 1000x500 --json out/benchmarks/kernels.json
	$(BENCH).multigrid --quick
	$(BENCH).iteration --million --json out/benchmarks/iteration.json
	$(BENCH).file_to_design --most 600000 --json out/benchmarks/file_to_design.json
	$(BENCH).instant --json out/benchmarks/instant.json

bench-all: $(VENV)/.dev
	$(BENCH).kernels
	$(BENCH).multigrid
	$(BENCH).iteration --huge
	$(BENCH).peers
	$(BENCH).file_to_design --cold-million
	$(BENCH).instant
	$(BENCH).threads
	$(BENCH).estimates
	$(BENCH).optima --large
	$(BENCH).hybrid --budget 14400
	mkdir -p out/benchmarks
	$(BENCH).surface --json out/benchmarks/surface.json
	$(BENCH).bound --json out/benchmarks/bound.json
	$(BENCH).tables

# The wheel alone, in an empty environment and another folder, must be enough.
wheel: $(VENV)/.installed
	rm -rf build/wheel && $(PIP) wheel --no-build-isolation --no-deps -w build/wheel .
	$(BIN)/python .ci/check_wheel.py build/wheel/*.whl

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "trabecula needs Python 3.11 or newer with venv; name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BUILT_FROM) | $(BIN)/python
	$(PIP) install $(BUILD_TOOLS)
	$(PIP) install --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) install --no-build-isolation -e '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) install --no-build-isolation -e '.[docs]'
	@touch $@

clean:
	rm -rf build dist site .coverage coverage.xml htmlcov
	find src tests -name __pycache__ -prune -exec rm -rf {} +

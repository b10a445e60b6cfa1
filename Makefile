# Set-up happens by itself: .venv is made again when pyproject.toml or constraints.txt changes.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
# Tests and benchmarks start thousands of programs: each is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
# Many tests wait for real processes more than they compute; each keeps to folders and ports of its own.
JOBS ?= 5

.PHONY: demo test tests quick lint bench simulate pages wheel clean classify

demo: .venv/ready  ## set up, and run the main job on the embedded local profile
	@$(BIN)/skill demo

test: .venv/ready  ## set up, lint, and run every test, at the same time; JOBS=1 runs the tests one after another
	@$(MAKE) --no-print-directory -j2 lint tests

tests: .venv/ready
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

quick: .venv/ready  ## the tests that take seconds
	@$(BIN)/python -m pytest -m "not slow"

lint: .venv/ready  ## ruff, mypy strict, and the floors of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/ready  ## measure against peers installed beside us; writes bench/RESULTS.md
	@$(BIN)/python bench/run.py

simulate: .venv/ready  ## months with prediction and without; writes the table in docs/simulation.md
	@$(BIN)/python bench/simulate.py --seeds 5 --write

classify: .venv/ready  ## how well failures are read: per kind, per program, and the worst mistakes
	@$(BIN)/python bench/classify.py

pages: .venv/ready  ## docs/tools.md from the registry, docs/skills.md from the skill files
	@$(BIN)/python bench/pages.py

wheel: .venv/ready  ## build the wheel into dist/
	@$(BIN)/python -m pip -q wheel --no-deps --no-build-isolation -w dist .

clean:  ## remove everything that can be made again
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "skill-engine needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON) (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

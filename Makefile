# make run   starts SEMC Live on the simulated scan; installs only what that needs
# make test  lint, types, import contracts, tests; installs the rest, PyTorch among it
# make test-all  the same with whole trainings and other long tests
# make docs   the documents as a site, in build/docs: open index.html
# make screens  every page, dialog and state of the window at every size, on sheets to be looked at (build/screens)
# make record what the program does, held against what it did (tests/record)
# make smoke  the program without the extras on another Python: make smoke PYTHON=python3.13
# make sbom   what the program consists of (CycloneDX), and all licences with their texts, in build/parts
# make bundle  the program with a Python of its own, as a Debian package, in build/bundle (docs/install.md)
# make bundle-installed  that package installed into a new Debian without Python, and its window opened (as root)
# make flaky  the tests of threads and of the window 30 times, and once with threads that change every microsecond
# make attack 2,000 sessions changed at random and on purpose, each of which must be found (docs/proof.md)
# make mutants-named  changes that make the program wrong, each of which a test must notice (docs/testing.md)
# make mutants  an hour of small changes made by a tool, and the share of them that the tests notice (docs/testing.md)
# make fuzz   damaged files of every kind, a minute: make fuzz SECONDS=600 TARGETS="dicom video", or INPUTS=1000000 (docs/reliability.md)
# make crash  kills at random moments of all that the program does: make crash KILLS=100 (docs/reliability.md)
# make drive  the window driven by mouse and keys on a display of its own: make drive FOLDER=DIR ERRORS=1 (docs/testing.md)
# make soak   a live scan, reviews and exports at once, and what grows: make soak MINUTES=60 (docs/reliability.md)
# Each makes its virtual environment and installs what it needs first; later calls skip that.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The tests start the program hundreds of times: without byte code each start would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-all checks unit-tests docs record smoke sbom bundle bundle-installed screens flaky attack fuzz crash soak drive mutants-named mutants clean

run: $(VENV)/installed-run
	$(BIN)/semc live simulated:2007

# For continuous integration all are run.
SHORT ?= $(if $(SEMC_CI),,-m "not long")
# Types take one core for a minute: beside them the tests begin.
test: $(VENV)/installed-test
	$(MAKE) --no-print-directory -j 2 checks unit-tests

checks: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit-tests: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --max-worker-restart=0 $(SHORT)

test-all:
	$(MAKE) test SHORT=

docs: $(VENV)/installed-test
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --conf-dir docs --doctree-dir build/doctrees . build/docs
	$(BIN)/python -m tests.docs.site build/docs

record: $(VENV)/installed-test
	$(BIN)/python -m tests.record

SMOKE = .venv-smoke-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
smoke:
	$(PYTHON) -m venv $(SMOKE)
	$(SMOKE)/bin/python -m tests.smoke

sbom: $(VENV)/installed-test
	$(BIN)/python -m tests.parts_lists

# PyInstaller is a tool under the GPL, whose exception lets what it makes be under any licence; it is kept apart.
BUNDLING := .venv-bundle/bin/python
bundle:
	$(PYTHON) -m venv .venv-bundle
	$(BUNDLING) -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt . pyinstaller
	rm -rf build/lib
	$(BUNDLING) -m bundle.make
	$(BUNDLING) -m bundle.speed
bundle-installed:
	$(BUNDLING) -m bundle.try_installed

screens: $(VENV)/installed-test
	$(BIN)/python -m tests.app.contact_sheets

flaky: $(VENV)/installed-test
	$(BIN)/python -m tests.flaky

attack: $(VENV)/installed-test
	$(BIN)/python -m tests.attack

SECONDS ?= 60
fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.fuzz $(TARGETS) $(if $(INPUTS),--inputs $(INPUTS),--seconds $(SECONDS))

KILLS ?= 20
crash: $(VENV)/installed-test
	$(BIN)/python -m tests.crash --kills $(KILLS)

MINUTES ?= 5
soak: $(VENV)/installed-test
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

# What it needs beside Python is told by itself: it installs nothing.
FOLDER ?= build/drive
drive: $(VENV)/installed-test
	$(BIN)/python tests/app/drive_window.py $(FOLDER) $(if $(ERRORS),--errors)

mutants-named: $(VENV)/installed-test
	$(BIN)/python -m tests.mutations.named

SECONDS_FOR_MUTANTS ?= 3600
mutants: $(VENV)/installed-test
	$(BIN)/python -m tests.mutations.survey --seconds $(SECONDS_FOR_MUTANTS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("SEMC Live needs Python 3.11 or later: make PYTHON=python3.12") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing SEMC Live into $(VENV); the first time this takes some minutes."
	$(PIP) --no-compile -e .
	@touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing SEMC Live and its tools into $(VENV); the first time this takes some minutes."
	$(PIP) --no-compile -e ".[train,dev,ocr,docs,cluster,onnx,fhir,search,http,web]"
	@# pip would do this by one process, and the packages' tests, too; some of what they hold is no Python.
	-@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib
	@touch $@ $(VENV)/installed-run

clean:
	rm -rf $(VENV) .venv-smoke-* .venv-bundle build docs/api *.egg-info

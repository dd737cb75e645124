# make run      install into .venv and run a personal mail system on 127.0.0.1:2525
# make test     install and run every test that this machine can run
# make peers    install (root, apt-get) the real servers that tests talk to
# make lint     ruff and mypy
# make bench    measure, beside a real Postfix where one is installed; bench-tables: lookup tables alone
#               bench-queue: 50,000 messages that wait; bench-rules: name service, restrictions, a milter

PYTHON ?= $(shell for p in /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 python3; do command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ROUNDS ?= 200

.PHONY: install run test unit peers lint bench bench-tables bench-queue bench-rules crash clean

install: $(VENV)/.installed
run: install
	@sh tools/run-personal.sh $(VENV)

$(VENV)/.installed: setup.cfg pyproject.toml
	@sh tools/make-venv.sh $(PYTHON) $(VENV)
	@sh tools/install.sh $(BIN)/python all
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@sh tools/install.sh $(BIN)/python all dev
	@touch $@

test: $(VENV)/.dev
	sh tools/run-tests.sh $(BIN)/python

unit: $(VENV)/.dev
	$(BIN)/python -m twisted.trial -j2 tests.unit tests.house

lint: $(VENV)/.dev
	$(BIN)/ruff check pytwfix tests twistd_plugins
	$(BIN)/mypy pytwfix tests twistd_plugins

peers:
	sh tools/install-peers.sh

bench: $(VENV)/.dev
	$(BIN)/python bench/bench.py

bench-tables: $(VENV)/.dev
	$(BIN)/python bench/tables.py

bench-rules: $(VENV)/.dev
	$(BIN)/python bench/rules.py

bench-queue: $(VENV)/.dev
	$(BIN)/python bench/queued.py

crash: $(VENV)/.dev
	$(BIN)/python -m tests.integration.crash --rounds $(ROUNDS)

clean:
	rm -rf build dist *.egg-info _trial_temp* .mypy_cache .ruff_cache

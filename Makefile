# Every target is explained by the comment beside it; `make help` prints them.

PYTHON ?= python3
BOARD ?= qemu-virt-aarch64
VENV := .venv
BIN := $(VENV)/bin
# The environment is made again when what it depends on changes.
WANTED := $(shell sha256sum pyproject.toml | cut -c1-16)
INSTALLED := $(VENV)/.installed-$(WANTED)
INSTALLED_DEV := $(VENV)/.installed-dev-$(WANTED)

# A real browser or an emulated router on a busy computer may be late once. Such a test is asked once more, and the
# report says which one it was (R); `make test-long` asks nobody twice. One that hangs is a failure, not an end.
ONCE_MORE := --reruns 1 -rR --timeout 900

# The host's tests mostly wait: for a deadline, a browser, a line. A file of them stays in one process.
AT_ONCE := -n 3 --dist loadfile
# The browser sees no database, the service is started as it is by default, and some suites try both by themselves.
ELSEWHERE := %browser.py %service.py %live_people.py %live_wire.py %lines.py %store.py %outages.py %races.py %odd_input.py %same_work.py %live_attack.py %live_codes.py
ON_POSTGRESQL := $(filter-out $(ELSEWHERE) $(wildcard tests/host_tools/test_cloud_accessible*.py),$(wildcard tests/host_tools/test_cloud_*.py))

MAKEFLAGS += --no-print-directory
# The suites share two cores, one router and one screen: never side by side, whatever -j says.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run setup bundle image test test-unit test-host test-postgresql test-system test-long lint bench clean packages packages-test packages-bench micropython

help:  ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo
	@echo "  BOARD=host      the daemon on this computer, without QEMU"
	@echo "  FRESH=1         start over with a blank router and an empty cloud"
	@echo "  ARGS='...'      more arguments for \`gatelodge run\`, or for pytest"

run: $(INSTALLED)  ## start the cloud and a provisioned router (BOARD=, FRESH=1, ARGS=)
	@exec $(BIN)/gatelodge run --board $(BOARD) $(if $(FRESH),--fresh) $(ARGS)

setup: $(INSTALLED)  ## install what `make run` needs, and build nothing

bundle: $(INSTALLED)  ## compile the firmware into one bundle
	@$(BIN)/gatelodge bundle build

image: $(INSTALLED)  ## build a board's image (BOARD=)
	@$(BIN)/gatelodge board build $(BOARD)

test: lint test-unit test-host test-postgresql test-system  ## everything that must pass

test-unit: $(INSTALLED_DEV) micropython  ## the router's decisions and the contract, on both interpreters
	@$(BIN)/python -m pytest $(ONCE_MORE) tests/test_*.py tests/contract tests/firmware $(ARGS)
	@$(BIN)/python tests/micropython/run.py

test-host: $(INSTALLED_DEV) micropython packages-test  ## the bench, the emulator, the releases and the cloud
	@$(BIN)/python -m pytest $(AT_ONCE) $(ONCE_MORE) tests/host_tools $(ARGS)

test-postgresql: $(INSTALLED_DEV) packages-test  ## the cloud's tests once more, on PostgreSQL
	@DATABASE=postgresql $(BIN)/python -m pytest $(AT_ONCE) $(ONCE_MORE) $(ON_POSTGRESQL) $(ARGS)

test-system: $(INSTALLED_DEV) packages-test  ## the whole path on the emulated router, with a real browser
	@$(BIN)/python -m pytest $(ONCE_MORE) tests/system $(ARGS)

test-long: $(INSTALLED_DEV) packages-test  ## the fuzzer, hundreds of faulty cables, the system tests five times over: what fails seldom
	@$(BIN)/python -m tests.fuzz --seconds 300
	@FULL=1 $(BIN)/python -m pytest tests/host_tools/test_week.py $(ARGS)
	@FULL=1 $(BIN)/python -m pytest tests/host_tools/test_flash_faults.py tests/host_tools/test_flash_resume.py tests/host_tools/test_console_interrupts.py $(ARGS)
	@FULL=1 $(BIN)/python -m pytest tests/host_tools/test_cloud_races.py $(ARGS)
	@FULL=1 $(BIN)/python -m pytest tests/system/test_cloud_under_systemd.py $(ARGS)
	@for turn in 1 2 3 4 5; do echo "turn $$turn of 5"; $(BIN)/python -m pytest tests/system $(ARGS) || exit; done

lint: $(INSTALLED_DEV)  ## style and types
	@$(BIN)/ruff check
	@$(BIN)/mypy

bench: $(INSTALLED_DEV) micropython packages-bench  ## measure ratios in one run; also writes bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

clean:  ## remove what was built; a run's data in .run stays
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache bench.json
	@find firmware host_tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

micropython: $(INSTALLED)
	@test -x build/micropython/bin/micropython || $(BIN)/gatelodge board micropython

packages:
	@$(PYTHON) -m host_tools.debian_packages run

packages-test:
	@$(PYTHON) -m host_tools.debian_packages test

packages-bench:
	@$(PYTHON) -m host_tools.debian_packages bench

# A stopped set-up has no stamp, and is made again.
$(INSTALLED): | packages
	@echo "  · Python environment       $(VENV)"
	@test -x $(BIN)/python || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@rm -f $(VENV)/.installed-*
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo "  · Python test environment  $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

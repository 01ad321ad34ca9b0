# The two commands: `make run` starts the hub, `make test` proves it. `make demo` practises.
PYTHON_BIN := .venv/bin/python
TEST_PROCESSES ?= 2

.PHONY: run demo test lint types bench chaos security lighthouse lock bytecode
.DEFAULT_GOAL := run

run: .venv/requirements.lock bytecode
	@exec $(PYTHON_BIN) -m app.supervisor

# The practice partners need what the tests need.
demo: .venv/requirements-test.lock bytecode
	@exec $(PYTHON_BIN) -m scripts.demo

test: .venv/requirements-test.lock bytecode
	@scripts/browser.sh
	@scripts/postgres.sh
	@scripts/nginx.sh
	@$(MAKE) --no-print-directory lint types
	$(PYTHON_BIN) -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not browser"
# Apart: Playwright leaves a loop running in its process, beside which no other can be run. By whole files,
# whose tests share a hub; in their order, so that one that waits for the clock comes early.
	$(PYTHON_BIN) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m browser

# A process that is started again must not compile the hub first, also where Python keeps no bytecode.
bytecode:
	@$(PYTHON_BIN) -m compileall -q app worker.py

lint: .venv/requirements-test.lock
	$(PYTHON_BIN) -m ruff check .
	$(PYTHON_BIN) -m ruff format --check .

types: .venv/requirements-test.lock
	$(PYTHON_BIN) -m mypy

# BENCH="deliveries --quick" chooses rows, BENCH=--keep renews the README's table.
bench: .venv/requirements.lock .venv-bench/requirements-bench.lock bytecode
	@.venv-bench/bin/python -m bench $(BENCH)

# CHAOS="big --seed 7" chooses rows and the seed, CHAOS=--keep renews docs/reliability.md.
chaos: .venv/requirements-test.lock bytecode
	@scripts/postgres.sh
	@scripts/faketime.sh
	@scripts/strace.sh
	@$(PYTHON_BIN) -m chaos $(CHAOS)

# SECURITY="tests" or the names of scanners choose parts.
security: .venv/requirements-test.lock .venv-security/requirements-security.lock .venv-wapiti/requirements-wapiti.lock bytecode
	@scripts/browser.sh
	@scripts/nginx.sh testssl
	@$(PYTHON_BIN) -m security $(SECURITY)

# Lighthouse on the four busiest pages (needs node). Its scores swing with the machine's load: not in `make test`.
lighthouse: .venv/requirements-test.lock
	@scripts/browser.sh
	@scripts/lighthouse.sh

# UPGRADE=--upgrade takes the newest versions that pyproject.toml allows.
lock:
	@scripts/lock.sh $(UPGRADE)

.venv/%.lock: %.lock scripts/install.sh
	@scripts/install.sh $<

.venv-security/%.lock: %.lock scripts/install.sh
	@VENV=.venv-security scripts/install.sh $<

.venv-wapiti/%.lock: %.lock scripts/install.sh
	@VENV=.venv-wapiti scripts/install.sh $<

.venv-bench/%.lock: %.lock scripts/install.sh
	@VENV=.venv-bench scripts/install.sh $<

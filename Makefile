# Three commands do everything on a fresh machine with Python 3.11+, Rust and (for the tests) Node:
#   make prove   proves a real digit, verifies it natively, independently and in an embedded EVM
#   make demo    opens a page to draw a digit on, which proves it and checks the proof in the browser
#   make test    installs what the tests need and runs them all, the page in a real browser among them
# and where there is no Rust: a kernel wheel in dist/, which `make wheel` builds on another machine, is used by both.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# with the build tools that requirements/runtime.txt pins, fetching nothing
INSTALL := $(BIN)/pip install --quiet --no-deps --no-build-isolation
KERNEL_SOURCES := kernel/pyproject.toml kernel/Cargo.toml kernel/Cargo.lock $(wildcard kernel/*.pyi) $(wildcard kernel/src/*.rs)

.PHONY: prove demo test wheel lint lock clean

prove: $(VENV)/.runtime
	mkdir -p build
	$(BIN)/zkpredict prove examples/seven.png --model examples/mnist.model --out build/seven.proof
	$(BIN)/zkpredict verify examples/seven.png build/seven.proof --commitment examples/mnist.commitment
	$(BIN)/zkpredict verify examples/seven.png build/seven.proof --commitment examples/mnist.commitment --independent
	$(BIN)/zkpredict chain verify examples/seven.png build/seven.proof --commitment examples/mnist.commitment

PORT ?= 8000
demo: $(VENV)/.runtime
	@echo "Open the address below in a browser; Ctrl-C ends it. For another port: make demo PORT=8001"
	$(BIN)/zkpredict serve --model examples/mnist.model --open --port $(PORT)

$(VENV)/bin/python:
	@$(PYTHON) tools/kernel_wheel.py python
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml $(KERNEL_SOURCES) $(wildcard dist/zkpredict_kernel-*.whl) | $(VENV)/bin/python
	@$(BIN)/python tools/kernel_wheel.py check
	$(BIN)/pip install --quiet --require-hashes -r requirements/runtime.txt
	$(BIN)/python tools/kernel_wheel.py install
	$(INSTALL) --editable . --config-settings editable_mode=compat
	touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.runtime
	$(BIN)/pip install --quiet --require-hashes -r requirements/test.txt
	touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --silent --ignore-scripts
	touch $@

wheel: $(VENV)/.runtime
	$(BIN)/python tools/kernel_wheel.py build

lint: $(VENV)/.test
	$(BIN)/ruff check --no-cache --quiet .
	rm -rf build/installed build/lib build/bdist.*
	$(INSTALL) --target build/installed .
	cd build/installed && ../../$(BIN)/lint-imports --no-cache --config ../../.importlinter
	cd build/installed && ../../$(BIN)/mypy --config-file ../../pyproject.toml --no-error-summary

test: lint node_modules/.package-lock.json
	cargo test --release --quiet --manifest-path kernel/Cargo.toml
	$(BIN)/python -m pytest -n auto --dist loadfile

lock: $(VENV)/bin/python
	$(BIN)/pip install --quiet pip-tools
	for name in runtime test; do \
		$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
			--output-file requirements/$$name.txt requirements/$$name.in; done

clean:
	rm -rf $(VENV) node_modules kernel/target build *.egg-info

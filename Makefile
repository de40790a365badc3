# make demo-home   a compound order spoken in Chinese moves simulated devices on a real Mosquitto
# make demo    environment, weights with progress bars, sample plant, questions answered
# make test    environment and the whole suite
# make setup   the environment alone
# make check   format, lint, types and the suite: what CI runs        make fix    format and mend what ruff can
# make bench-turn, bench-model, bench-panels, bench-knowledge, bench-weights, bench-logs [ROWS=N], bench-server [RUNG=NAME], bench-boxes, bench-page, bench-voice [SHOW=1], score-panels, score-detection, score-books, score-refusals, score-plates, score-turn, score-screen [EVERY=1]    figures; a table, and last one JSON line
# make install-paddleocr  the paddleocr package as the reader of this box        make test-paddleocr  the same, tried for real
# make fuzz-panels [FOR=600]   damaged and hostile pictures through decoder and parser, for so many seconds
# make bundle OUT=/media/usb/watchkeeper   what deploy/install.sh installs on a box without a network; more: deploy/bundle.sh --help
# make test-install  a clean Debian is booted, installed into, killed and cleared again; as root, with debootstrap and systemd-nspawn
# make fuzz-http [FOR=600]     hostile requests to every route of the real server, for so many seconds
# make faults  everything that can break is broken on purpose; exit code 1 if anything was lost (an hour or so)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Where the bundle of the paddleocr package is built, some 200 MB.
PADDLEOCR := $(or $(TMPDIR),/tmp)/watchkeeper-paddleocr
# llama.cpp is compiled on the machine it runs on; the tests' own build cache makes the second time quick.
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
# What answers in scores: 1.2 GB the first time, then only verified.
BOOKS := embed dictionary
ANSWERING := $(BOOKS) qwen2.5-1.5b
pull = @$(BIN)/watchkeeper weights pull $(1) >&2

.PHONY: bench-boxes bench-server bench-page demo-home bench-knowledge setup demo test lint check fix bench-turn bench-model bench-panels bench-weights bench-logs score-panels score-answers score-books score-refusals fuzz-http fuzz-panels score-detection score-plates score-turn score-commands score-screen faults install-paddleocr \
	test-paddleocr bundle test-install clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 2; }
	@for tool in gcc g++; do command -v $$tool >/dev/null || { echo "$$tool is needed: apt-get install gcc g++"; exit 2; }; done
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No virtual environment could be made: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip
	@echo "Installing; the first time llama.cpp is compiled, which takes some minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash deploy/example/demo.sh

demo-home: setup
	@$(BIN)/python -m tests.demo_home

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

fix: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-turn: setup
	@$(BIN)/python -m tests.bench.turn

bench-model: setup
	@$(BIN)/python -m tests.bench.model

bench-panels: setup
	@$(BIN)/python -m tests.bench.panels

bench-knowledge: setup
	$(call pull,$(BOOKS))
	@$(BIN)/python -m tests.bench.knowledge --chunks $(or $(CHUNKS),100000)

bench-weights: setup
	@$(BIN)/python -m tests.bench.weights
	@$(BIN)/python -m tests.bench.swap

bench-logs: setup
	@$(BIN)/python -m tests.bench.logs $(if $(ROWS),--rows $(ROWS))

bench-voice: setup
	@$(BIN)/python -m tests.bench.voice $(if $(SHOW),--show)

bench-server: setup
	@$(BIN)/python -m tests.bench.server $(if $(RUNG),--model $(RUNG))

bench-boxes: setup
	$(call pull,$(ANSWERING) ocr-small ocr-tiny qwen2.5-0.5b)
	@$(BIN)/python -m tests.bench.boxes $(SIZES)

bench-page: setup
	@$(BIN)/python -m tests.bench.page

bench-reports: setup
	$(call pull,$(ANSWERING))
	@$(BIN)/python -m tests.bench.reports

score-panels: setup
	@$(BIN)/python -m tests.bench.score_panels $(DATA)

fuzz-http: setup
	@$(BIN)/python -m tests.fuzz.http --seconds $(or $(FOR),600)

fuzz-panels: setup
	@$(BIN)/python -m tests.fuzz.photos --seconds $(or $(FOR),600)

score-detection: setup
	@$(BIN)/python -m tests.bench.detection $(DATA)

score-books: setup
	$(call pull,$(BOOKS))
	@$(BIN)/python -m tests.bench.score_books

score-series: setup
	$(call pull,$(ANSWERING))
	@$(BIN)/python -m tests.bench.score_series $(if $(DATA),--data $(DATA))

score-refusals: setup
	$(call pull,$(ANSWERING))
	@$(BIN)/python -m tests.bench.score_refusals $(if $(RUNG),--rung $(RUNG))

score-answers: setup
	$(call pull,$(ANSWERING))
	@$(BIN)/python -m tests.bench.score_answers $(DATA)

score-commands: setup
	@$(BIN)/python -m tests.bench.score_commands $(DATA)

score-plates: setup
	$(call pull,ocr-small ocr-tiny)
	@$(BIN)/python -m tests.bench.score_plates

score-turn: setup
	$(call pull,$(ANSWERING))
	@$(BIN)/python -m tests.bench.score_turn

score-screen: setup
	@$(BIN)/python -m tests.bench.screen $(if $(EVERY),--every) $(if $(ONLY),--only "$(ONLY)")

faults: setup
	@$(BIN)/python -m tests.faults

install-paddleocr: setup
	$(BIN)/python deploy/modules/paddleocr/build.py $(PADDLEOCR) --install

test-paddleocr: setup
	$(BIN)/python deploy/modules/paddleocr/build.py $(PADDLEOCR)
	PADDLEOCR_BUNDLE="$$(ls -t $(PADDLEOCR)/*.whl | head -1)" $(BIN)/python -m pytest tests/test_paddleocr.py

bundle: setup
	@bash deploy/bundle.sh $(or $(OUT),$(error OUT names the folder: make bundle OUT=/media/usb/watchkeeper))

test-install: setup
	@$(BIN)/python -m tests.deploy_boot $(or $(TMPDIR),/tmp)/watchkeeper-install

clean:
	rm -rf $(VENV) .demo

# Everything a developer or a curious owner types. `make` alone prints the list.
# Each target sets up what it needs: a virtual environment in .venv, and for the tests a few Debian packages.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A virtual environment belongs to one Python: after an upgrade of the system it is made afresh.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
MADE := $(VENV)/made-with-$(VERSION)
NODE_PATH := PATH="$(CURDIR)/$(BIN):$$PATH"
# As phone/package.json asks.
NODE_FITS := node -e 'const [a, b] = process.versions.node.split(".").map(Number); \
  process.exit(Number(!((a == 20 && b >= 19) || (a == 22 && b >= 12) || a > 22)))' 2>/dev/null && command -v npm >/dev/null
APP_SOURCES := $(shell find phone/src phone/public phone/tools phone/index.html phone/package-lock.json phone/package.json \
  phone/tsconfig.json phone/vite.config.ts 2>/dev/null)
PACKAGES := mosquitto age ffmpeg openssl strace systemd rclone mtools dosfstools fdisk e2fsprogs

# Debian keeps mosquitto in /usr/sbin, which is not on every user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# Steps: the build tools first, because --no-build-isolation is what keeps pip from fetching others without hashes.
INSTALL := $(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation --use-pep517

.PHONY: help demo test check bench endure fuzz test-ha test-offsite app test-app lab lab-gpio lab-camera \
  pictures lab-service lab-power test-trixie deb lock clean lab-short lab-image soak hardware \
  packages

help: ## print this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# A run that plays through by itself shows nobody a page.
demo: $(VENV)/desk ## the whole door on this computer, without a Pi, and its app (DEMO=--once plays it through)
	@$(if $(findstring --once,$(DEMO)),,$(MAKE) --no-print-directory doorbell/app/index.html || \
	  echo "The phone app cannot be built here, as the lines above say: the demo goes on without it." >&2)
	@$(BIN)/python -m doorbell demo $(DEMO)

# Most of them wait for real clocks, brokers and cameras: three at once take half of the time on two cores.
test: $(VENV)/test packages ## all tests that need no Pi (PYTEST=... passes options on, -n 0: one at a time)
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal $(PYTEST)

check: $(VENV)/test ## style, types, and the import rules between the rooms
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check --diff .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/test packages ## measure; print ratios against the named references
	@$(BIN)/python -m doorbell bench $(BENCH)

PROMISES := tests/endure tests/threats tests/door/test_degraded.py tests/link/test_tls.py tests/brokers/test_broker_setup.py \
  tests/commands/test_acceptance.py

# One file after the other and in their order: they share the machine's cores with nobody but the door.
endure: PACKAGES += strace
endure: $(VENV)/test packages ## every promise of docs/reliability.md and threat-model.md, full counts (hours; root)
	@mkdir -p build/endure
	@ENDURE=full nice -n 10 $(BIN)/python -m pytest -q -p no:randomly -m endure $(PROMISES) $(PYTEST); \
	  status=$$?; $(BIN)/python tests/endure/rows.py; exit $$status

fuzz: $(VENV)/fuzz ## ten million executions of every parser (hours; FUZZ="--seconds 60" for a minute each)
	@$(BIN)/python tests/fuzz/run.py $(FUZZ)

test-offsite: PACKAGES += openssh-server
test-offsite: $(VENV)/offsite packages ## copies to a real SFTP server, WebDAV and a stand-in for S3
	@$(BIN)/python -m pytest -q tests/offsite $(PYTEST)

soak: $(VENV)/test packages ## a life of faults at 100 times its speed, an hour (SOAK_MINUTES=10, SOAK_SEED=7; root: a card of its own)
	@PYTHONPATH=. nice -n 10 $(BIN)/python tests/endure/soak.py

test-ha: $(VENV)/test packages ## the door in a real Home Assistant (root; builds it once, 1 to 2 minutes)
	@tests/home_assistant/build-root.sh
	@$(BIN)/python -m pytest -q tests/home_assistant/scenarios.py $(PYTEST)

app: doorbell/app/index.html ## build the phone app into doorbell/app

test-app: phone/node_modules ## the phone app's own tests, on the vectors the door's tests read too
	@cd phone && $(NODE_PATH) npm run --silent check && $(NODE_PATH) npm test --silent

pictures: $(VENV)/test packages app ## every screen of the app, light and dark, into docs/owner/pictures (needs chromium)
	@$(BIN)/python -m pytest -q tests/phone/pictures.py

lab: $(VENV)/test ## the door against real parts in a small virtual machine (root, 15 to 25 minutes)
	@PYTHON=$(CURDIR)/$(BIN)/python tests/lab/build.sh
	@LAB_SEEDS=$(or $(LAB_SEEDS),3) $(BIN)/python tests/lab/run.py

lab-gpio lab-camera lab-service lab-short: lab-%: $(VENV)/test
	@PYTHON=$(CURDIR)/$(BIN)/python tests/lab/build.sh
	@$(BIN)/python tests/lab/run.py $*

lab-power: $(VENV)/test
	@PYTHON=$(CURDIR)/$(BIN)/python tests/lab/build.sh
	@LAB_SEEDS=$(or $(LAB_SEEDS),50) $(BIN)/python tests/lab/run.py power

lab-image: $(VENV)/test ## a card as `doorbell card` writes it, booted as arm64 (root; 15 minutes once, then 10)
	@tests/lab/image/build.sh
	@$(BIN)/python tests/lab/run.py image

test-trixie: $(MADE) ## the tests under Raspberry Pi OS's versions of Python and libraries (root)
	@PYTHON=$(CURDIR)/$(BIN)/python tests/lab/build.sh
	@tests/lab/trixie $(PYTEST)

deb: ## build/doorbell_VERSION_all.deb for Raspberry Pi OS
	@packaging/build-deb

hardware: PACKAGES := openscad xvfb ffmpeg pngquant
hardware: $(VENV)/hardware packages ## drawings, tables, STL and pictures of hardware/ (5 minutes; HARDWARE=--all makes all)
	@$(BIN)/python -m hardware.workshop $(HARDWARE)

clean: ## remove everything that was made here, but no clip and no key
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find doorbell tests -name __pycache__ -prune -exec rm -rf {} +

# ---- set-up

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed, $(PYTHON) is $(VERSION): use Debian 12, Raspberry Pi OS 12 or later." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python cannot make virtual environments here: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV) with Python $(VERSION)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/build: requirements/build.txt $(MADE)
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

# One after the other, also under make -j: they install into the same place.
$(VENV)/desk: requirements/desk.txt pyproject.toml $(VENV)/build
	@echo "installing what requirements/desk.txt pins"
	@$(INSTALL) -r $<
	@$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/test: requirements/test.txt $(VENV)/desk
	@echo "installing what requirements/test.txt pins"
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/offsite: requirements/offsite.txt $(VENV)/test
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/hardware: requirements/hardware.txt $(VENV)/desk
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/fuzz: requirements/fuzz.txt $(VENV)/test
	@$(INSTALL) -r $<
	@touch $@

# The page is built where its sources are newer, and copied to where the demo and the wheel look for it.
phone/dist/index.html: $(APP_SOURCES) | phone/node_modules
	@echo "building the phone app"
	@cd phone && $(NODE_PATH) npm run --silent build
	@touch $@

doorbell/app/index.html: phone/dist/index.html
	@rm -rf doorbell/app && cp -r phone/dist doorbell/app

# Where the machine has no node, or an old one, one that is packaged for Python serves as well.
phone/node_modules: phone/package-lock.json requirements/node.txt $(MADE)
	@$(NODE_FITS) || { echo "installing what requirements/node.txt pins"; \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements/node.txt; }
	@cd phone && $(NODE_PATH) npm ci --silent --no-audit --no-fund
	@touch $@

packages: # real parts for the tests; nothing is done where they are there
	@missing=; for part in $(PACKAGES); do \
	  program=$$part; \
	  case $$part in systemd) program=systemd-analyze ;; mtools) program=mcopy ;; dosfstools) program=mkfs.vfat ;; \
	    fdisk) program=sfdisk ;; e2fsprogs) program=mke2fs ;; \
	    openssh-server) program=sshd ;; xvfb) program=xvfb-run ;; esac; \
	  command -v $$program >/dev/null || missing="$$missing $$part"; \
	done; \
	[ -z "$$missing" ] || tools/install-packages $$missing

lock: $(MADE) ## write requirements/ afresh from pyproject.toml
	@$(PYTHON) -m venv build/lock
	@tools/lock build/lock/bin/python

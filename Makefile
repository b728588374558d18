# The doors of this project. Each says what it does; scripts/ holds the longer ones.
.PHONY: help setup build demo sample test check audit sbom deb image bench bench-edge fuzz property fmt clean

CARGO ?= cargo
TARGET_DIR := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET_DIR)/release
# What the programs say that they are, and the packages: VERSION=1.2.3, or which commit of which minute.
VERSION ?= $(shell git log -1 --format=0.0.0+git%cd.%h --date=format:%Y%m%d%H%M 2>/dev/null || echo 0.0.0)
build bench bench-edge: export AIRCLASS_VERSION = $(VERSION)

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing (Debian packages, npm modules, cargo-nextest, cargo-deb)
	@scripts/setup

build: ## Build the programs as they are shipped; VERSION=1.2.3
	@scripts/setup --build
	$(CARGO) build --release --locked -p cli -p ingest -p feed

demo: setup build ## A lesson from file to screen; LESSON=path.mp4 takes your own
	@scripts/demo

LENGTH ?= 120
OUT ?= sample.mp4
sample: build ## Make a sample lesson: OUT=file LENGTH=120
	$(RELEASE)/airclass-ingest sample --seconds $(LENGTH) --out $(OUT)

test: setup ## Set up, build, run every test, end with the count
	@scripts/test

check: ## Formatting, lints, fuzz targets, the pages' types, dependencies' licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) check --manifest-path fuzz/Cargo.toml --target-dir $(TARGET_DIR) --locked
	cd crates/player && npm run --silent check
	cd crates/board && npm run --silent check
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; \
	else echo "check: cargo-deny is not installed, so licences were not looked at; make audit installs it"; fi

audit: ## Licences, sources and known faults of what comes from others; AUDIT=--offline without the faults
	@scripts/audit $(AUDIT)

sbom: ## Bills of materials (CycloneDX) of the programs and the page, in target/sbom
	@scripts/sbom

deb: build ## Debian packages of the programs, in target/debian; VERSION=1.2.3
	@scripts/setup --deb
	rm -rf $(RELEASE)/papers
	$(RELEASE)/airclass papers $(RELEASE)/papers/airclass
	$(RELEASE)/airclass-ingest papers $(RELEASE)/papers/airclass-ingest
	$(RELEASE)/airclass-feed papers $(RELEASE)/papers/airclass-feed
	$(CARGO) deb --no-build --locked --strip -p cli --deb-version $(VERSION)
	$(CARGO) deb --no-build --locked --strip -p ingest --deb-version $(VERSION)
	$(CARGO) deb --no-build --locked --strip -p feed --deb-version $(VERSION)

image: build ## Container images without a registry, on a Debian from its archive; needs root, buildah, mmdebstrap
	@scripts/image

bench: build ## Side by side with nginx, Varnish, Traffic Server and ffmpeg: ratios, and benches/RESULTS.md
	@scripts/setup --bench
	$(CARGO) run --release --locked -p benches -- $(BENCH)

bench-edge: ## The same for the edge alone, without building ingest
	@scripts/setup --bench
	$(CARGO) build --release --locked -p cli
	$(CARGO) run --release --locked -p benches -- --only edge,latency,idle,herd,outage,reload,faults $(BENCH)

fuzz: setup ## Each fuzz target for a minute
	@scripts/fuzz

ROUNDS ?= 20
property: setup ## Property tests on ways that nobody went before: ROUNDS=20
	@scripts/property $(ROUNDS)

fmt: ## Format
	$(CARGO) fmt --all

clean: ## Remove what was built
	$(CARGO) clean

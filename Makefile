.DEFAULT_GOAL := help
SHELL := /bin/bash

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL := go tool -modfile=tools/go.mod
PAGES := internal/server/pages
GENERATED := graph openapi internal/tracker/js

# The packages that are tested. RACE=1 tests with the race detector, which needs a C compiler.
RACE ?=
PACKAGES ?= ./...

# How many payments the benchmark reads, and a directory in which its data stays for the next run.
SCALES ?= 100k,1m
BENCH_DIR ?=

# How long servers are tortured, and what all that happens follows from: by default something else each time.
DURATION ?= 30m
SEED ?= 0

# The database of known vulnerabilities, or a copy of it: file:///path.
VULNDB ?= https://vuln.go.dev

TESTFLAGS := $(if $(RACE),-race) -timeout=30m

.PHONY: help
help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start, with a demo website; Ctrl-C stops
	bin/tributary serve --demo

.PHONY: build
build: assets ## Build bin/tributary
	@echo "building bin/tributary"
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/tributary ./cmd/tributary

.PHONY: test
test: assets ## Run all tests, on a Postgres that they start
	go test $(TESTFLAGS) $(PACKAGES)

.PHONY: assets
assets: ## Fetch the playground's libraries, if npm is there
	@if ! command -v npm >/dev/null; then \
		echo "npm is not installed: the playground will load its libraries from a CDN"; \
	elif [ ! -e $(PAGES)/assets/npm/LICENSES.txt.gz ] || [ $(PAGES)/package-lock.json -nt $(PAGES)/assets/npm/LICENSES.txt.gz ]; then \
		echo "fetching the playground's libraries"; \
		(cd $(PAGES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build) || \
		echo "they could not be fetched: the playground will load them from a CDN"; \
	fi

.PHONY: generate
generate: ## Generate code from the GraphQL schema and the OpenAPI document, and the small tracker
	$(TOOL) gqlgen generate
	go generate ./openapi ./internal/tracker

.PHONY: verify
verify: verify-generated verify-format verify-modules lint lint-api vulnerabilities ## Check generated code, format, modules, lint, and vulnerabilities

.PHONY: verify-generated
verify-generated:
	@state() { git status --porcelain -uall -- $(GENERATED); find $(GENERATED) -type f | LC_ALL=C sort | xargs cksum; }; \
	before=$$(state); $(MAKE) --no-print-directory generate || exit 1; \
	if [ "$$before" != "$$(state)" ]; then \
		git status --short -- $(GENERATED); \
		echo "generated code was stale: it is fresh now, commit it" >&2; exit 1; \
	fi

.PHONY: verify-format
verify-format:
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then \
		echo "$$unformatted" >&2; echo "run gofmt -w on these files" >&2; exit 1; \
	fi

.PHONY: verify-modules
verify-modules:
	go mod tidy -diff
	cd tools && go mod tidy -diff

.PHONY: lint
lint: ## Run go vet and staticcheck
	go vet ./...
	$(TOOL) staticcheck ./...

.PHONY: lint-api
lint-api: ## Lint the OpenAPI document, if npm is there
	@if command -v npm >/dev/null; then \
		[ tools/node_modules/.package-lock.json -nt tools/package-lock.json ] || (cd tools && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); \
		tools/node_modules/.bin/redocly lint --config tools/redocly.yaml openapi/openapi.yaml; \
	elif [ -n "$$CI" ]; then \
		echo "npm is needed to lint the OpenAPI document" >&2; exit 1; \
	else \
		echo "npm is not installed: the OpenAPI document was not linted"; \
	fi

# It fails on what it finds. Without the database it says so, and only that: a build does not depend on another site.
.PHONY: vulnerabilities
vulnerabilities: ## Look for known vulnerabilities in what the program calls, by VULNDB
	@found=$$($(TOOL) govulncheck -db $(VULNDB) ./... 2>&1); code=$$?; \
	case "$$code $$found" in \
		0*) echo "no known vulnerabilities in what the program calls" ;; \
		*"fetching vulnerabilities"*) echo "NOT CHECKED for known vulnerabilities: $(VULNDB) cannot be read" >&2 ;; \
		*) echo "$$found" >&2; exit $$code ;; \
	esac

.PHONY: bench
bench: build ## Measure this machine, with wrk, into docs/BENCHMARKS.md; SCALES=100k,1m,10m
	go run ./internal/bench -scales $(SCALES) $(if $(BENCH_DIR),-dir $(BENCH_DIR)) -out docs/BENCHMARKS.md

.PHONY: bench-quick
bench-quick: build ## See that the benchmark runs: it fails on errors, never on times
	go run ./internal/bench -scales 1k,10k -rounds 1 -seconds 1

.PHONY: torture
torture: ## Kill, stop and cut off servers and their Postgres, and check that nothing is lost; DURATION=30m SEED=…
	go run ./internal/faulttest -duration $(DURATION) -seed $(SEED)

.PHONY: clean
clean: ## Remove what was built; the data in .tributary stays
	rm -rf bin $(PAGES)/assets/npm $(PAGES)/node_modules tools/node_modules

# Commands for contributors. make help lists the targets.

.DEFAULT_GOAL := help

# The tree is the top of a git repository. The tree of an archive can be below another one,
# whose tags and commits are not its own.
ifeq ($(strip $(shell git rev-parse --show-cdup 2>/dev/null && echo top)),top)
# The version is VERSION, the tag of the commit, or the number in internal/version.
ifndef VERSION
VERSION := $(patsubst v%,%,$(shell git describe --tags --exact-match --match 'v[0-9]*.[0-9]*.[0-9]*' 2>/dev/null))
endif
# The commit that is built, and -modified if a file differs from it or is new. Without git it is empty.
ifndef COMMIT
COMMIT := $(shell git rev-parse --verify --quiet HEAD)
ifneq ($(COMMIT),)
COMMIT := $(COMMIT)$(if $(shell git status --porcelain --untracked-files=normal),-modified)
endif
endif
endif
# The Go release that builds the files of a release. docs/dependencies.md reviews it; the
# same files need the same release. RELEASE_GO=local takes the installed one.
RELEASE_GO ?= go1.26.11
dist test-deb: export GOTOOLCHAIN := $(RELEASE_GO)
FUZZTIME ?= 1m
ROUNDS ?= 300

# Where make install copies the files: below DESTDIR and PREFIX.
DESTDIR ?=
PREFIX ?= /usr/local
CAPRUN ?= ./caprun
# The recipe runs it: a name without a slash would be looked up in PATH.
program = $(if $(word 2,$(CAPRUN)),$(error invalid CAPRUN: want a path without spaces))$(abspath $(CAPRUN))
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export PREFIX := $(PREFIX)
install uninstall: export CAPRUN := $(program)

# A tag comes with a fetch, and its name reaches a shell and the linker. A value with
# any other character than these is rejected; value keeps make from expanding it.
characters = A B C D E F G H I J K L M N O P Q R S T U V W X Y Z \
	a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 . _ + -
without = $(if $2,$(call without,$(subst $(firstword $2),,$1),$(wordlist 2,$(words $2),$2)),$1)
valid = $(if $(filter-out [],[$(call without,$(value $1),$(characters))]),$(error invalid $1: want only the characters A-Z a-z 0-9 . _ + -; run make $1=$2))$(value $1)
version = $(call valid,VERSION,1.2.3)
commit = $(call valid,COMMIT,unknown)

# Static, without paths of the machine that builds, and without symbols.
export CGO_ENABLED = 0
variables = $(if $(version), -X caprun/internal/version.linked=$(version))$(if $(commit), -X caprun/internal/version.commit=$(commit))
BUILD = go build -trimpath -buildvcs=false -ldflags "-s -w$(variables)"

# The files of the tree that make install copies, as PLACE=FILE: PLACE is below share. The
# completion scripts are those of the shell's variable share.
pages = LICENSE README.md CHANGELOG.md SECURITY.md $(wildcard docs/*.md docs/rules/*.md) \
	$(shell find examples -type f -regex '[A-Za-z0-9._/-]*' ! -name '*_test.go' ! -name '*.test' ! -name '*.prof' ! -name doc.go)
installed = man/man1/caprun.1=docs/man/caprun.1 man/man5/caprun-profile.5=docs/man/caprun-profile.5 \
	$(foreach f,$(pages),doc/caprun/$f=$f) \
	$(foreach f,$(wildcard profiles/*.yaml schema/*.schema.json),caprun/$f=$f)
completions = "$$share/bash-completion/completions/caprun" "$$share/zsh/site-functions/_caprun" \
	"$$share/fish/vendor_completions.d/caprun.fish"

.PHONY: help build test check bench bench-check bench-cap soak mutate test-podman test-services test-kernels test-platforms draw-messages fuzz dist test-deb install uninstall clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

build: ## build a static ./caprun
	$(BUILD) -o caprun ./cmd/caprun

$(CAPRUN):
	$(BUILD) -o $(CAPRUN) ./cmd/caprun

# A link at the place of a file is replaced, never followed: another user may have made it.
install: $(CAPRUN) ## copy ./caprun and its files below DESTDIR and PREFIX=/usr/local
	@set -e; umask 022; root="$$DESTDIR$$PREFIX"; share="$$root/share"; \
	install -d -m 755 "$$root/bin" "$$share/bash-completion/completions" "$$share/zsh/site-functions" "$$share/fish/vendor_completions.d"; \
	install -m 755 -T "$$CAPRUN" "$$root/bin/caprun"; \
	for place in $(installed); do \
		mode=644; \
		case "$$place" in doc/caprun/examples/*) ! head -n 1 "$${place#*=}" | grep -q '^#!' || mode=755;; esac; \
		install -D -m "$$mode" -T "$${place#*=}" "$$share/$${place%%=*}"; \
	done; \
	for name in profiles schema; do ln -sfnT "../../caprun/$$name" "$$share/doc/caprun/$$name"; done; \
	script=$$(mktemp); trap 'rm -f "$$script"' EXIT; \
	copy_completion() { "$$CAPRUN" completion "$$1" > "$$script"; install -m 644 -T "$$script" "$$2"; }; \
	copy_completion bash "$$share/bash-completion/completions/caprun"; \
	copy_completion zsh "$$share/zsh/site-functions/_caprun"; \
	copy_completion fish "$$share/fish/vendor_completions.d/caprun.fish"; \
	case "$$PREFIX" in /usr | /usr/local) install -d -m 755 "$$DESTDIR/etc/caprun";; esac

uninstall: ## remove the files that make install copied, with the same DESTDIR and PREFIX
	@set -e; root="$$DESTDIR$$PREFIX"; share="$$root/share"; \
	rm -f "$$root/bin/caprun" $(completions); \
	for place in $(installed); do rm -f "$$share/$${place%%=*}"; done; \
	for name in profiles schema; do [ ! -L "$$share/doc/caprun/$$name" ] || rm "$$share/doc/caprun/$$name"; done; \
	for dir in "$$share/caprun" "$$share/doc/caprun"; do \
		[ ! -d "$$dir" ] || find "$$dir" -depth -type d -exec rmdir --ignore-fail-on-non-empty {} +; done; \
	case "$$PREFIX" in /usr | /usr/local) [ ! -d "$$DESTDIR/etc/caprun" ] || rmdir "$$DESTDIR/etc/caprun" || :;; esac

test: ## run the tests, as the current user
	go test ./...

check: ## run the gate: every check that a change must pass
	.ci/run

bench: ## measure a launch, and other launchers; ROUNDS=300
	go run ./internal/test/bench -rounds $(ROUNDS)

bench-check: ## measure check, bare yaml.v3, yamllint and ajv-cli, with memory
	go run ./internal/test/bench/check -peers -memory

bench-cap: ## measure package cap and upstream's, in pure Go and with cgo
	cd internal/test/conformance && CGO_ENABLED=0 go run ./cmd/bench-cap
	cd internal/test/conformance && CGO_ENABLED=1 go run ./cmd/bench-cap

soak: ## run the long tests: the model against the kernel, random launches, every fault, what learn finds about programs of Debian, psx under thread churn, text against upstream
	CAPRUN_TEST_SEQUENCES=200000 go test -count=1 -run Kernel -timeout 1h -v ./engine/cred
	CAPRUN_TEST_LAUNCHES=10000 go test -count=1 -run '^Test(Launches|Routes)$$' -timeout 1h -v ./cmd/caprun ./internal/test/launches
	CAPRUN_TEST_SEALED=5000 go test -count=1 -run '^TestSealedLaunches$$' -timeout 1h -v ./cmd/caprun
	CAPRUN_TEST_COMBINATIONS=2500 go test -count=1 -run EveryR -timeout 1h -v ./engine
	CAPRUN_TEST_FAULTS=all go test -count=1 -run Faults -timeout 1h -v ./cmd/caprun
	CAPRUN_TEST_FAULTS=5000 go test -count=1 -run '^TestFaults$$' -timeout 2h -v ./seal/internal/launcher
	CAPRUN_TEST_LOAD=10000 go test -count=1 -run Load -timeout 1h -v ./cmd/caprun ./internal/test/load
	CAPRUN_TEST_PROGRAMS=all go test -count=1 -run '^TestPrograms$$' -timeout 1h -v ./internal/test/learned
	CAPRUN_TEST_LONG=1 CGO_ENABLED=1 go test -count=1 -run 'Stress|Churn|Callers|ComeAndGo|WithoutPause|Pointers|FewThread' -timeout 1h -v ./psx
	cd internal/test/conformance && CONFORMANCE_COUNT=10000000 go test -count=1 -run 'Text|Tuple|Export|Import|Print' -timeout 1h -v .

mutate: ## change one rule of the model, or one constant of seal, at a time; each change must make a test fail
	go run -C internal/test/mutate .

test-podman: ## build and start the example image with Podman, as root; requires Debian's podman and runc or crun
	go run ./internal/test/podman

test-services: ## start and use the example services, as root; names the Debian packages that are missing
	CAPRUN_TEST_SERVICES=all CAPRUN_TEST_STRICT=1 go test -count=1 -v -run 'Services|Page' ./examples/services

test-kernels: ## boot Debian's 6.1 and 6.12 in qemu and run the tests that depend on the kernel; requires qemu-system-x86 and busybox-static
	go run ./internal/test/kernels

test-platforms: ## start exported profiles in runc, crun and systemd, and compare Debian's units with a real systemd, as root
	CAPRUN_TEST_PLATFORMS=all CAPRUN_TEST_HEAVY=1 CAPRUN_TEST_STRICT=1 go test -count=1 -timeout 1h ./internal/test/platforms

draw-messages: ## print messages at random, to judge their language; N=50 SEED=1
	@go run ./internal/test/language/draw -n $(or $(N),50) $(if $(SEED),-seed $(SEED))

fuzz: ## run each fuzz target for FUZZTIME=1m, FUZZJOBS of them at once (as many as processors)
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

dist: ## build archives, Debian packages, lists of components and checksums, in dist/
	go run ./internal/dist -version '$(version)' -commit '$(commit)' -out dist

test-deb: dist ## install, use and purge the Debian package in a new Debian, as root; requires debootstrap and lintian
	go run ./internal/dist/testdeb dist

clean: ## remove the files that the other targets made
	rm -rf caprun dist

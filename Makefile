# Everything a newcomer types. Each target installs what it needs.
.PHONY: all demo demo-far deb machine test bench fuzz mutants soak lint tidy sanitize up clean

all: build/release/build.ninja
	cmake --build --preset release

build/release/build.ninja: CMakeLists.txt CMakePresets.json
	@tools/install.sh
	@cmake --preset release >/dev/null

demo: ## one confidential order, end to end, on real input
	@tools/install.sh
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target spctl spnode sploader
	@examples/flights/demo.sh build/demo

demo-far: ## the same between six machines far apart (network namespaces), while every daemon is killed once
	@tools/install.sh
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target spctl spnode sploader far_link far_front
	@examples/flights/demo-far.sh build/demo-far

test: ## all tests
	@tools/install.sh
	@tools/test.sh

bench: ## make bench BENCH=order for one
	@tools/install.sh bench
	@bench/run.sh $(BENCH)

fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@tools/install.sh fuzz
	@tools/fuzz.sh

mutants: ## leaves out each check of evidence in turn: some test must fail; the report is docs/MUTANTS.txt
	@tools/install.sh
	@tools/mutants.sh

soak: ## long runs: contracts' long profile, the simulation for SOAK_SECONDS (600), fuzz targets for ten minutes each, every crash point, every depth of reorganisation at every stage, a chain that is lost for ten minutes, a system that works for WEEKEND_SECONDS (3600)
	@tools/install.sh fuzz
	@cd contracts && FOUNDRY_PROFILE=long ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge test
	@cmake --preset release >/dev/null && cmake --build --preset release --target sim
	@build/release/bin/sim --seconds $${SOAK_SECONDS:-600}
	@FUZZ_SECONDS=600 tools/fuzz.sh
	@cmake --build --preset release --target crash_test chain_days_test spctl spnode sploader
	@SP_CRASH_ALL=1 build/release/bin/crash_test
	@SP_REORG_ALL=1 SP_LOST_SECONDS=600 build/release/bin/chain_days_test --gtest_filter='Reorg.*:Lost.*'
	@tests/weekend.sh build/release/bin $${WEEKEND_SECONDS:-3600} build/weekend.csv

machine: ## the packages on a Debian 12 machine of their own, in QEMU: systemd, control groups v2, real orders; then losses of power in mid-order
	@tools/install.sh machine
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target spctl spnode sploader tee_test loader_test sploader_test sploader_workload
	@tests/machine/machine.sh build/release/bin build/machine.log
	@tests/machine/power.sh build/release/bin build/power.log

deb: ## Debian packages of client and daemons, in build/deb
	@tools/install.sh
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target spctl spnode sploader
	@tools/deb.sh build/release/bin build/deb

lint:
	@tools/install.sh lint
	@tools/lint.sh

tidy: ## clang-tidy; slow
	@tools/install.sh lint
	@tools/tidy.sh

sanitize: ## all unit tests under AddressSanitizer and UBSan, then ThreadSanitizer
	@tools/install.sh
	@for preset in asan tsan; do cmake --preset $$preset >/dev/null && cmake --build --preset $$preset && \
	  ctest --test-dir build/$$preset --output-on-failure -j2 -LE system || exit 1; done

up: all ## a local system: chain, store, broker, provider
	@build/release/bin/spctl up

clean:
	rm -rf build contracts/out contracts/cache

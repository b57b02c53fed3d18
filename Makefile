# make            installs what is missing and builds build/weir
# make demo       the main job on recorded relays of the laboratory, in seconds, without root
# make check      every test; ends with `N passed, N failed, N skipped`
# make lab        real programs as relays in network namespaces, recorded and traced; an attack blocked live (root)
# make lab-block  of that the blocking alone
# make bench      speed against peers, in one run
# make evidence   the tables of validity and power, PAIRS a class
# make fuzz       each fuzz target for FUZZ_SECONDS
# make soak       kill -9 under load, SOAK times: nothing acknowledged is lost; kill -9 of the enforcer; a million orders
#                 against the guard (make check: the short forms)
BUILD = build
FUZZ_SECONDS = 60
PAIRS = 10000
SOAK = 1000

all: $(BUILD)/build.ninja
	@[ -x $(BUILD)/src/cli/weir ] || echo "building weir (about half a minute)"
	@out=$$(ninja -C $(BUILD) --quiet src/cli/weir 2>&1) || { echo "$$out"; exit 1; }
	@ln -sf src/cli/weir $(BUILD)/weir

$(BUILD)/build.ninja:
	@./setup build
	@meson setup $(BUILD) -Dtests=false >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/setup.log

# the tests need more than the program does
.PHONY: with-tests
with-tests: all
	@./setup check
	@meson configure $(BUILD) -Dtests=true
	@ninja -C $(BUILD) --quiet

demo: all
	@lab/demo

check: with-tests
	@tests/lib/run-tests $(BUILD)

lab: all
	@./setup lab
	@meson configure $(BUILD) -Dtests=true && ninja -C $(BUILD) --quiet
	@lab/lab all
	@lab/block all

lab-block: all
	@./setup lab
	@meson configure $(BUILD) -Dtests=true && ninja -C $(BUILD) --quiet
	@lab/block all

bench: with-tests
	@./setup bench
	@bench/run $(BUILD)

evidence: with-tests
	@tests/trace/evidence $(BUILD) $(PAIRS)

fuzz:
	@./setup check
	@fuzz/run $(FUZZ_SECONDS)

soak: with-tests
	@$(BUILD)/tests/ledger/ledger_soak $(SOAK)
	@$(BUILD)/tests/block/enforce_soak 500
	@$(BUILD)/tests/block/guard_fuzz 1000000

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)

.PHONY: all demo check lab lab-block bench evidence fuzz soak install clean

# Tests: each tests/unit/x_test.c is a program of its own (cmocka), each
# tests/fuzz/x_fuzz.c a libFuzzer target and, over its seeds, a unit test.

UNITS	= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
FUZZERS	= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
TESTLIB	= $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/lib/*.c))
EVERY	= $(foreach f,$(FOLDERS),$(call archive,$(f)))
TEST_LIBS = -lcmocka $(LIBS) $(sort $(foreach f,$(FOLDERS),$(LIBS_$(call name,$(f)))))

define unit
$(B)/tests/$(1): $(B)/obj/tests/unit/$(1).o $(TESTLIB) $(EVERY)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) -o $$@ $(B)/obj/tests/unit/$(1).o $(TESTLIB) \
	    -Wl,--start-group $(EVERY) -Wl,--end-group -lcmocka $(TEST_LIBS)
endef
$(foreach u,$(UNITS),$(eval $(call unit,$(u))))

# The same harness without libFuzzer: runs each file named on its line once.
define seedrun
$(B)/tests/$(1): $(B)/obj/tests/fuzz/$(1).o $(B)/obj/tests/fuzz/replay.o \
    $(TESTLIB) $(EVERY)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) -o $$@ $(B)/obj/tests/fuzz/$(1).o \
	    $(B)/obj/tests/fuzz/replay.o $(TESTLIB) \
	    -Wl,--start-group $(EVERY) -Wl,--end-group $(TEST_LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call seedrun,$(f))))

unit-tests: $(UNITS:%=$(B)/tests/%) $(FUZZERS:%=$(B)/tests/%)

# Last line: "<n> passed, <m> failed" over every suite.
check: all unit-tests
	@$(PYTHON) tests/collect.py --build $(B) $(CHECK)

FUZZ_SECONDS = 20
FUZZ_SRC = $(foreach f,$(FOLDERS),$(filter-out %/main.c,$(wildcard $(f)/*.c)))

$(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_SRC) $(wildcard tests/lib/*.c)
	@mkdir -p $(@D)
	clang -D_GNU_SOURCE -I. -std=c17 -g -gdwarf-4 -O1 -w \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -DPOSTERN_SANITIZE -o $@ $(filter %.c,$^) $(TEST_LIBS)

fuzz-smoke: $(FUZZERS:%=$(B)/fuzz/%)
	@$(PYTHON) tests/fuzz/smoke.py --build $(B) --seconds $(FUZZ_SECONDS)

.PHONY: check unit-tests fuzz-smoke
.SECONDARY:

-include tests/fault/fault.mk
-include tests/evil/evil.mk
-include tests/bench/bench.mk
include tests/lint.mk

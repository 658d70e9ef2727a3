# Tests: each tests/unit/x_test.c is a program of its own (cmocka), each
# tests/fuzz/x_fuzz.c a libFuzzer target and, over its seeds, a unit test.

UNITS	= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
FUZZERS	= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
TESTLIB	= $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/lib/*.c))
EVERY	= $(foreach f,$(FOLDERS),$(call archive,$(f)))
TEST_LIBS = -lcmocka $(LIBS) $(sort $(foreach f,$(FOLDERS),$(LIBS_$(call name,$(f)))))

# Functions of ours that a test stands before.
WRAP_imap_sift_test = -Wl,--wrap=text_fold,--wrap=match_feed

define unit
$(B)/tests/$(1): $(B)/obj/tests/unit/$(1).o $(TESTLIB) $(EVERY)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) $(WRAP_$(1)) -o $$@ $(B)/obj/tests/unit/$(1).o \
	    $(TESTLIB) \
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

# The folders once more, compiled by clang for libFuzzer, whatever SAN says.
FUZZ_SECONDS = 20
FUZZ_B	= build/fuzz
FUZZ_CFLAGS = -D_GNU_SOURCE -I. -std=c17 -g -gdwarf-4 -O1 -w -MMD -MP \
	  -fno-omit-frame-pointer -fno-sanitize-recover=all -DPOSTERN_SANITIZE
fuzz_archive = $(FUZZ_B)/lib/$(call name,$(1)).a
fuzz_objs = $(patsubst %.c,$(FUZZ_B)/obj/%.o,\
	    $(filter-out %/main.c,$(wildcard $(1)/*.c)))
FUZZ_LIB = $(patsubst %.c,$(FUZZ_B)/obj/%.o,$(wildcard tests/lib/*.c))
FUZZ_EVERY = $(foreach f,$(FOLDERS),$(call fuzz_archive,$(f)))

$(FUZZ_B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  FUZZ  $<'
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined \
	    -c -o $@ $<

define fuzz_folder
$(call fuzz_archive,$(1)): $(call fuzz_objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call fuzz_folder,$(f))))

define fuzzer
$(FUZZ_B)/$(1): $(FUZZ_B)/obj/tests/fuzz/$(1).o $(FUZZ_LIB) $(FUZZ_EVERY)
	@echo '  LD    $$@'
	@clang -fsanitize=fuzzer,address,undefined -o $$@ $$< $(FUZZ_LIB) \
	    -Wl,--start-group $(FUZZ_EVERY) -Wl,--end-group $(TEST_LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

fuzz-smoke: $(FUZZERS:%=$(FUZZ_B)/%)
	@$(PYTHON) tests/fuzz/smoke.py --build build --seconds $(FUZZ_SECONDS)

.PHONY: check unit-tests fuzz-smoke
.SECONDARY:

-include $(shell find $(FUZZ_B)/obj -name '*.d' 2>/dev/null)
-include tests/fault/fault.mk
-include tests/evil/evil.mk
-include tests/bench/bench.mk
include tests/lint.mk

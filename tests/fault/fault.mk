# Tests that break things under the code: tests/fault/x_test.c, built and run
# as unit tests are.

FAULTS	= $(patsubst tests/fault/%.c,%,$(wildcard tests/fault/*_test.c))

define fault
$(B)/tests/$(1): $(B)/obj/tests/fault/$(1).o $(TESTLIB) $(EVERY)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) -o $$@ $(B)/obj/tests/fault/$(1).o $(TESTLIB) \
	    -Wl,--start-group $(EVERY) -Wl,--end-group -lcmocka $(TEST_LIBS)
endef
$(foreach u,$(FAULTS),$(eval $(call fault,$(u))))

unit-tests: $(FAULTS:%=$(B)/tests/%)

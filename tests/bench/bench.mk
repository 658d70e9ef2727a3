# Benchmarks: tests/bench/x_bench.c, run by "make bench-x".  Not part of check.

BENCHES	= $(patsubst tests/bench/%_bench.c,%,$(wildcard tests/bench/*_bench.c))

define bench
$(B)/bench/$(1): $(B)/obj/tests/bench/$(1)_bench.o $(TESTLIB) $(EVERY)
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $(B)/obj/tests/bench/$(1)_bench.o $(TESTLIB) \
	    -Wl,--start-group $(EVERY) -Wl,--end-group $(TEST_LIBS)

bench-$(1): $(B)/bench/$(1)
	$(B)/bench/$(1)

.PHONY: bench-$(1)
endef
$(foreach b,$(BENCHES),$(eval $(call bench,$(b))))

# A load program and what drives it through a whole instance.
$(B)/bench/smtp_load: $(B)/obj/tests/bench/smtp_load.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $<

bench-accept: all $(B)/bench/smtp_load
	@POSTERN_BUILD=$(B) $(PYTHON) tests/bench/accept.py

# The same beside Postfix, which must be installed.
bench-peers: all $(B)/bench/smtp_load
	@POSTERN_BUILD=$(B) $(PYTHON) tests/bench/peers.py

# Memory of what idles.
bench-idle: all
	@POSTERN_BUILD=$(B) $(PYTHON) tests/bench/idle.py

.PHONY: bench-accept bench-peers bench-idle

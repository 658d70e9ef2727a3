# Copies of the programs with tests/evil linked in, in a directory of their
# own: mailctl finds the daemons beside itself.  See tests/evil/evil.c.

EVIL	= $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/evil/*.c))
EVIL_WRAP = -Wl,--wrap=sandbox_enter,--wrap=loop_run,--wrap=execveat

define evil
$(B)/evil/$(1): $(B)/obj/$(1)/main.o $(EVIL) $(B)/lib/$(1).a $(USES_$(1)) \
    $(ARCHIVES)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) $(EVIL_WRAP) -o $$@ $(B)/obj/$(1)/main.o $(EVIL) \
	    -Wl,--start-group $(B)/lib/$(1).a $(USES_$(1)) $(ARCHIVES) \
	    -Wl,--end-group $(LIBS_$(1)) $(LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call evil,$(p))))

unit-tests: $(PROGRAMS:%=$(B)/evil/%)

# Postern.  Adding a source file edits nothing here: a folder's files go into
# that folder's archive, a folder with main.c becomes a program.
#
#	make		all programs into build/
#	make check	every test; the last line counts them
#	make help	the other targets

CC	= gcc
PYTHON	= /usr/bin/python3
PREFIX	= /usr/local

WARN	= -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wwrite-strings -Wvla -Wswitch-enum -Werror
HARDEN	= -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	  -fstack-clash-protection -fcf-protection=full -fno-strict-overflow \
	  -fno-delete-null-pointer-checks -ftrivial-auto-var-init=zero \
	  -fzero-call-used-regs=used-gpr
LINKER	= -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	  -Wl,--as-needed

ifdef SAN
B	= build/san
CFLAGS	= -std=c17 -g -O1 -fPIE -fno-omit-frame-pointer \
	  -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -DPOSTERN_SANITIZE $(WARN)
LDFLAGS	= -pie -fsanitize=address,undefined
else
B	= build
CFLAGS	= -std=c17 -g -O2 -fPIE $(WARN) $(HARDEN)
LDFLAGS	= $(LINKER)
endif
CPPFLAGS = -D_GNU_SOURCE -I. -MMD -MP

# What a folder's code needs beyond libc; programs link what they use.
LIBS_core	= -levent_core
LIBS_disk	= -lsodium
LIBS_mail	= -licuuc
LIBS_mailboxd	= -ldb-5.3 -lzstd
LIBS_authd	= -ldb-5.3

COMMON	= common/mail common/net common/disk common/ipc common/core
PROGRAMS = $(patsubst %/main.c,%,$(wildcard */main.c))
FOLDERS	= $(COMMON) $(sort $(patsubst %/,%,$(dir $(wildcard */*.c))))

name	= $(notdir $(1))
objs	= $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(wildcard $(1)/*.c)))
archive	= $(B)/lib/$(call name,$(1)).a

all: $(PROGRAMS:%=$(B)/%)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

define folder
$(call archive,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@echo '  AR    $$@'
	@ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))

ARCHIVES = $(foreach f,$(COMMON),$(call archive,$(f)))
LIBS	= -levent_core -lsodium -lseccomp -licuuc

# mailboxd alone uses the session engines of imapd and pop3d.
USES_mailboxd = $(B)/lib/imapd.a $(B)/lib/pop3d.a

define program
$(B)/$(1): $(B)/obj/$(1)/main.o $(B)/lib/$(1).a $(USES_$(1)) $(ARCHIVES)
	@echo '  LD    $$@'
	@$(CC) $(LDFLAGS) -o $$@ $(B)/obj/$(1)/main.o -Wl,--start-group \
	    $(B)/lib/$(1).a $(USES_$(1)) $(ARCHIVES) -Wl,--end-group \
	    $(LIBS_$(1)) $(LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

include tests/tests.mk

deps:
	./deps

# A message's whole way through an instance in a temporary directory.
demo: all
	@POSTERN_BUILD=$(B) $(PYTHON) tests/e2e/demo.py

# The same instance, kept in var/ and in the foreground.
run: all
	@POSTERN_BUILD=$(B) $(PYTHON) tests/e2e/demo.py --keep var

DAEMONS	= $(filter-out mailctl,$(PROGRAMS))

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec/postern
	install -m 755 $(B)/mailctl $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(DAEMONS:%=$(B)/%) $(DESTDIR)$(PREFIX)/libexec/postern/
	set -e; for page in $(wildcard man/*.[1-9]); do \
	    dir=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; \
	    install -d $$dir; install -m 644 $$page $$dir/; done

clean:
	rm -rf build

help:
	@echo 'all check demo run install lint fuzz-smoke deps clean;' \
	    'SAN=1 builds with sanitizers'

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

.PHONY: all deps demo run install clean help
.DELETE_ON_ERROR:

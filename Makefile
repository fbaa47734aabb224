# SPDX-License-Identifier: MIT
#
# One non-recursive Makefile; make calls itself only to build what a fresh machine's
# packages were missing for.
#   make run [PORT=8080] [STATE=var] [SETTING=value...]
#   make test [SANITIZE=address,undefined] [WITHOUT=browser,fuzz]
#   make coverage, make bench, make fuzz, make crash, make timing,
#   make hosting [SERVERS=lighttpd,nginx], make soak [SECONDS=600]
#   make shared-host: build/guardbee-shared-host.tar.gz, for a web space without root or compiler
#   make install [PREFIX=/usr/local] [DESTDIR=] [STATE_DEFAULT=/var/lib/guardbee], make deb [VERSION=0.1] [MAINTAINER='Name <address>']
# build/ holds all that is made; a sanitized build stands in its own folder below it.

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local

comma := ,
BUILD := build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))
PACKAGES := libsodium

GB_CPPFLAGS := -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -Ilib $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
GB_CFLAGS := -std=c11 -fPIE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef -fstack-protector-strong -fcf-protection -fno-common \
	$(if $(WERROR),-Werror)
GB_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(SANITIZE),)
GB_CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(GB_CPPFLAGS))
GB_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
GB_LDFLAGS += -fsanitize=$(SANITIZE)
endif
ifneq ($(STATE_DEFAULT),)
GB_CPPFLAGS += -DGB_STATE_DEFAULT='"$(STATE_DEFAULT)"'
endif
# Self-contained programs. No PIE: Debian's libzxcvbn.a is not made for it. Of everything only what is used.
ifneq ($(STATIC),)
GB_CPPFLAGS += -DGB_STATIC
GB_CFLAGS += -ffunction-sections -fdata-sections
GB_LDFLAGS := -static -no-pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--wrap=dlopen
endif
COMPILE = $(CC) $(GB_CPPFLAGS) $(CPPFLAGS) $(GB_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
LINK = $(CC) $(GB_CFLAGS) $(CFLAGS) $(GB_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)
# A shared library costs a plain CGI program pages and relocations at every start, more than all it then
# does: so these are linked in. libc before libm: libfcgi needs frexp of either.
# AddressSanitizer stands in for crypt_r and looks for the real one among shared libraries.
LIBS := -l:libfcgi.a -l:libsodium.a -l:libcrypto.a $(if $(SANITIZE),-Wl$(comma)--no-as-needed -lcrypt -Wl$(comma)--as-needed,-l:libcrypt.a) -lzxcvbn -lc -lm

# lib/heap.c's
HEAP := -Wl,--wrap=malloc,--wrap=free

LIB_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c lib/store/*.c)) $(BUILD)/embedded.o
EMBEDDED_FOLDERS := $(wildcard www/templates www/texts etc/mail etc/mail/*/.)
EMBEDDED := $(sort $(wildcard www/templates/*.html www/texts/*.txt etc/mail/*.* etc/mail/*/*.*))
ENDPOINTS := $(patsubst cgi-bin/%.c,$(BUILD)/cgi-bin/%.fcgi,$(wildcard cgi-bin/*.c))
# What most requests of plain CGI ask is linked with nothing shared: the loader was a fifth of its life. Keys
# that need libcrypto are for its full sister (lib/full.h). Sanitizers need a loader.
LONE := $(if $(SANITIZE)$(STATIC),,verify)
FULL := $(LONE:%=$(BUILD)/cgi-bin/full/%.fcgi)
COMMAND_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bin/*.c))
TESTS := $(patsubst tests/test_%.c,$(BUILD)/tests/test_%,$(wildcard tests/test_*.c))
TEST_HELPERS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/test_*.c),$(wildcard tests/*.c)))

LIBGUARDBEE := $(BUILD)/lib/libguardbee.a
LIBGDBM := $(BUILD)/lib/libgdbm_redirected.a
# What a browser may load; the templates are built into the programs.
WWW := $(patsubst %,$(BUILD)/%,$(wildcard www/*.* www/texts/*.*))
# What no package of Debian's holds, in versions that are locked; one for every BUILD: Chromium's driver,
# and JWT libraries to speak with.
NODE_MODULES := build/browser/node_modules/.package-lock.json build/interop/node_modules/.package-lock.json
INTEROP := $(BUILD)/tests/interop/token $(BUILD)/tests/interop/peers
BENCH := $(addprefix $(BUILD)/tests/bench/,jwt jwt_peers store store_growth start null)
# Goes into real programs by LD_PRELOAD.
PLANT := $(BUILD)/tests/sandbox/plant.so
# Sanitizers write into files of this folder, also where nobody sees their standard error.
SANITIZER := $(if $(SANITIZE),$(BUILD)/tests/sanitizer/options.o)

.PHONY: all tests run test bench fuzz crash timing hosting soak coverage shared-host install deb clean
.SECONDARY:
all: $(LIBGUARDBEE) $(ENDPOINTS) $(FULL) $(WWW) $(BUILD)/bin/guardbee
tests: all $(TESTS) $(INTEROP) $(BENCH) $(BUILD)/tests/timing/timing $(PLANT) $(NODE_MODULES)

# The lists are read before anything is built: on a bare machine there is no compiler yet.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
run:
	@etc/install-packages etc/packages
	+@$(MAKE) --no-print-directory $(JOBS) all
	@exec etc/serve $(BUILD)

test:
	@etc/install-packages etc/packages etc/packages-test
	+@$(MAKE) --no-print-directory $(JOBS) tests
	+@$(MAKE) --no-print-directory shared-host
	@tests/run $(BUILD) $(if $(SANITIZE),--seconds 2400) $(addprefix --without ,$(subst $(comma), ,$(WITHOUT)))

bench fuzz crash timing hosting soak:
	@etc/install-packages etc/packages etc/packages-test
	+@$(MAKE) --no-print-directory $(JOBS) tests
	@$(RUN_$@)
RUN_bench = set -e; for script in $$(find tests/bench -maxdepth 1 -type f -perm -u=x | sort); do $$script $(BUILD); done
RUN_fuzz = tests/fuzz/run $(BUILD)
RUN_timing = $(BUILD)/tests/timing/timing $(CALLS) && TIMING=1 tests/run $(BUILD) http/test_reset
RUN_crash = BUILD=$(BUILD) tests/crash/run.py long
RUN_soak = SOAK=$(or $(SECONDS),600) BUILD=$(BUILD) python3 tests/http/test_soak.py
RUN_hosting = HOSTING=long tests/run $(BUILD) --seconds 7200 hosting/

shared-host:
	@etc/install-packages etc/packages
	+@$(MAKE) --no-print-directory $(JOBS) BUILD=build/shared-host STATIC=1 SANITIZE= build/guardbee-shared-host.tar.gz

# Branch coverage of lib/ by everything `make test` runs.
coverage:
	@etc/install-packages etc/packages etc/packages-test etc/packages-coverage
	+@$(MAKE) --no-print-directory $(JOBS) BUILD=build/coverage CPPFLAGS=-DGB_UNCONFINED CFLAGS='-O0 -g --coverage' tests
	-tests/run build/coverage --seconds 2400
	gcovr --root . --filter lib/ --branches --print-summary build/coverage

# Examples and wrappers are installed with the paths of this PREFIX.
LIBDIR := $(PREFIX)/lib/guardbee
DOCDIR := $(PREFIX)/share/doc/guardbee
ADAPT = etc/adapt $(1) programs=$(LIBDIR)/web lib=$(LIBDIR) www=$(PREFIX)/share/guardbee/www
EXAMPLES := $(wildcard etc/apache/* etc/lighttpd/* etc/nginx/*)
install: all
	install -d $(DESTDIR)$(PREFIX)/lib/guardbee $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/guardbee/www/texts \
		$(DESTDIR)$(PREFIX)/share/doc/guardbee
	install -m 755 $(ENDPOINTS) $(DESTDIR)$(PREFIX)/lib/guardbee
	$(if $(FULL),install -D -t $(DESTDIR)$(PREFIX)/lib/guardbee/full -m 755 $(FULL))
	install -m 755 $(BUILD)/bin/guardbee $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard www/*.*) $(DESTDIR)$(PREFIX)/share/guardbee/www
	install -m 644 $(wildcard www/texts/*.*) $(DESTDIR)$(PREFIX)/share/guardbee/www/texts
	install -m 644 README.md LICENSE $(filter-out etc/packages% %.d,$(wildcard etc/*.*)) $(DESTDIR)$(DOCDIR)
	set -e; for page in $(wildcard etc/man/*.[157]); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	set -e; for file in $(wildcard etc/systemd/* etc/logrotate.d/* etc/fail2ban/*/*); do \
		install -d $(DESTDIR)$(PREFIX)/share/doc/guardbee/$${file%/*}; \
		sed 's|/usr/local/|$(PREFIX)/|' $$file >$(DESTDIR)$(PREFIX)/share/doc/guardbee/$$file; done
	install -d $(DESTDIR)$(LIBDIR)/web $(addprefix $(DESTDIR)$(DOCDIR)/,apache lighttpd nginx)
	set -e; for file in $(patsubst etc/%,%,$(EXAMPLES)); do \
		$(call ADAPT,etc/$$file) >$(DESTDIR)$(DOCDIR)/$$file; chmod 644 $(DESTDIR)$(DOCDIR)/$$file; done
	set -e; for name in $(notdir $(ENDPOINTS)); do \
		$(call ADAPT,etc/with-settings) >$(DESTDIR)$(LIBDIR)/web/$$name; chmod 755 $(DESTDIR)$(LIBDIR)/web/$$name; done
	$(call ADAPT,etc/spawn) >$(DESTDIR)$(LIBDIR)/spawn
	chmod 755 $(DESTDIR)$(LIBDIR)/spawn

# build/guardbee_VERSION_ARCH.deb. Who builds for others says who answers for it, as Debian's tools ask it or by
# MAINTAINER; a package that is for this machine alone is its administrator's.
VERSION ?= 0.1
MAINTAINER ?= $(or $(DEBFULLNAME),local build) <$(or $(DEBEMAIL),root@localhost)>
deb:
	@etc/install-packages etc/packages
	rm -rf $(BUILD)/deb
	+@$(MAKE) --no-print-directory install DESTDIR=$(BUILD)/deb PREFIX=/usr
	etc/deb/build $(BUILD)/deb $(VERSION) $(BUILD) '$(MAINTAINER)'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE)

# Templates and texts become one table of C strings (lib/embed.h). The folders stand
# among the prerequisites because a file that was removed must leave the table.
$(BUILD)/embedded.c: $(EMBEDDED) $(EMBEDDED_FOLDERS) Makefile
	@mkdir -p $(@D)
	set -e; { printf '#include <stddef.h>\n#include "embed.h"\nconst struct gb_embedded gb_embedded[] = {\n'; \
	for f in $(EMBEDDED); do \
		printf '{ "%s", ""\n' $$f; sed -e '/SPDX-License-Identifier/d' -e 's/[\\"?]/\\&/g' -e 's/.*/"&\\n"/' $$f; echo '},'; \
	done; echo '{ NULL, NULL } };'; } >$@.new && mv $@.new $@

$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(COMPILE)

$(LIBGUARDBEE): $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# libgdbm with its I/O calls renamed to those of lib/store/pages.c. A libgdbm that
# does its I/O by any other call would slip past the log: then the build fails.
$(LIBGDBM): lib/store/gdbm.redirect lib/store/gdbm.symbols
	@mkdir -p $(@D)
	objcopy --redefine-syms=lib/store/gdbm.redirect $(shell $(CC) -print-file-name=libgdbm.a) $@.$$$$.a && \
	nm --format=posix $@.$$$$.a | awk 'NF < 2 { next } { if ($$2 == "U") needed[$$1]; else made[$$1] } \
		END { for (s in needed) if (!(s in made)) print s }' >$@.$$$$.needed && \
	if grep -vxFf lib/store/gdbm.symbols $@.$$$$.needed; then \
		echo "libgdbm.a: the symbols above are not in lib/store/gdbm.symbols" >&2; rm -f $@.$$$$.*; exit 1; \
	fi; rm -f $@.$$$$.needed; mv $@.$$$$.a $@

$(FULL): $(BUILD)/cgi-bin/full/%.fcgi: $(BUILD)/cgi-bin/%.o $(LIBGUARDBEE) $(LIBGDBM)
	@mkdir -p $(@D)
	$(LINK) $(HEAP) $(LIBS)

$(LONE:%=$(BUILD)/cgi-bin/%.fcgi): GB_LDFLAGS := -static-pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--wrap=dlopen
$(LONE:%=$(BUILD)/cgi-bin/%.fcgi): $(BUILD)/etc/shared-host/absent.o
$(BUILD)/cgi-bin/%.fcgi: $(BUILD)/cgi-bin/%.o $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(HEAP) $(LIBS)

$(BUILD)/bin/guardbee: $(COMMAND_OBJECTS) $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(LIBS)

build/guardbee-shared-host.tar.gz: build/shared-host/guardbee $(wildcard etc/shared-host/* www/*.* www/texts/*.*) LICENSE
	etc/shared-host/pack build/shared-host $@

# --- one program for shared hosts: every main() under a name of its own, and a table of them

PROGRAMS := $(patsubst cgi-bin/%.c,%,$(wildcard cgi-bin/*.c))
$(BUILD)/programs/%.o: $(BUILD)/cgi-bin/%.o
	@mkdir -p $(@D)
	objcopy --redefine-sym main=gb_main_$(subst -,_,$*) $< $@

$(BUILD)/programs/guardbee.o: $(BUILD)/bin/guardbee.o
	@mkdir -p $(@D)
	objcopy --redefine-sym main=gb_main_guardbee $< $@

$(BUILD)/programs.c: $(wildcard cgi-bin) Makefile
	@mkdir -p $(@D)
	set -e; { printf '#include <stddef.h>\n#include "programs.h"\n'; \
	for p in $(PROGRAMS); do echo "int gb_main_$$p(int argc, char **argv);" | tr - _; done; \
	echo 'const struct gb_program gb_programs[] = {'; \
	for p in $(PROGRAMS); do echo "{ \"$$p\", gb_main_$$(echo $$p | tr - _) },"; done; \
	echo '{ NULL, NULL } };'; } >$@.new && mv $@.new $@

$(BUILD)/programs.o: GB_CPPFLAGS += -Ietc/shared-host
$(BUILD)/programs.o: $(BUILD)/programs.c
	$(COMPILE)

$(BUILD)/guardbee: $(BUILD)/etc/shared-host/main.o $(BUILD)/etc/shared-host/absent.o $(BUILD)/programs.o \
		$(PROGRAMS:%=$(BUILD)/programs/%.o) $(BUILD)/programs/guardbee.o \
		$(filter-out $(BUILD)/bin/guardbee.o,$(COMMAND_OBJECTS)) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(HEAP) $(LIBS)
	strip $@

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_HELPERS) $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) -lcriterion $(LIBS)

# Hidden, or Criterion's libgit2 would take the linked libcrypto for its own, and so would the loaded one.
$(BUILD)/tests/test_allocation: GB_LDFLAGS += -Wl,--exclude-libs,ALL $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup strndup free gb_arena_alloc gb_arena_copy)

$(BUILD)/tests/sanitizer/options.o: CPPFLAGS += -DLOG_PATH='"$(abspath $(BUILD))/sanitizer/report"'

$(PLANT): tests/sandbox/plant.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Wshadow $(if $(WERROR),-Werror) $(CFLAGS) -shared -fPIC -o $@ $<

$(BUILD)/www/%: www/%
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/tests/interop/token: $(BUILD)/tests/interop/token.o $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(LIBS)

# <jwt.h> is libjwt's here, not ours.
$(BUILD)/tests/interop/peers.o: GB_CPPFLAGS := -D_GNU_SOURCE
$(BUILD)/tests/interop/peers: $(BUILD)/tests/interop/peers.o
	$(LINK) -ljwt -lcjose -ljansson -lcrypto

$(BUILD)/tests/timing/timing: $(BUILD)/tests/timing/timing.o $(BUILD)/tests/store_memory.o $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(LIBS)

$(BUILD)/tests/bench/jwt: $(BUILD)/tests/bench/jwt.o $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) $(LIBS)

$(BUILD)/tests/bench/store $(BUILD)/tests/bench/store_growth: %: %.o $(SANITIZER) $(LIBGUARDBEE) $(LIBGDBM)
	$(LINK) -lsodium -llmdb -lsqlite3

$(BUILD)/tests/bench/start $(BUILD)/tests/bench/null: %: %.o
	$(LINK)

$(BUILD)/tests/bench/jwt_peers.o: GB_CPPFLAGS := -D_GNU_SOURCE
$(BUILD)/tests/bench/jwt_peers: $(BUILD)/tests/bench/jwt_peers.o
	$(LINK) -ljwt -lcjose -ljansson

$(NODE_MODULES): build/%/node_modules/.package-lock.json: tests/%/package.json tests/%/package-lock.json
	@mkdir -p build/$*
	cp $^ build/$*
	cd build/$* && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

clean:
	rm -rf build

-include $(shell find $(addprefix $(BUILD)/,embedded.d lib cgi-bin bin tests) -name '*.d' 2>/dev/null)

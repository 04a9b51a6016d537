# SPDX-License-Identifier: GPL-2.0-only
#
# blkrepl: build, install, test.  "make help" lists what there is.
# All that is made goes into build/.

KERNEL	?= 6.1
SEEDS	?= 20000
SEED	?=
JOBS	?= 2
TESTS	?=
BENCH	?=
CLOCK	?=
PREFIX	?= /usr
DESTDIR	?=
RELEASE	?= $(shell uname -r)

VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
KDIR	:= /lib/modules/$(RELEASE)/build
MODDIR	:= $(CURDIR)/build/modules/$(RELEASE)
# make -C would take a relative one for its own; / is the same as none.
STAGE	:= $(patsubst %/,%,$(abspath $(DESTDIR)))
DKMSDIR	:= $(STAGE)/usr/src/blkrepl-$(VERSION)

.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | \
		awk -F'\t' '{ printf "%-30s%s\n", $$1, $$2 }'
	@echo
	@echo "  KERNEL=6.1|6.12|7.2|debug  TESTS='test_x_01 ...'  SEEDS=N  SEED=S  JOBS=N"

# --- build ----------------------------------------------------------------

all: tool modules ## the tool, and the module for the running kernel

# Objects stay out of the sources: kbuild gets a copy, as for the test kernels.
modules: ## the module for the running kernel (RELEASE=...)
	@[ -e $(KDIR) ] || { echo "no headers in $(KDIR), the module can't be built:"; \
		echo "  apt-get install linux-headers-$(RELEASE)"; \
		echo "the tool alone: make tool; tests need no headers: make selftests"; exit 1; }
	@tests/vm/sync-module . $(MODDIR)
	$(MAKE) -C $(KDIR) M=$(MODDIR) modules

# kbuild leaves depmod out where the headers have no System.map, as Debian's.
modules_install: modules ## install the module for the running kernel [DESTDIR=...]
	$(MAKE) -C $(KDIR) M=$(MODDIR) INSTALL_MOD_PATH=$(STAGE) DEPMOD=true modules_install
	$(if $(STAGE),,depmod $(RELEASE))

tool: ## the command blkrepl: build/userspace/blkrepl
	$(MAKE) -C userspace

install: tool ## the tool, man pages, completion, udev rule, systemd unit [DESTDIR=...]
	$(MAKE) -C userspace install PREFIX=$(PREFIX) DESTDIR=$(STAGE)

# With DESTDIR only the sources are put there: whoever unpacks it has a DKMS of
# their own.  Else what is registered of this version gives way.
dkms-install: ## register the module with DKMS, which builds it [DESTDIR=...]
ifeq ($(STAGE),)
	@command -v dkms >/dev/null || { echo "dkms is missing: apt-get install dkms"; exit 1; }
	@[ -z "$$(dkms status -m blkrepl -v $(VERSION))" ] || \
		dkms remove -m blkrepl -v $(VERSION) --all
endif
	rm -rf $(DKMSDIR)
	install -d $(DKMSDIR)
	cp -r kmod Kbuild dkms.conf LICENSE $(DKMSDIR)/
ifeq ($(STAGE),)
	dkms add -m blkrepl -v $(VERSION)
	dkms install -m blkrepl -v $(VERSION) -k $(RELEASE)
endif

# --- test -----------------------------------------------------------------

check: ## the tests that every change has to pass; what CI runs
	@tests/check

lint: ## style and static checks: W=1, sparse, checkpatch, shellcheck, ...
	@tests/lint/run

unit: ## unit tests of the core and of the tool
	$(MAKE) -C tests/unit run
	$(MAKE) -C userspace check

fuzz: ## replay the corpora and fuzz for a bounded time
	$(MAKE) -C tests/fuzz run

sim: ## whole clusters, simulated: SEEDS=N [SEED=first, and nothing else]
	$(MAKE) -C tests/sim
	build/sim/blkrepl-sim --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) --jobs $(JOBS)
ifndef SEED
	build/sim/blkrepl-sim --file tests/sim/regressions --quiet
	build/sim/blkrepl-sim --ack-policy 2 --seeds 3000 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario election --seeds 1000 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario witness --seeds 1000 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario clocks --seeds 2500 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario laggard --seeds 500 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario slow-votes --seeds 500 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario fencing --seeds 1000 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario members --seeds 1000 --jobs $(JOBS)
	build/sim/blkrepl-sim --votes --seeds 1500 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario policies --seeds 2000 --jobs $(JOBS)
	build/sim/blkrepl-sim --scenario far --seeds 1500 --jobs $(JOBS)
endif

soak: SEEDS = 2000000
soak: ## millions of seeds, all scenarios in turn: [SEEDS=2000000] [SEED=first]
	@JOBS=$(JOBS) tests/sim/soak $(SEEDS) $(SEED)

mutations: ## switch off single rules: the simulator must notice each
	$(MAKE) -C tests/sim
	tests/sim/mutations

selftests: tool ## the module in one VM: KERNEL=6.1 [TESTS=...]
	@tests/vm/kernel get $(KERNEL)
	@tests/selftests/in-vm $(KERNEL) $(TESTS)

check-kernels: tool ## build, load and selftests on 6.1, 6.12 and 7.2
	@tests/check-kernels 6.1 6.12 7.2

check-debug: tool ## selftests on a kernel with KASAN and lockdep; then some that look for leaks
	@tests/check-kernels debug
	@LEAKS=1 tests/check-kernels debug

cluster: tool ## one VM a node: power cuts, partitions
	@tests/vm/kernel get $(KERNEL)
	@tests/vm/kernel build $(KERNEL)
	@tests/cluster/run --kernel $(KERNEL) $(TESTS)

bench: ## beside DRBD and others: BENCH="writes|reads|..." [CLOCK=instructions|host]
	@tests/bench/run --kernel $(KERNEL) $(if $(CLOCK),--clock $(CLOCK)) $(BENCH)

demo: ## three nodes, a power cut and a survivor, in one screen
	@tests/cluster/demo --kernel $(KERNEL)

# --- for editors ----------------------------------------------------------

compile_commands.json: ## for clangd: the module (KERNEL) and the tool
	@tests/lint/compile-commands $(KERNEL) >$@

tags: ## for vi and friends
	ctags -R kmod userspace tests

clean: ## remove build/ (kernels are kept in their cache)
	rm -rf build compile_commands.json tags

.PHONY: help all modules modules_install tool install dkms-install check lint \
	unit fuzz sim soak mutations selftests check-kernels check-debug cluster bench demo \
	compile_commands.json tags clean

# gotrace: see README.md. Everything works with Go and the Debian packages that
# .ci/run installs; kernel tests need root and skip with a reason without.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 30s
PROGRAMS    ?= 2000
SEED        ?= 1
ROUNDS      ?= 3
KERNELS     ?= 6.1,6.12

.PHONY: build test race test-vm check fuzz fuzz-vm bench compare golden examples clean

build: ## the command, as bin/gotrace
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/gotrace ./cmd/gotrace

test: mounts ## all tests, those on the running kernel included
	$(GO) test -timeout 15m ./...

.PHONY: mounts
mounts: # tracefs and bpffs, where they are missing and may be mounted
	@-mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	@-mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf 2>/dev/null

race: mounts ## the tests of runs under the race detector
	$(GO) test -race -timeout 15m -run 'TestRun|Sink|Symbols|Example' .
	$(GO) test -race -timeout 15m ./runtime/session ./runtime/event ./runtime/maps ./runtime/output ./runtime/symbol

test-vm: ## kernel probes in QEMU on Debian kernels (GOTRACE_VM_KERNELS=6.1,6.12)
	GOTRACE_VM=1 $(GO) test ./runtime/vmtest -run TestVM -count=1 -timeout 30m -v

check: ## formatting, vet, staticcheck, module file, clean tree
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	@git diff --exit-code --stat

fuzz: mounts ## fuzz targets for FUZZTIME each, then PROGRAMS random programs from SEED on
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$p || exit 1; \
	  done; done
	$(GO) test -run TestRandomPrograms -count=1 -timeout 24h -v . -args -programs $(PROGRAMS) -seed $(SEED)

fuzz-vm: ## PROGRAMS random programs from SEED on, on each of the KERNELS
	$(GO) run ./runtime/vmtest/cmd -kernel $(KERNELS) -timeout 24h -test . -- -test.run TestRandomPrograms -test.v -programs $(PROGRAMS) -seed $(SEED)

bench: ## Go benchmarks of the stages
	$(GO) test -run '^$$' -bench . -benchmem ./...

compare: mounts build ## start-up, memory, instructions and time per run beside bpftrace on PATH
	$(GO) run ./runtime/compare -gotrace bin/gotrace -rounds $(ROUNDS)

golden: ## rewrite golden files and the list of unsupported conformance cases
	$(GO) test ./lang/parse ./codegen/internal/emit -run TestGolden -update
	$(GO) test ./codegen/internal/opt -run TestPasses -update
	$(GO) test ./codegen -run TestIR -update
	GOTRACE_CONFORMANCE_UPDATE=1 $(GO) test ./cmd/gotrace -run TestConformance -count=1

examples: mounts ## compile the examples, check their layout, run them
	$(GO) test -count=1 -v ./examples/...

clean:
	rm -rf bin

package gotrace

import (
	"fmt"
	"syscall"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/registers"
	"github.com/gotrace/gotrace/probes/syscalls"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// system answers the checker's questions about the machine.
type system struct {
	host      *host.Host
	debugDirs []string
	symbols   *symbol.Kernel // read when first asked
	ncpu      int
}

func newSystem(h *host.Host, debugDirs []string) (*system, error) {
	n, err := h.NumCPU()
	if err != nil {
		return nil, err
	}
	return &system{host: h, debugDirs: debugDirs, symbols: symbol.NewKernel(h.Proc()), ncpu: n}, nil
}

// NumCPU is the number of processors that may ever be there.
func (s *system) NumCPU() int { return s.ncpu }

func (s *system) Arch() string { return s.host.Arch() }

func (s *system) KernelSymbol(name string) (uint64, error) {
	return s.symbols.Address(name)
}

func (s *system) UserSymbol(path, name string) (addr, size uint64, err error) {
	sym, err := symbol.FindELFSymbol(s.host.Root(), path, name, s.debugDirs)
	return sym.Addr, sym.Size, err
}

// CgroupID is the inode number of the cgroup's directory.
func (s *system) CgroupID(path string) (uint64, error) {
	info, err := s.host.Stat(path)
	if err != nil {
		return 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return 0, fmt.Errorf("%s is no directory of a cgroup file system", path)
	}
	return st.Ino, nil
}

func (s *system) Register(name string) (int, bool) { return registers.Offset(s.host.Arch(), name) }

func (s *system) KernelVersion() (major, minor int) {
	r := s.host.Features().Release()
	return r.Major, r.Minor
}

func (s *system) HasKfunc(name string) bool {
	_, ok := s.host.Kernel().Func(name)
	return ok
}

func (c *compilation) features() codegen.Features {
	f := c.host.Features()
	r := f.Release()
	return codegen.Features{
		Release:         c.host.Release(),
		BPFLoop:         f.Helper(asm.FnLoop),
		ForEachMapElem:  f.Helper(asm.FnForEachMapElem),
		TaskBTF:         f.Helper(asm.FnGetCurrentTaskBtf),
		MapLookupPerCPU: f.Helper(asm.FnMapLookupPercpuElem),
		NoPreallocSafe:  r.AtLeast(6, 1),
		KtimeTAI:        f.Helper(asm.FnKtimeGetTaiNs),
		AtomicFetch:     r.AtLeast(5, 12),
		PathInIter:      r.AtLeast(5, 12),
		SignExtend:      r.AtLeast(6, 6),
		LongKeys:        r.AtLeast(5, 11),
		LargeArrays:     r.AtLeast(6, 0),
	}
}

func (c *compilation) target() codegen.Target {
	return codegen.Target{
		Arch: c.host.Arch(), Features: c.features(), NumCPU: c.system.ncpu,
		Syscalls: func() []string { return syscalls.Names(c.host.Arch()) },
	}
}

func (c *compilation) codegenOptions() codegen.Options {
	o := codegen.Options{Opt: 2, Files: c.files, Dump: c.cfg.Dump}
	if c.cfg.Opt == OptNone {
		o.Opt = 0
	}
	return o
}

package symbol

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"sync"
)

// ErrRestricted reports that the kernel lists its symbols without addresses.
var ErrRestricted = errors.New("kernel addresses are hidden: see /proc/sys/kernel/kptr_restrict, or run as root (CAP_SYSLOG)")

// ErrNotFound reports that no symbol has the name asked for.
var ErrNotFound = errors.New("symbol not found")

// maxKernelOffset bounds how far behind a symbol an address may lie. Kallsyms has no sizes, so without a bound every address above
// the kernel image would belong to the last symbol. No kernel function is that long.
const maxKernelOffset = 1 << 20

// Kernel names kernel addresses from /proc/kallsyms: the kernel, its modules and loaded BPF programs. The file is read whole at the first
// lookup (40 to 70 ms, nearly all of it the kernel's formatting) and kept in about 40 bytes a symbol.
type Kernel struct {
	proc fs.FS
	once sync.Once
	syms kernelTable
	err  error
}

// NewKernel returns a Kernel that will read "kallsyms" in proc, usually os.DirFS("/proc").
func NewKernel(proc fs.FS) *Kernel { return &Kernel{proc: proc} }

// Load reads the symbols if they were not read yet. It is called by the other methods; call it early to have the time spent elsewhere.
// The error is ErrRestricted where addresses are hidden, or that of reading the file; it stays the same on every call.
func (k *Kernel) Load() error {
	k.once.Do(func() { k.err = k.load() })
	return k.err
}

func (k *Kernel) load() error {
	f, err := k.proc.Open("kallsyms")
	if err != nil {
		return fmt.Errorf("kernel symbols: %w", err)
	}
	defer f.Close()
	if k.syms, err = parseKallsyms(f); err != nil {
		return fmt.Errorf("kernel symbols: %w", err)
	}
	return nil
}

// Lookup names the kernel address. ok is false for an address outside of the kernel and when symbols cannot be read (see Load). Of
// several symbols at one address it is the first in kallsyms, which the kernel build sorts by preference.
func (k *Kernel) Lookup(addr uint64) (s Symbol, ok bool) {
	if k.Load() != nil {
		return Symbol{}, false
	}
	e, ok := k.syms.at(addr)
	if !ok {
		return Symbol{}, false
	}
	return Symbol{Name: k.syms.name(e), Offset: addr - e.addr, Module: k.syms.modules[e.module]}, true
}

// Address returns the address of the named symbol, functions and data alike. A name in the kernel comes before the same name in a
// module; of several the lowest address. The error is ErrNotFound, or that of Load.
func (k *Kernel) Address(name string) (uint64, error) {
	if err := k.Load(); err != nil {
		return 0, err
	}
	return k.syms.address(name)
}

// kernelSymbol is 16 bytes; a kernel has between 100,000 and 300,000 of them.
type kernelSymbol struct {
	addr   uint64
	name   uint32 // into kernelTable.names, up to the zero byte
	module uint16 // into kernelTable.modules
	kind   byte   // the letter of nm(1)
}

// absolute tells per-cpu offsets and constants from addresses: they may be looked up by name only.
func (s kernelSymbol) absolute() bool { return s.kind == 'a' || s.kind == 'A' }

// kernelTable is sorted by address; symbols of equal address keep the order of kallsyms.
type kernelTable struct {
	syms    []kernelSymbol
	names   []byte
	modules []string // [0] is the kernel itself, ""
}

func (t *kernelTable) sort() {
	byAddr := func(a, b kernelSymbol) int { return cmp.Compare(a.addr, b.addr) }
	if !slices.IsSortedFunc(t.syms, byAddr) {
		slices.SortStableFunc(t.syms, byAddr)
	}
}

func (t *kernelTable) at(addr uint64) (kernelSymbol, bool) {
	i := sort.Search(len(t.syms), func(i int) bool { return t.syms[i].addr > addr }) - 1
	for i >= 0 && t.syms[i].absolute() {
		i--
	}
	if i < 0 || addr-t.syms[i].addr >= maxKernelOffset {
		return kernelSymbol{}, false
	}
	best := t.syms[i]
	for i--; i >= 0 && t.syms[i].addr == best.addr; i-- {
		if !t.syms[i].absolute() {
			best = t.syms[i]
		}
	}
	return best, true
}

func (t *kernelTable) name(s kernelSymbol) string { return cString(t.names, s.name) }

func (t *kernelTable) address(name string) (uint64, error) {
	found := -1
	for i, s := range t.syms {
		if !hasCString(t.names, s.name, name) {
			continue
		}
		if s.module == 0 {
			return s.addr, nil
		}
		if found < 0 {
			found = i
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("%q: %w", name, ErrNotFound)
	}
	return t.syms[found].addr, nil
}

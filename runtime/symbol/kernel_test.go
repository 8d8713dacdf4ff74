package symbol

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const kallsymsText = `0000000000000000 A fixed_percpu
0000000000000020 a percpu_counter
ffffffff81000000 T _stext
ffffffff81000000 T first_function
ffffffff81000040 t helper
ffffffff81000080 W weak_function
ffffffff82000000 D some_data
ffffffffc0201000 t mod_init	[ext4]
ffffffffc0201080 t helper	[ext4]
ffffffffc0100000 t bpf_prog_6deef7357e7b4530_main	[bpf]
ffffffffc0200000 t other_init	[xfs]
`

func kernelOf(text string) *Kernel {
	return NewKernel(fstest.MapFS{"kallsyms": {Data: []byte(text)}})
}

func TestKernelLookup(t *testing.T) {
	k := kernelOf(kallsymsText)
	for _, tt := range []struct {
		why  string
		addr uint64
		want Symbol
		ok   bool
	}{
		{"the first of several at one address", 0xffffffff81000000, Symbol{Name: "_stext"}, true},
		{"inside a function", 0xffffffff8100003f, Symbol{Name: "_stext", Offset: 0x3f}, true},
		{"the next function", 0xffffffff81000040, Symbol{Name: "helper"}, true},
		{"weak functions count", 0xffffffff81000081, Symbol{Name: "weak_function", Offset: 1}, true},
		{"data", 0xffffffff82000008, Symbol{Name: "some_data", Offset: 8}, true},
		{"a module", 0xffffffffc0201090, Symbol{Name: "helper", Offset: 0x10, Module: "ext4"}, true},
		{"modules are not in order in the file", 0xffffffffc0200001, Symbol{Name: "other_init", Offset: 1, Module: "xfs"}, true},
		{"a BPF program", 0xffffffffc0100010, Symbol{Name: "bpf_prog_6deef7357e7b4530_main", Offset: 0x10, Module: "bpf"}, true},
		{"a small number is no address, though per-cpu symbols are listed there", 0x24, Symbol{}, false},
		{"user space", 0x7fffdeadbeef, Symbol{}, false},
		{"below the first function", 0xffffffff80ffffff, Symbol{}, false},
		{"far behind the last symbol", 0xffffffffffffffff, Symbol{}, false},
	} {
		if got, ok := k.Lookup(tt.addr); got != tt.want || ok != tt.ok {
			t.Errorf("%s: Lookup(%#x) = %+v, %v; want %+v, %v", tt.why, tt.addr, got, ok, tt.want, tt.ok)
		}
	}
}

func TestKernelAddress(t *testing.T) {
	k := kernelOf(kallsymsText)
	for name, want := range map[string]uint64{
		"helper":         0xffffffff81000040, // the kernel's own before the module's
		"mod_init":       0xffffffffc0201000,
		"some_data":      0xffffffff82000000,
		"percpu_counter": 0x20,
	} {
		if got, err := k.Address(name); err != nil || got != want {
			t.Errorf("Address(%q) = %#x, %v; want %#x", name, got, err, want)
		}
	}
	for _, name := range []string{"help", "elper", "", "no_such_symbol"} {
		if got, err := k.Address(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Address(%q) = %#x, %v; want ErrNotFound", name, got, err)
		}
	}
}

func TestKernelErrors(t *testing.T) {
	for _, tt := range []struct {
		why, text string
		want      error
	}{
		{"kptr_restrict zeroes all addresses", "0000000000000000 T _stext\n0000000000000000 t helper\n", ErrRestricted},
		{"an empty file", "", nil},
		{"an endless line", strings.Repeat("f", 1<<20), nil},
	} {
		k := kernelOf(tt.text)
		err := k.Load()
		if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
			t.Errorf("%s: Load() = %v, want %v", tt.why, err, tt.want)
		}
		if _, ok := k.Lookup(0); ok {
			t.Errorf("%s: Lookup found a symbol", tt.why)
		}
		if _, err2 := k.Address("_stext"); err2 == nil || err2.Error() != err.Error() {
			t.Errorf("%s: Address gives %v, Load gave %v", tt.why, err2, err)
		}
	}
	if err := NewKernel(fstest.MapFS{}).Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without kallsyms: %v", err)
	}
}

// countingFS tells how often a file was opened.
type countingFS struct {
	fs.FS
	opened *int
}

func (c countingFS) Open(name string) (fs.File, error) { *c.opened++; return c.FS.Open(name) }

func TestKernelReadsOnceAndLate(t *testing.T) {
	opened := 0
	k := NewKernel(countingFS{fstest.MapFS{"kallsyms": {Data: []byte(kallsymsText)}}, &opened})
	if opened != 0 {
		t.Errorf("NewKernel opened %d files", opened)
	}
	for range 3 {
		if _, ok := k.Lookup(0xffffffff81000000); !ok {
			t.Error("symbol not found")
		}
	}
	if opened != 1 {
		t.Errorf("kallsyms was opened %d times, want once", opened)
	}
}

func TestRunningKernel(t *testing.T) {
	k := NewKernel(os.DirFS("/proc"))
	addr, err := k.Address("schedule")
	if errors.Is(err, ErrRestricted) || errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := k.Lookup(addr + 1); !ok || s.Name != "schedule" || s.Offset != 1 || s.Module != "" {
		t.Errorf("Lookup(schedule+1) = %+v, %v", s, ok)
	}
}

func FuzzKallsyms(f *testing.F) {
	f.Add(kallsymsText)
	f.Add("ffffffff81000000 T \x00\n\n \nx T y")
	f.Add("1 T a\t[]\n1 T a\t[b")
	f.Fuzz(func(t *testing.T, text string) {
		k := kernelOf(text)
		if k.Load() != nil {
			return
		}
		for _, s := range k.syms.syms {
			if s.addr > 0 && !s.absolute() {
				if got, ok := k.Lookup(s.addr); !ok || got.Offset != 0 {
					t.Errorf("Lookup(%#x) = %+v, %v in %q", s.addr, got, ok, text)
				}
			}
			if _, err := k.Address(k.syms.name(s)); err != nil {
				t.Errorf("listed name: %v", err)
			}
		}
	})
}

func BenchmarkKallsyms(b *testing.B) {
	text, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		b.Skip(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := kernelOf(string(text)).Load(); err != nil {
			b.Skip(err)
		}
	}
}

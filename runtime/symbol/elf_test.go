package symbol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"
)

func tableOfFile(t testing.TB, program string) *table {
	t.Helper()
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := buildTable(f, debugSearch{})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestSymbolChoice(t *testing.T) {
	object := compile(t, "choice.s", asmSource, "-shared", "-nostdlib")
	tab := tableOfFile(t, object)
	base, err := FindELFSymbol(os.DirFS("/"), object, "global_alias", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		why    string
		at     uint64 // from global_alias
		name   string
		offset uint64
	}{
		{"global before weak and local, few underscores", 0, "global_alias", 0},
		{"the last byte", 16, "global_alias", 16},
		{"without size: up to the next symbol", 17, "no_size", 0},
		{"the end of that", 48, "no_size", 31},
		{"a label inside of a function", 51, "sized", 2},
		{"before an inner function", 50, "sized", 1},
		{"the inner function", 54, "inner", 1},
		{"behind an inner function", 60, "sized", 11},
		{"behind all functions with a size", 70, "", 0},
		{"the last function, without size, up to a label", 81 + 3, "last", 3},
		{"a global label", 89 + 4, "global_label", 4},
		{"a local label changes nothing", 89 + 9, "global_label", 9},
	} {
		name, offset, ok := tab.at(base.Addr + tt.at)
		if name != tt.name || offset != tt.offset || ok != (tt.name != "") {
			t.Errorf("%s: %q+%d, %v; want %q+%d", tt.why, name, offset, ok, tt.name, tt.offset)
		}
	}
}

func TestVersionsAreNoPartOfNames(t *testing.T) {
	const source = `
.globl f
.type f,@function
f: nop
.size f,1
.symver f, clock_wait@GLIBC_2.2.5, remove
.section .note.GNU-stack,"",@progbits
`
	tab := tableOfFile(t, compile(t, "versioned.s", source, "-c"))
	if name, offset, ok := tab.at(0); name != "clock_wait" || offset != 0 || !ok {
		t.Errorf("%q+%d, %v", name, offset, ok)
	}
}

func TestFindELFSymbol(t *testing.T) {
	program := compile(t, "fixture.c", fixtureSource, "-w", "-fPIE", "-pie")
	root := os.DirFS("/")
	for _, want := range []ELFSymbol{
		{Name: "counter", Size: 4, Data: true},
		{Name: "small", Size: 2, Data: true},
		{Name: "hidden"},
	} {
		got, err := FindELFSymbol(root, program, want.Name, nil)
		if err != nil || got.Addr == 0 || got.Data != want.Data || (want.Data && got.Size != want.Size) {
			t.Errorf("%s is %+v, %v", want.Name, got, err)
		}
	}
	for _, tt := range []struct {
		why, path, name string
		want            error
	}{
		{"no such symbol", program, "no_such_symbol", ErrNotFound},
		{"defined elsewhere", program, "puts", ErrNotFound},
		{"no such file", program + ".missing", "main", fs.ErrNotExist},
		{"a directory", filepath.Dir(program), "main", errNotRegular},
		{"no ELF file", program + ".c", "main", nil},
	} {
		if got, err := FindELFSymbol(root, tt.path, tt.name, nil); err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
			t.Errorf("%s: %+v, %v; want %v", tt.why, got, err, tt.want)
		}
	}
}

// TestTruncatedELF cuts a program at many places. There must be no panic, and no symbol that is not in the whole file.
func TestTruncatedELF(t *testing.T) {
	data, err := os.ReadFile(compile(t, "choice.s", asmSource, "-shared", "-nostdlib"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := buildTable(bytes.NewReader(data), debugSearch{})
	if err != nil || len(whole.syms) == 0 {
		t.Fatalf("whole file: %d symbols, %v", len(whole.syms), err)
	}
	for size := 0; size < len(data); size += 7 {
		tab, err := buildTable(bytes.NewReader(data[:size]), debugSearch{})
		if err == nil && tab == nil {
			t.Fatalf("cut at %d: neither table nor error", size)
		}
		if tab != nil && len(tab.syms) > len(whole.syms) {
			t.Errorf("cut at %d: %d symbols, the whole file has %d", size, len(tab.syms), len(whole.syms))
		}
	}
}

// TestHugeSection states a symbol table of 2^60 bytes: it is refused before anything is allocated.
func TestHugeSection(t *testing.T) {
	data, err := os.ReadFile(compile(t, "choice.s", asmSource, "-shared", "-nostdlib"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := openELF(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if f.Class.String() != "ELFCLASS64" {
		t.Skip("patches the section headers of a 64-bit file")
	}
	const headerSize, sizeField = 64, 32
	headers := binary.NativeEndian.Uint64(data[40:])
	for i := range f.Sections {
		binary.NativeEndian.PutUint64(data[headers+uint64(i)*headerSize+sizeField:], 1<<60)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if tab, err := buildTable(bytes.NewReader(data), debugSearch{}); err == nil {
		t.Errorf("a broken file has %d symbols and no error", len(tab.syms))
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("allocated %d bytes for a file of %d", used, len(data))
	}
}

func FuzzELF(f *testing.F) {
	if data, err := os.ReadFile(compile(f, "choice.s", asmSource, "-shared", "-nostdlib")); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		search := debugSearch{places: []debugPlace{{fstest.MapFS{"d": {Data: data}}, "."}}, dirs: []string{"/"}, path: "/d"}
		tab, err := buildTable(bytes.NewReader(data), search)
		if err != nil || tab == nil {
			return
		}
		for _, s := range tab.syms {
			if _, offset, ok := tab.at(s.addr); ok && offset > 1<<32 {
				t.Errorf("offset %d", offset)
			}
		}
	})
}

func BenchmarkBuildTable(b *testing.B) {
	program := compile(b, "fixture.c", fixtureSource, "-w", "-static")
	symbols := 0
	for b.Loop() {
		symbols = len(tableOfFile(b, program).syms)
	}
	b.ReportMetric(float64(symbols), "symbols")
}

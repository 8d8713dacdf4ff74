package cdecl_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/cdecl"
	"github.com/gotrace/gotrace/lang/types"
)

// structGen writes random C definitions and remembers what to ask gcc about.
type structGen struct {
	*rand.Rand
	b     strings.Builder
	names []string // of structs that are complete
	paths map[string][]string
}

func (g *structGen) pick(list ...string) string { return list[g.IntN(len(list))] }

// definition writes struct or union number n.
func (g *structGen) definition(n int) {
	name := fmt.Sprintf("gen%d", n)
	kind := "struct"
	if g.IntN(5) == 0 {
		kind = "union"
	}
	pack := 0
	if g.IntN(6) == 0 {
		pack = 1 << g.IntN(4)
		fmt.Fprintf(&g.b, "#pragma pack(push, %d)\n", pack)
	}
	fmt.Fprintf(&g.b, "%s %s {\n", kind, name)
	for i := range 1 + g.IntN(9) {
		g.member(kind+" "+name, fmt.Sprintf("m%d", i), "", 0)
	}
	g.b.WriteString("}" + g.attribute() + ";\n")
	if pack > 0 {
		g.b.WriteString("#pragma pack(pop)\n")
	}
	g.names = append(g.names, kind+" "+name)
}

func (g *structGen) attribute() string {
	switch g.IntN(8) {
	case 0:
		return " __attribute__((packed))"
	case 1:
		return fmt.Sprintf(" __attribute__((aligned(%d)))", 1<<g.IntN(6))
	case 2:
		return fmt.Sprintf(" __attribute__((__packed__, aligned(%d)))", 1<<g.IntN(4))
	}
	return ""
}

// member writes one member; prefix is the path to it in the struct owner.
func (g *structGen) member(owner, name, prefix string, depth int) {
	path := prefix + name
	base := g.pick("char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned", "long",
		"unsigned long long", "long long int", "_Bool", "float", "double", "long double", "short int unsigned")
	switch g.IntN(9) {
	case 0, 1:
		g.bits(base, name)
		return
	case 2:
		fmt.Fprintf(&g.b, "  %s *%s[%d];\n", base, name, 1+g.IntN(3))
	case 3:
		fmt.Fprintf(&g.b, "  %s %s[%d][%d];\n", base, name, 1+g.IntN(3), 1+g.IntN(3))
	case 4:
		fmt.Fprintf(&g.b, "  void (*%s)(int, struct other *);\n", name)
	case 5:
		if len(g.names) > 0 {
			base = g.names[g.IntN(len(g.names))]
		}
		fmt.Fprintf(&g.b, "  %s %s;\n", base, name)
	case 6:
		if depth < 2 {
			g.nested(owner, name, prefix, depth)
			return
		}
		fmt.Fprintf(&g.b, "  %s %s;\n", base, name)
	case 7:
		fmt.Fprintf(&g.b, "  %s %s __attribute__((%s));\n", base, name, g.pick("packed", "aligned(2)", "aligned(16)", "packed, aligned(2)"))
	default:
		fmt.Fprintf(&g.b, "  %s %s, %s_b;\n", base, name, name)
	}
	g.paths[owner] = append(g.paths[owner], path)
}

func (g *structGen) bits(base, name string) {
	width := map[string]int{"char": 8, "signed char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16,
		"int": 32, "unsigned": 32, "long": 64, "unsigned long long": 64, "long long int": 64, "_Bool": 1,
		"short int unsigned": 16}[base]
	if width == 0 {
		base, width = "int", 32
	}
	switch g.IntN(6) {
	case 0:
		fmt.Fprintf(&g.b, "  %s : 0;\n", base)
	case 1:
		fmt.Fprintf(&g.b, "  %s : %d;\n", base, 1+g.IntN(width))
	default:
		fmt.Fprintf(&g.b, "  %s %s : %d;\n", base, name, 1+g.IntN(width))
	}
}

func (g *structGen) nested(owner, name, prefix string, depth int) {
	inner, sub := name, prefix+name+"."
	if g.IntN(2) == 0 {
		inner, sub = "", prefix // anonymous
	}
	g.b.WriteString("  " + g.pick("struct", "union") + " {\n")
	for i := range 1 + g.IntN(4) {
		g.member(owner, fmt.Sprintf("%s_%d", name, i), sub, depth+1)
	}
	fmt.Fprintf(&g.b, "  }%s %s;\n", g.pick("", "", " __attribute__((packed))"), inner)
}

// TestLayoutIsThatOfGCC compares sizes, alignments and offsets of random
// structs with what gcc prints.
func TestLayoutIsThatOfGCC(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to compare with")
	}
	const rounds, structs = 5, 150
	for seed := range uint64(rounds) {
		g := &structGen{Rand: rand.New(rand.NewPCG(seed, 7)), paths: map[string][]string{}}
		for n := range structs {
			g.definition(n)
		}
		want := askGCC(t, gcc, g)
		if len(want) < structs {
			t.Fatalf("seed %d: gcc printed %d lines", seed, len(want))
		}
		compare(t, g, want)
		if t.Failed() {
			return
		}
	}
}

// askGCC returns the lines "kind name path number" that a compiled program
// prints.
func askGCC(t *testing.T, gcc string, g *structGen) []string {
	t.Helper()
	var b strings.Builder
	b.WriteString("#include <stdio.h>\n#include <stddef.h>\n" + g.b.String() + "int main(void) {\n")
	for _, name := range g.names {
		fmt.Fprintf(&b, "printf(\"%s sizeof %%zu\\n\", sizeof(%s));\n", name, name)
		fmt.Fprintf(&b, "printf(\"%s alignof %%zu\\n\", _Alignof(%s));\n", name, name)
		for _, path := range g.paths[name] {
			fmt.Fprintf(&b, "printf(\"%s %s %%zu\\n\", offsetof(%s, %s));\n", name, path, name, path)
		}
	}
	b.WriteString("}\n")
	return runC(t, gcc, b.String())
}

func compare(t *testing.T, g *structGen, want []string) {
	t.Helper()
	r := parse(t, g.b.String(), defaults())
	for _, line := range want {
		f := strings.Fields(line)
		s, ok := r.Struct(f[1])
		if f[0] == "union" {
			s, ok = r.Union(f[1])
		}
		if !ok {
			t.Fatalf("%s %s is missing", f[0], f[1])
		}
		var got string
		switch f[2] {
		case "sizeof":
			got = fmt.Sprint(s.Size())
		case "alignof":
			var n int
			fmt.Sscan(f[3], &n)
			f[3] = fmt.Sprint(min(8, n))
			got = fmt.Sprint(s.Align())
		default:
			got = fmt.Sprint(offset(s, f[2]))
		}
		if got != f[3] {
			t.Errorf("%s %s %s = %s, gcc has %s\n%s", f[0], f[1], f[2], got, f[3], excerpt(g.b.String(), f[1]))
			return
		}
	}
}

// offset follows a path of fields, -1 if there is none.
func offset(s *types.Struct, path string) int {
	off := 0
	for name := range strings.SplitSeq(path, ".") {
		if s == nil {
			return -1
		}
		f, ok := s.Lookup(name)
		if !ok {
			return -1
		}
		off += f.Offset
		s, _ = f.Type.(*types.Struct)
	}
	return off
}

// excerpt returns the definition of name.
func excerpt(src, name string) string {
	i := strings.Index(src, " "+name+" {")
	if i < 0 {
		return ""
	}
	start := max(0, i-30)
	if j := strings.Index(src[i:], "\n}"); j >= 0 {
		return src[start:min(len(src), i+j+60)]
	}
	return src[start:]
}

// TestBitFieldsReadWhatGCCWrote compiles a program that sets one bit-field at a
// time and prints the bytes, and reads the field at the place that cdecl has.
func TestBitFieldsReadWhatGCCWrote(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to compare with")
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("layouts are those of amd64 and arm64")
	}
	const def = `struct bits {
  unsigned char a : 3; int b : 11; unsigned long c : 40; char pad; long d : 33; _Bool e : 1; short f : 9;
};
struct tight { unsigned char a : 3; int b : 11; unsigned long c : 40; char pad; long d : 33; } __attribute__((packed));
`
	r := parse(t, def, defaults())
	for name, fields := range map[string][]string{"bits": {"a", "b", "c", "d", "e", "f"}, "tight": {"a", "b", "c", "d"}} {
		s, ok := r.Struct(name)
		if !ok {
			t.Fatal("no struct", name)
		}
		for _, field := range fields {
			image := compileImage(t, gcc, def, name, field)
			if len(image) != s.Size() {
				t.Fatalf("struct %s has %d bytes, gcc has %d", name, s.Size(), len(image))
			}
			f, ok := s.Lookup(field)
			if !ok {
				t.Fatal("no field", field)
			}
			if got := readBits(image, f); got != 1<<f.BitSize-1 {
				t.Errorf("%s.%s reads %#x of %x at %+v", name, field, got, image, f)
			}
		}
	}
}

// compileImage returns the bytes of a struct in which all bits of a field are
// set and no others.
func compileImage(t *testing.T, gcc, def, name, field string) []byte {
	t.Helper()
	src := fmt.Sprintf("#include <stdio.h>\n%s int main(void) { static struct %s x; x.%s = -1; for (int i = 0; i < sizeof x; i++) printf(\"%%d\\n\", ((unsigned char *)&x)[i]); }", def, name, field)
	var image []byte
	for _, line := range runC(t, gcc, src) {
		n, err := strconv.ParseUint(line, 10, 8)
		if err != nil {
			t.Fatal(err)
		}
		image = append(image, byte(n))
	}
	return image
}

func readBits(image []byte, f types.Field) uint64 {
	var word uint64
	for i := range f.Type.Size() {
		word |= uint64(image[f.Offset+i]) << (8 * i)
	}
	rest := word >> f.BitOffset & (1<<f.BitSize - 1)
	if rest<<f.BitOffset != word {
		return 0 // other bits are set
	}
	return rest
}

// TestWellKnownConstants compares the table with the headers of the machine, as
// far as they have the names.
func TestWellKnownConstants(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to compare with")
	}
	table, err := os.ReadFile("wellknown.go")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("#define _GNU_SOURCE\n#include <stdio.h>\n")
	for _, h := range []string{"errno.h", "fcntl.h", "unistd.h", "sys/socket.h", "netinet/in.h", "netinet/tcp.h", "sys/mman.h",
		"sched.h", "sys/mount.h", "signal.h", "limits.h", "stdint.h", "net/if.h", "sys/stat.h", "sys/file.h", "linux/if_ether.h"} {
		fmt.Fprintf(&b, "#if __has_include(<%s>)\n#include <%s>\n#endif\n", h, h)
	}
	b.WriteString("int main(void) {\n")
	for _, m := range regexp.MustCompile(`([A-Z][A-Za-z0-9_]+)=`).FindAllStringSubmatch(string(table), -1) {
		for _, prefix := range []string{"", "AF_"} {
			fmt.Fprintf(&b, "#ifdef %[1]s\nprintf(\"%[1]s %%lld\\n\", (long long)%[1]s);\n#endif\n", prefix+m[1])
		}
	}
	b.WriteString("}\n")
	compared := 0
	for _, line := range runC(t, gcc, b.String()) {
		name, want, _ := strings.Cut(line, " ")
		got, ok := cdecl.WellKnown(name, runtime.GOARCH)
		if !ok && !strings.HasPrefix(name, "AF_") || name == "O_LARGEFILE" || name == "NULL" || name == "AF_MAX" {
			continue // 0 in a 64-bit libc; no integer; grows with each release
		}
		compared++
		if fmt.Sprint(got) != want {
			t.Errorf("%s is %d, gcc has %s", name, got, want)
		}
	}
	if compared < 200 {
		t.Errorf("only %d constants were compared", compared)
	}
}

// TestSystemHeaders reads headers of the C library and compares the sizes of
// all structs with gcc's.
func TestSystemHeaders(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to compare with")
	}
	compared := 0
	for _, header := range []string{"linux/bpf.h", "linux/perf_event.h", "netinet/ip.h", "sys/un.h", "elf.h", "stdio.h", "pthread.h", "linux/fs.h"} {
		opts := defaults()
		opts.Arch, opts.ReadFile, opts.System = runtime.GOARCH, os.ReadFile, cdecl.SystemDirs(runtime.GOARCH, "")
		r, diags := load("#include <"+header+">\n", opts)
		if diags.HasErrors() {
			continue // not on this machine
		}
		var b strings.Builder
		fmt.Fprintf(&b, "#include <stdio.h>\n#include <%s>\nint main(void) {\n", header)
		for _, tag := range r.Tags("struct") {
			if _, ok := r.Struct(tag); ok {
				fmt.Fprintf(&b, "printf(\"%[1]s %%zu\\n\", sizeof(struct %[1]s));\n", tag)
			}
		}
		b.WriteString("}\n")
		for _, line := range runC(t, gcc, b.String()) {
			tag, want, ok := strings.Cut(line, " ")
			if !ok {
				continue
			}
			compared++
			if s, _ := r.Struct(tag); fmt.Sprint(s.Size()) != want {
				t.Errorf("<%s>: struct %s has %d bytes, gcc has %s", header, tag, s.Size(), want)
			}
		}
	}
	if compared == 0 {
		t.Skip("no headers on this machine")
	}
}

// runC returns the lines that a C program prints.
func runC(t *testing.T, gcc, src string) []string {
	t.Helper()
	dir := t.TempDir()
	file, bin := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-w", "-O0", "-o", bin, file).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	out, err := exec.Command(bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

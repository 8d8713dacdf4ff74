package uprobe

import (
	"bytes"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/probes/provider"
)

// cache builds the linker's cache with one library.
func cache(name, path string) []byte {
	var b bytes.Buffer
	b.WriteString(cacheMagic)
	binary.Write(&b, binary.NativeEndian, uint32(1))
	b.Write(make([]byte, cacheHeader-b.Len()))
	at := uint32(cacheHeader + cacheRecord)
	binary.Write(&b, binary.NativeEndian, []uint32{1, at, at + uint32(len(name)) + 1, 0, 0, 0})
	b.WriteString(name + "\x00" + path + "\x00")
	return b.Bytes()
}

func TestBinariesByNameLibraryAndPattern(t *testing.T) {
	elf := &fstest.MapFile{Data: []byte("\x7fELF"), Mode: 0o755}
	cfg := hosttest.Config()
	cfg.Dir = "/home"
	cfg.Getenv = func(string) string { return "/nowhere:/usr/bin" }
	cfg.Root = fstest.MapFS{
		"usr/bin/tool": elf, "usr/bin/toad": elf, "usr/bin/text": {Data: []byte("text"), Mode: 0o755},
		"lib/x/libc.so.6": elf, "usr/lib/libssl.so.3": elf, "home/mine": elf,
		"etc/ld.so.cache": {Data: cache("libc.so.6", "/lib/x/libc.so.6")},
	}
	h := host.New(cfg)
	for name, want := range map[string]string{
		"tool": "/usr/bin/tool", "./mine": "/home/mine", "/usr/bin/to*": "/usr/bin/toad /usr/bin/tool", "/usr/*/t*": "/usr/bin/toad /usr/bin/tool",
		"libc": "/lib/x/libc.so.6", "libc.so.6": "/lib/x/libc.so.6", "libssl": "/usr/lib/libssl.so.3",
	} {
		got, err := binaries(h, name, &target.ResolveOptions{})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s is %q, %v; want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"nosuch", "libnosuch", "/no/such", "/usr/bin/z*", "/usr/bin", "lib"} {
		if got, err := binaries(h, name, &target.ResolveOptions{}); err == nil {
			t.Errorf("%s is %q, want an error", name, got)
		}
	}
}

func TestMappedFilesOfAProcess(t *testing.T) {
	cfg := hosttest.Config()
	cfg.Root = fstest.MapFS{"a b": {Data: []byte("\x7fELF")}, "data": {Data: []byte("\x7fELF")}}
	cfg.Proc = fstest.MapFS{"7/maps": {Data: []byte(
		"1000-2000 r-xp 00000000 08:01 5   /a b\n2000-3000 rw-p 00000000 08:01 6   /data\n" +
			"3000-4000 r-xp 00000000 00:00 0   [vdso]\n4000-5000 r-xp 00000000 08:01 7   /gone (deleted)\nmalformed\n")}}
	got, err := binaries(host.New(cfg), "*", &target.ResolveOptions{Pid: 7})
	if err != nil || !slices.Equal(got, []string{"/a b"}) {
		t.Errorf("mapped files %q, %v", got, err)
	}
}

func FuzzCache(f *testing.F) {
	f.Add(cache("libc.so.6", "/lib/libc.so.6"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for e := range cacheEntries(data) {
			if e.name == "" || e.path == "" {
				t.Errorf("entry %+v", e)
			}
		}
	})
}

func FuzzUnits(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x20\x00\x00\x00\x05\x00\x01\x08", 12)))
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		last := dwarf.Offset(0)
		for _, off := range units(data, binary.LittleEndian) {
			if off <= last {
				t.Fatalf("unit at %d behind %d", off, last)
			}
			last = off
		}
	})
}

func TestDemangledNames(t *testing.T) {
	for _, test := range []struct {
		pattern, symbol string
		want            bool
	}{
		{"shop::Till::pay", "_ZN4shop4Till3payEi", true},
		{"shop::Till::pay(int)", "_ZN4shop4Till3payEi", true},
		{"shop::Till::pay(int, int)", "_ZN4shop4Till3payEi", false},
		{"shop::*", "_ZN4shop5twiceIiEET_S1_", false},
		{"*shop::*", "_ZN4shop5twiceIiEET_S1_", true},
		{"int shop::twice<int>(int)", "_ZN4shop5twiceIiEET_S1_", true},
		{"main", "main", true},
		{"main()", "main", false},
		{"_ZN4shop*", "_ZN4shop4Till3payEi", true},
	} {
		if got := matchCPP(test.pattern, test.symbol); got != test.want {
			t.Errorf("%s matches %s: %t", test.pattern, test.symbol, got)
		}
	}
	if name := "f::operator()(int)"; name[:parameters(name)] != "f::operator()" {
		t.Errorf("parameters of %s start at %d", name, parameters(name))
	}
}

func TestInstructionBoundaries(t *testing.T) {
	code := []byte{0x55, 0x48, 0x89, 0xe5, 0xc3} // push %rbp; mov %rsp,%rbp; ret
	for offset, want := range []bool{true, true, false, false, true} {
		if got, _ := boundary(code, uint64(offset)); got != want {
			t.Errorf("an instruction starts at %d: %t, want %t", offset, got, want)
		}
	}
	if got, at := boundary([]byte{0x90, 0x06, 0x90}, 2); got || at != 1 { // no push %es in 64-bit mode
		t.Errorf("behind what is no instruction: %t, at %d", got, at)
	}
}

// Instructions that the kernel takes for others or refuses: a probe at the
// second would make the program jump.
func TestUnfitInstructions(t *testing.T) {
	for text, test := range map[string]struct {
		code []byte
		fit  bool
	}{
		"vmovd %esi,%xmm1":             {[]byte{0xc5, 0xf9, 0x6e, 0xce}, false},
		"vpbroadcastb %esi,%ymm17":     {[]byte{0x62, 0xe2, 0x7d, 0x28}, false},
		"lock decl (%rdi)":             {[]byte{0xf0, 0xff, 0x0f, 0xc3}, false},
		"cs nopw 0x0(%rax,%rax,1)":     {[]byte{0x66, 0x2e, 0x0f, 0x1f}, false},
		"endbr64":                      {[]byte{0xf3, 0x0f, 0x1e, 0xfa}, true},
		"movdqu (%rsi),%xmm1":          {[]byte{0xf3, 0x0f, 0x6f, 0x0e}, true},
		"mov %fs:0x28,%rax":            {[]byte{0x64, 0x48, 0x8b, 0x04}, true},
		"ret, at the end of a section": {[]byte{0xc3}, true},
	} {
		if why := unfitCode(test.code); (why == "") != test.fit {
			t.Errorf("%s: %q", text, why)
		}
	}
}

// Lengths as the disassembler of binutils has them.
func TestInstructionLengths(t *testing.T) {
	for text, code := range map[string][]byte{
		"endbr64":                               {0xf3, 0x0f, 0x1e, 0xfa},
		"rdsspq %rax":                           {0xf3, 0x48, 0x0f, 0x1e, 0xc8},
		"vzeroupper":                            {0xc5, 0xf8, 0x77},
		"vmovdqu 0x20(%rsi),%ymm1":              {0xc5, 0xfe, 0x6f, 0x4e, 0x20},
		"vpcmpeqb (%rdi),%ymm0,%ymm1":           {0xc5, 0xfd, 0x74, 0x0f},
		"vpslldq $1,%xmm0,%xmm0":                {0xc5, 0xf9, 0x73, 0xf8, 0x01},
		"vpbroadcastb %xmm0,%ymm0":              {0xc4, 0xe2, 0x7d, 0x78, 0xc0},
		"vinserti128 $1,%xmm0,%ymm0,%ymm0":      {0xc4, 0xe3, 0x7d, 0x38, 0xc0, 0x01},
		"vmovdqa 0x12345(%rip),%ymm2":           {0xc5, 0xfd, 0x6f, 0x15, 0x45, 0x23, 0x01, 0x00},
		"vmovdqu64 0x40(%rsi),%zmm17":           {0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x4e, 0x01},
		"vmovdqu (%rdi,%rdx,1),%ymm0":           {0xc5, 0xfe, 0x6f, 0x04, 0x17},
		"vmovdqu 0x1000(,%rdx,4),%ymm0":         {0xc5, 0xfe, 0x6f, 0x04, 0x95, 0x00, 0x10, 0x00, 0x00},
		"vpternlogd $0xff,%zmm16,%zmm16,%zmm16": {0x62, 0xa3, 0x7d, 0x40, 0x25, 0xc0, 0xff},
	} {
		if n := instructionLength(append(code, 0x90, 0x90, 0x90)); n != len(code) {
			t.Errorf("%s has %d bytes, want %d", text, n, len(code))
		}
		if n := instructionLength(code[:len(code)-1]); n >= len(code) {
			t.Errorf("%s cut short has %d bytes", text, n)
		}
	}
}

func FuzzInstructionLength(f *testing.F) {
	f.Add([]byte{0x62, 0xa3, 0x7d, 0x40, 0x25, 0xc0, 0xff})
	f.Add([]byte{0xc4, 0xe3})
	f.Fuzz(func(t *testing.T, code []byte) {
		if n := instructionLength(code); n < 0 || n > len(code) {
			t.Errorf("an instruction of %d bytes in % x", n, code)
		}
	})
}

const program = `struct item { short x : 3; short y : 5; char name[8]; struct item *next; };
__attribute__((noinline)) int use(struct item *it, signed char c, double d, unsigned long long n) { return it->x + c + n + d; }
int main(void) {
	struct item it = { 0 };
	return use(&it, 1, 2, 3);
}
`

// compile builds the program with debug information.
func compile(t *testing.T) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs a C compiler")
	}
	dir := t.TempDir()
	source, out := filepath.Join(dir, "prog.c"), filepath.Join(dir, "prog")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(gcc, "-g", "-O0", "-o", out, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func resolveLive(text string, opt target.ResolveOptions) ([]*target.Target, error) {
	parts, err := provider.Split(text)
	if err != nil {
		return nil, err
	}
	kind, _ := provider.Kind(parts[0].Text)
	return Provider{}.Resolve(host.Live(), &provider.Pattern{Text: text, Kind: kind, Parts: parts[1:]}, &opt)
}

func TestArgumentsFromDebugInformation(t *testing.T) {
	path := compile(t)
	list, err := resolveLive("uprobe:"+path+":use", target.ResolveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, a := range list[0].Args {
		texts = append(texts, a.Name+" "+a.Type.String())
	}
	if got := strings.Join(texts, ", "); got != "it struct item *, c int8, n uint64" {
		t.Errorf("arguments %s", got)
	}
	list, err = resolveLive("uprobe:"+path+":use", target.ResolveOptions{NoArgs: true})
	if err != nil || len(list[0].Args) != 0 {
		t.Errorf("arguments %+v, %v", list[0].Args, err)
	}
}

// Listings write pointers of programs without a blank, as the reference does.
func TestDeclaredParameters(t *testing.T) {
	var opt target.ResolveOptions
	list, err := resolveLive("uprobe:"+compile(t)+":use", opt)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := Provider{}.Declared(host.Live(), list[0], &opt)
	if err != nil || len(fields) != 4 || fields[0] != (provider.FieldText{Type: "struct item*", Name: "it"}) {
		t.Errorf("declared %q, %v", fields, err)
	}
}

func TestPlacesInAProgram(t *testing.T) {
	path := compile(t)
	for _, text := range []string{"uprobe:" + path + "@prog.c:3", "uprobe:" + path + ":use+0", "uretprobe:" + path + ":us*"} {
		if list, err := resolveLive(text, target.ResolveOptions{}); err != nil || len(list) != 1 {
			t.Errorf("%s: %d targets, %v", text, len(list), err)
		}
	}
	for _, text := range []string{
		"uprobe:" + path + "@prog.c:99", "uprobe:" + path + "@other.c:3", "uprobe:" + path + ":use+100000",
		"uprobe:" + path + ":uze", "uprobe:" + path + ":z*", "uprobe:" + path + ":1",
	} {
		list, err := resolveLive(text, target.ResolveOptions{})
		var why *target.Error
		if !errors.As(err, &why) || why.Kind != target.Missing {
			t.Errorf("%s: %d targets, %v", text, len(list), err)
		}
	}
}

// Without symbols nothing tells where instructions start.
func TestAddressesInStrippedProgramsAreUnsafe(t *testing.T) {
	path := compile(t)
	list, err := resolveLive("uprobe:"+path+":use", target.ResolveOptions{NoArgs: true})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("uprobe:%s:%d", path, list[0].Address)
	if _, err := resolveLive(text, target.ResolveOptions{}); err != nil {
		t.Errorf("the address of a function: %v", err)
	}
	if out, err := exec.Command("strip", path).CombinedOutput(); err != nil {
		t.Skipf("strip: %v\n%s", err, out)
	}
	var why *target.Error
	if _, err := resolveLive(text, target.ResolveOptions{}); !errors.As(err, &why) || why.Kind != target.NotAllowed || len(why.Hints) == 0 {
		t.Errorf("an address in a stripped program: %v", err)
	}
	if _, err := resolveLive(text, target.ResolveOptions{Unsafe: true}); err != nil {
		t.Errorf("unsafe: %v", err)
	}
}

// closedFS has files and directories that may not be read.
type closedFS struct {
	fstest.MapFS
	closed map[string]bool
}

func (c closedFS) Open(name string) (fs.File, error) {
	if c.closed[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.Open(name)
}

func (c closedFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if c.closed[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.ReadDir(name)
}

func (c closedFS) ReadFile(name string) ([]byte, error) {
	if c.closed[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.ReadFile(name)
}

// A wildcard passes over what may not be read, and says so.
func TestWildcardsTellWhatIsClosed(t *testing.T) {
	elf := &fstest.MapFile{Data: []byte("\x7fELF")}
	cfg := hosttest.Config()
	cfg.Root = closedFS{fstest.MapFS{"a/open": elf, "a/shut": elf, "b/x": elf, "file": elf}, map[string]bool{"a/shut": true, "b": true}}
	maps := &fstest.MapFile{Data: []byte("1000-2000 r-xp 00000000 08:01 5   /a/open\n")}
	cfg.Proc = closedFS{fstest.MapFS{"1/maps": maps, "2/maps": maps}, map[string]bool{"2/maps": true}}
	for pattern, want := range map[string]string{"/*/*": "/a/shut /b", "*": "1 of 2 processes", "/a/op*": ""} {
		var problems []string
		opt := &target.ResolveOptions{Warn: func(err error) { problems = append(problems, err.Error()) }}
		paths, err := binaries(host.New(cfg), pattern, opt)
		if err != nil || !slices.Equal(paths, []string{"/a/open"}) {
			t.Errorf("%s: %q, %v", pattern, paths, err)
		}
		for _, word := range strings.Split(want, " /") {
			if !strings.Contains(strings.Join(problems, "\n"), word) {
				t.Errorf("%s: problems %q do not tell of %s", pattern, problems, word)
			}
		}
		if want == "" && len(problems) > 0 {
			t.Errorf("%s: problems %q", pattern, problems)
		}
	}
}

// Links that lead in circles make more and more paths of a pattern.
func TestPatternsInCirclesEnd(t *testing.T) {
	dir := t.TempDir()
	for _, name := range strings.Split("abcdefghij", "") {
		if err := os.Symlink(".", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := binaries(host.Live(), dir+strings.Repeat("/*", 20), &target.ResolveOptions{})
	if err == nil || !strings.Contains(err.Error(), "leads through more than 100000 files and directories") {
		t.Errorf("got %v", err)
	}
}

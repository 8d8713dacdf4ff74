package cdecl_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/cdecl"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// files is a file system for headers.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// kernel is a small stand-in for BTF: one struct, one typedef, one enum.
type kernel struct{}

func (kernel) Available() error { return nil }
func (kernel) Named(name string) (types.Type, bool) {
	return types.Int{Bits: 32, Signed: true}, name == "pid_t"
}
func (kernel) Struct(tag string) (*types.Struct, bool) {
	if tag != "list_head" {
		return nil, false
	}
	return types.NewStruct(types.CStruct, tag, 16, 8, func() []types.Field { return nil }), true
}
func (kernel) Union(string) (*types.Struct, bool) { return nil, false }
func (kernel) Enum(string) (*types.Enum, bool)    { return nil, false }
func (kernel) EnumConst(name string) (*types.Enum, int64, bool) {
	e := &types.Enum{Name: "zone", Bytes: 4, Values: []types.EnumValue{{Name: "ZONES", Value: 3}}}
	return e, 3, name == "ZONES"
}

func defaults() cdecl.Options { return cdecl.Options{Files: new(source.Set), Arch: "amd64"} }

// load parses text as the definitions of one script, given as a single piece.
func load(text string, opts cdecl.Options) (*cdecl.Result, *diag.List) {
	f := opts.Files.Add("script.gt", "/src", text)
	def := &ast.CDef{Base: ast.Base{Span: f.Span(0, len(text))}, Text: text}
	return cdecl.Parse([]*ast.CDef{def}, opts)
}

func parse(t *testing.T, text string, opts cdecl.Options) *cdecl.Result {
	t.Helper()
	r, diags := load(text, opts)
	if err := diags.Err(); err != nil {
		t.Fatalf("%s\nin %s", err, text)
	}
	return r
}

func TestFieldTypes(t *testing.T) {
	r := parse(t, `
enum color { RED = 1, BLUE };
struct inner { int v; };
struct all {
  char c; signed char sc; unsigned char uc; char text[16]; char lines[3][8]; unsigned char raw[4];
  unsigned long long ull; uint32_t u; u16 w; __u64 q; size_t z; bool b; long int l;
  struct all *next; char *label; void (*call)(int, char *); int (*table[4])(void); int (*row)[4];
  enum color color; struct inner in; double d; int grid[2][3]; const char *const *argv; int rest[];
};`, defaults())
	s, ok := r.Struct("all")
	if !ok {
		t.Fatal("struct all is missing")
	}
	ptr := func(t types.Type) types.Type { return types.Pointer{Elem: t} }
	i32, i8 := types.Int{Bits: 32, Signed: true}, types.Int{Bits: 8, Signed: true}
	color, _ := r.Enum("color")
	inner, _ := r.Struct("inner")
	for name, want := range map[string]types.Type{
		"c": i8, "sc": i8, "uc": types.Int{Bits: 8},
		"text": types.String{Cap: 16}, "lines": types.Array{Elem: types.String{Cap: 8}, Len: 3},
		"raw": types.Array{Elem: types.Int{Bits: 8}, Len: 4},
		"ull": types.Int{Bits: 64}, "u": types.Int{Bits: 32}, "w": types.Int{Bits: 16}, "q": types.Int{Bits: 64},
		"z": types.Int{Bits: 64}, "b": types.Bool{}, "l": types.Int{Bits: 64, Signed: true},
		"next": ptr(s), "label": ptr(i8), "call": ptr(types.Void{}),
		"table": types.Array{Elem: ptr(types.Void{}), Len: 4}, "row": ptr(types.Array{Elem: i32, Len: 4}),
		"color": color, "in": inner, "d": types.Array{Elem: types.Int{Bits: 8}, Len: 8},
		"grid": types.Array{Elem: types.Array{Elem: i32, Len: 3}, Len: 2}, "argv": ptr(ptr(i8)),
		"rest": types.Array{Elem: i32},
	} {
		f, ok := s.Lookup(name)
		if !ok || !types.Equal(f.Type, want) {
			t.Errorf("%s is %v, want %v", name, f.Type, want)
		}
	}
	if f, _ := s.Lookup("next"); f.Type.(types.Pointer).Elem != types.Type(s) {
		t.Error("a struct that points to itself is not one type")
	}
}

func TestEnums(t *testing.T) {
	r := parse(t, `enum level { LOW = 1, MID, HIGH = 1 << 3, TOP = HIGH + MID };
enum sgn { NEG = -5, POS = 5 };
enum big { HUGE_VALUE = 0x1ffffffff };
enum small { A, B } __attribute__((packed));
enum { FIRST, THIRD = 'a' };`, defaults())
	for name, want := range map[string]int64{"LOW": 1, "MID": 2, "HIGH": 8, "TOP": 10, "NEG": -5, "THIRD": 97, "FIRST": 0, "HUGE_VALUE": 0x1ffffffff} {
		if _, v, ok := r.EnumConst(name); !ok || v != want {
			t.Errorf("%s = %d, %v, want %d", name, v, ok, want)
		}
	}
	for tag, want := range map[string]types.Enum{
		"level": {Bytes: 4}, "sgn": {Bytes: 4, Signed: true}, "big": {Bytes: 8}, "small": {Bytes: 1},
	} {
		e, ok := r.Enum(tag)
		if !ok || e.Bytes != want.Bytes || e.Signed != want.Signed {
			t.Errorf("enum %s is %+v", tag, e)
		}
	}
	if e, _, _ := r.EnumConst("FIRST"); e == nil || e.Name != "" {
		t.Errorf("FIRST belongs to %+v", e)
	}
}

func TestMacros(t *testing.T) {
	src := "#define LIMIT 42\n#define NEXT (LIMIT + 1) // one more\n#define GREETING \"he/*llo\"\n#define EMPTY\n" +
		"#define TWICE(x) ((x) * 2)\n#define SPLIT 1 + \\\n 2\n#define GONE 1\n#undef GONE\n#define SELF SELF\n"
	opts := defaults()
	r := parse(t, src, opts)
	for name, want := range map[string]string{"LIMIT": "42", "NEXT": "(LIMIT + 1)", "GREETING": `"he/*llo"`, "EMPTY": "", "SPLIT": "1 + 2"} {
		m, ok := r.Macro(name)
		if !ok || m.Text != want {
			t.Errorf("%s is %q, %v, want %q", name, m.Text, ok, want)
		}
	}
	for _, name := range []string{"TWICE", "GONE", "SELF", "__x86_64__", "defined"} {
		if m, ok := r.Macro(name); ok {
			t.Errorf("%s is the value %q", name, m.Text)
		}
	}
	if m, _ := r.Macro("NEXT"); opts.Files.Text(m.Span) != "(LIMIT + 1)" {
		t.Errorf("the span of NEXT covers %q", opts.Files.Text(m.Span))
	}
	if _, ok := r.FuncMacro("TWICE"); !ok {
		t.Error("TWICE is not known as a macro with parameters")
	}
}

func TestConditions(t *testing.T) {
	for cond, want := range map[string]bool{
		"#if 1": true, "#if 0": false, "#ifdef ONE": true, "#ifndef ONE": false, "#if ONE": true,
		"#if defined(ONE) && !defined NOPE": true, "#if NOPE": false, "#if ONE + 1 == 2 ? 0 : 1": false,
		"#if -1 < 0": true, "#if -1 < 0u": false, "#if 0 && 1/0": false, "#if 1 || FOO(2)": true,
		"#if 'a' == 97": true, "#if 0x10 >> 2 == 4": true, "#if __LP64__ && defined(__x86_64__)": true,
		"#if PLUS(1, 2) == 3": true, "#if LINUX_VERSION_CODE >= KERNEL_VERSION(6,1,0)": true,
		"#ifdef BPFTRACE_HAVE_BTF": false, "#if 0\n#elif ONE": true, "#if 1\n#elif ONE\n#define NOT 1\n#endif\n#if !defined(NOT)": true,
	} {
		opts := defaults()
		opts.KernelVersion = 6<<16 | 18<<8
		src := "#define ONE 1\n#define PLUS(a, b) (a + b)\n" + cond + "\n#define YES 1\n#else\n#define NO 1\n#endif\n"
		r := parse(t, src, opts)
		_, yes := r.Macro("YES")
		_, no := r.Macro("NO")
		if yes != want || no == want {
			t.Errorf("%q: yes %v, no %v", cond, yes, no)
		}
	}
	opts := defaults()
	opts.Kernel = kernel{}
	if _, ok := parse(t, "#if BPFTRACE_HAVE_BTF\n#define YES\n#endif", opts).Macro("YES"); !ok {
		t.Error("BPFTRACE_HAVE_BTF is not set although the kernel has types")
	}
}

func TestKernelTypes(t *testing.T) {
	opts := defaults()
	opts.Kernel = kernel{}
	r := parse(t, "struct mine { struct list_head at; pid_t pid; int n[ZONES]; struct gone *p; };", opts)
	s, _ := r.Struct("mine")
	if s.Size() != 16+4+12+8 {
		t.Errorf("the size is %d", s.Size())
	}
	r = parse(t, "struct list_head { short only; }; struct mine { struct list_head at; };", opts)
	if s, _ := r.Struct("mine"); s.Size() != 2 {
		t.Errorf("a definition of the program does not hide that of the kernel: size %d", s.Size())
	}
}

func TestIncludes(t *testing.T) {
	opts := defaults()
	opts.Kernel = kernel{}
	opts.Include = []string{"/inc"}
	opts.System = []string{"/usr/include"}
	opts.Before, opts.After = []string{"/pre.h"}, []string{"/src/types.h"}
	opts.ReadFile = files{
		"/pre.h":           "#define PRE 31\n",
		"/src/defs.h":      "#pragma once\n#include \"more.h\"\ntypedef struct hdr { int a; long b; } hdr_t, *hdr_p;\nint f(struct hdr *h, int);\nextern int g;\nstatic inline int k(int v) { return v * 2; }\n",
		"/src/more.h":      "#include \"defs.h\"\ntypedef unsigned int more_t;\n",
		"/inc/mine/x.h":    "#define FROM_X 98\nenum e { E_A, E_B = 6 };\n",
		"/src/types.h":     "struct late { hdr_t h; };\n",
		"/usr/include/s.h": "int weird syntax %% here;\nstruct sys { int x; };\n",
	}.read
	r := parse(t, "#include \"defs.h\"\n#include <mine/x.h>\n#include <linux/sched.h>\n#include <stddef.h>\n#include <s.h>\nstruct q { hdr_t h; more_t m; hdr_p p; };", opts)
	for _, tag := range []string{"hdr", "late", "q", "sys"} {
		if _, ok := r.Struct(tag); !ok {
			t.Errorf("struct %s is missing", tag)
		}
	}
	if s, _ := r.Struct("q"); s.Size() != 32 {
		t.Errorf("struct q has %d bytes", s.Size())
	}
	for _, name := range []string{"PRE", "FROM_X"} {
		if _, ok := r.Macro(name); !ok {
			t.Errorf("macro %s is missing", name)
		}
	}
	if typ, ok := r.Typedef("more_t"); !ok || typ != types.Type(types.Int{Bits: 32}) {
		t.Errorf("more_t is %v", typ)
	}
	if v, ok := r.HeaderConst("AF_INET6"); !ok || v != 10 {
		t.Errorf("AF_INET6 is %d, %v", v, ok)
	}
}

func TestErrors(t *testing.T) {
	for src, want := range map[string]struct{ at, msg string }{
		"struct bad { int 5a; };":                               {"5a", "unexpected"},
		"struct dup { int a; };\nstruct dup { int b; };":        {"dup", "redefinition of 'struct dup'"},
		"struct two { int a; char a; };":                        {"a", "duplicate"},
		"struct open { int a;":                                  {";", "ends"},
		"struct s { nosuch_t x; };":                             {"nosuch_t", "unknown type"},
		"struct s { struct nosuch x; };":                        {"x", "incomplete"},
		"struct s { struct s x; };":                             {"x", "incomplete"},
		"struct s { int a : 40; };":                             {"40", "width"},
		"struct s { float f : 3; };":                            {"3", "bit-field"},
		"struct s { int a[-1]; };":                              {"-", "size"},
		"struct s { int a[1 << 40]; };":                         {"1", "size"},
		"struct s { int a[1000000][1000000]; };":                {"[", "too large"},
		"struct s { int a[1/0]; };":                             {"/", "division by zero"},
		"struct s { int a[MISSING]; };":                         {"MISSING", "unknown constant"},
		"struct s { void v; };":                                 {"v", "incomplete"},
		"struct s { int f(int); };":                             {"f", "function"},
		"struct s { int x; } __attribute__((aligned(3)));":      {"aligned", "power of two"},
		"struct s { int x __attribute__((vector_size(16))); };": {"vector_size", "not supported"},
		"#error stop here":                                      {"#error stop here", "stop here"},
		"#include <no/such/header.h>":                           {"#include <no/such/header.h>", "no/such/header.h"},
		"#include <linux/sched.h>":                              {"#include <linux/sched.h>", "no BTF"},
		"#if 1\n#define A 1":                                    {"if", "without #endif"},
		"#endif":                                                {"endif", "without #if"},
		"#if 1 +\n#endif":                                       {"+", "ends"},
		"#nonsense":                                             {"nonsense", "unknown preprocessor line"},
		"enum e { A, A };":                                      {"A", "redefinition of 'A'"},
		"#define P(a) a ## 1\nstruct s { int P(x); };":          {"P", "not support"},
	} {
		opts := defaults()
		_, diags := load(src, opts)
		if !diags.HasErrors() {
			t.Errorf("%q is accepted", src)
			continue
		}
		d := diags.Diags[0]
		if at := opts.Files.Text(d.Span); d.Code != diag.CDefinition || at != want.at || !strings.Contains(d.Msg, want.msg) {
			t.Errorf("%q: %v %q at %q, want %q at %q", src, d.Code, d.Msg, at, want.msg, want.at)
		}
	}
}

// TestOneDefinitionAtATime gives the definitions as the parser of scripts does.
func TestOneDefinitionAtATime(t *testing.T) {
	opts := defaults()
	var defs []*ast.CDef
	text := "#define N 4\nstruct a { int x[N]; }\nstruct b { struct a a; int y; }\n"
	f := opts.Files.Add("s.gt", "", text)
	for _, piece := range strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n") {
		at := strings.Index(text, piece)
		piece = strings.TrimSuffix(piece, "\n")
		defs = append(defs, &ast.CDef{Base: ast.Base{Span: f.Span(at, at+len(piece))}, Text: piece})
	}
	r, diags := cdecl.Parse(defs, opts)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if s, ok := r.Struct("b"); !ok || s.Size() != 20 {
		t.Errorf("struct b: %v, %v", s, ok)
	}
}

// TestExpansionIsBounded feeds what would take forever.
func TestExpansionIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("#define X0 1 + 1\n")
	for i := 1; i < 60; i++ {
		s := "#define X" + itoa(i) + " X" + itoa(i-1) + " + X" + itoa(i-1) + "\n"
		b.WriteString(s)
	}
	b.WriteString("struct s { int a[X59]; };")
	_, diags := load(b.String(), defaults())
	if !diags.HasErrors() {
		t.Error("2^60 tokens were accepted")
	}
	for _, src := range []string{
		"struct s { int a[" + strings.Repeat("(", 100000) + "1",
		"struct s { int " + strings.Repeat("*", 100000) + "a; };",
		"struct s { int " + strings.Repeat("(", 100000) + "a; };",
		strings.Repeat("struct {", 100000),
		strings.Repeat("#if 1\n", 100000),
		"#define F(x) x\nstruct s { int a[" + strings.Repeat("F(", 100000) + "; };",
	} {
		if _, diags := load(src, defaults()); !diags.HasErrors() {
			t.Errorf("%.40q… was accepted", src)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// FuzzParse looks for panics and hangs.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"struct a { int x : 3; struct { char c[4]; } s; } __attribute__((packed));",
		"#define A(x) x+1\n#if A(2) > 2\nenum e { X = sizeof(int), Y };\n#endif",
		"typedef int (*fn)(void); union u { fn f; int (*g[3])(int); };",
		"#pragma pack(push, 2)\nstruct s { long l : 5; };\n#include <linux/types.h>\n#include \"self.h\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		opts := defaults()
		opts.Kernel = kernel{}
		opts.ReadFile = files{"/src/self.h": src}.read
		r, _ := load(src, opts)
		for _, kind := range []string{"struct", "union", "enum"} {
			for _, tag := range r.Tags(kind) {
				s, ok := r.Struct(tag)
				if !ok {
					s, ok = r.Union(tag)
				}
				if ok {
					checkFields(t, s)
				}
			}
		}
	})
}

// checkFields checks that members lie inside their struct.
func checkFields(t *testing.T, s *types.Struct) {
	for _, f := range s.Fields() {
		if f.Offset < 0 || f.Offset+f.Type.Size() > s.Bytes {
			t.Errorf("%s.%s at %d, size %d, is not inside %d bytes", s.Name, f.Name, f.Offset, f.Type.Size(), s.Bytes)
		}
	}
}

// Headers that can not be read are told from those that are not there, and what
// #include can reach is bounded.
func TestHeadersThatAreNotRead(t *testing.T) {
	var wide, deep strings.Builder
	headers := files{"/src/self.h": "#include \"self.h\"\n", "/src/ring1.h": "#include \"ring2.h\"\n", "/src/ring2.h": "#include \"ring1.h\"\n"}
	for i := range 5000 {
		headers[fmt.Sprintf("/src/w%d.h", i)] = ""
		fmt.Fprintf(&wide, "#include \"w%d.h\"\n", i)
		headers[fmt.Sprintf("/src/d%d.h", i)] = fmt.Sprintf("#include \"d%d.h\"\n", i+1)
	}
	headers["/src/tokens.h"] = strings.Repeat(";", 3<<20)
	deep.WriteString("#include \"d0.h\"\n")
	blank := strings.Repeat(" ", 9<<20)
	for i := range 5 {
		headers[fmt.Sprintf("/src/big%d.h", i)] = blank
	}
	for _, c := range []struct{ name, text, want string }{
		{"a header that includes itself", "#include \"self.h\"\n", ""},
		{"headers that include one another", "#include \"ring1.h\"\n", ""},
		{"a missing header", "#include \"none.h\"\n", "header not found: none.h"},
		{"a device", "#include \"/dev/zero\"\n", "header /dev/zero: not a regular file"},
		{"many headers", wide.String(), "header w4096.h: more than 4096 headers are included"},
		{"many tokens", "#include \"tokens.h\"\n#include \"tokens.h\"\nstruct a { int b; };", "the definitions and headers have more than 2097152 tokens"},
		{"a chain of headers", deep.String(), "#include nests too deeply: d64.h"},
		{"large headers", "#include \"big0.h\"\n#include \"big1.h\"\n#include \"big2.h\"\n#include \"big3.h\"\n", "header big3.h: the headers are more than 32 MiB together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := defaults()
			opts.ReadFile = func(path string) ([]byte, error) {
				if path == "/dev/zero" {
					return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
				}
				return headers.read(path)
			}
			_, list := load(c.text, opts)
			if c.want == "" {
				if list.HasErrors() {
					t.Error(list.Error())
				}
				return
			}
			if len(list.Diags) == 0 || list.Diags[0].Msg != c.want {
				t.Errorf("got %.500s, want %q", list.Error(), c.want)
			}
		})
	}
}

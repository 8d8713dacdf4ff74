package ir

import (
	"strings"
	"testing"
)

// helpers is a small table for texts in tests.
func helpers(name string) *Helper {
	switch name {
	case "pid":
		return &Helper{Name: name, Effect: Invariant, Result: I64, Writes: -1, SizeArg: -1}
	case "read":
		return &Helper{Name: name, Effect: KernelRead, Result: I64, Writes: 0, SizeArg: 1, MayFail: true}
	case "emit":
		return &Helper{Name: name, Effect: Emit, Result: Void, Writes: -1, SizeArg: -1}
	case "loop":
		return &Helper{Name: name, Effect: Emit, Result: I64, Writes: -1, SizeArg: -1}
	}
	return nil
}

// sample has every operation and every form of operand.
const sample = `program "kprobe:vfs_read"
map @x key 8 value 8
map scratch key 4 value 4096
scratch scratch key 3 size 64
func main context depth 1 {
slot s0 "a b" size 16 align 8 stack
slot s3 key size 8 align 8
b0(v0 ptr):
	v1 = const -9223372036854775808
	v2 = const 8
	v3 ptr = slot s0
	v4 ptr = slot s3
	v5 = load.4 v0+16
	v6 ptr = load.8 v0-8
	store.2 v3+2, v5
	store.8 v3+8, v6
	atomic_add.4 v3+4, v2
	v7 = atomic_fetch_add.8 v3+0, v2
	zero v4+0, 8
	copy v4+0, v3-8, 8
	v8 = add v5, v2
	v9 ptr = add v3, v2
	v10 ptr = sub v9, v2
	v11 = sext.32 v8
	v12 = zext.7 v11
	v13 = bswap.16 v12
	v14 ptr = map scratch
	v15 ptr = map_value scratch+24
	v16 ptr = map_lookup @x, v4
	branch v16 -> b4(v13, v16), b2() likely
b4(v17 i64, v18 ptr):
	v19 = map_update @x+1, v4, v18
	v20 = map_delete @x, v4
	v21 = call read(v3, v2, v17)
	call emit()
	v22 ptr = func "step 1"
	v23 = call loop(v2, v22, v3)
	branch v23 -> b2(), b3(v19) unlikely
b2():
	jump b3(v1)
b3(v24 i64):
	return v24
}
func "step 1" callback {
b0(v0 i64, v1 ptr):
	return v0
}
`

func TestTextRoundTrip(t *testing.T) {
	p, err := Parse(sample, helpers)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.String(); got != sample {
		t.Errorf("printed text differs:\n%s", got)
	}
	if p.Main.Blocks[1].ID != 4 || p.Main.Slots[1].ID != 3 || !p.Main.Slots[0].OnStack {
		t.Error("IDs or flags are lost")
	}
}

func TestParseAcceptsCommentsAndSpace(t *testing.T) {
	f, err := ParseFunc("; a function\nfunc f {\n\nb0(): ; entry\n v7 = const 1\n\treturn v7\r\n}\n", helpers)
	if err != nil {
		t.Fatal(err)
	}
	if want := "func f {\nb0():\n\tv7 = const 1\n\treturn v7\n}\n"; f.String() != want {
		t.Errorf("got:\n%s", f)
	}
	if f.NumValues() != 8 {
		t.Errorf("NumValues = %d, want 8: the next value must not reuse an ID", f.NumValues())
	}
}

func TestParseErrors(t *testing.T) {
	body := func(lines ...string) string {
		return "map m key 8 value 8\nfunc f {\nslot s0 x size 8 align 8\nb0(v0 ptr, v1 i64):\n" + strings.Join(lines, "\n") + "\n}\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "no function"},
		{"no end", "func f {\nb0():", "missing }"},
		{"stray line", "hello", "outside of a function"},
		{"bad quote", "func \"f", "a quoted name"},
		{"no name", "func \"", "a quoted name"},
		{"twice", "func f {\nb0(v0 i64):\nreturn v0\n}\nfunc f {", "defined twice"},
		{"no blocks", "func f {\n}", "no blocks"},
		{"empty word", body(`""(`), "unknown operation"},
		{"bad ID", body("v01 = const 1"), "not a name like v1"},
		{"huge ID", body("v99999999 = const 1"), "too big"},
		{"huge number", body("v2 = const 99999999999999999999"), "a number"},
		{"redefined", body("v1 = const 1"), "defined twice"},
		{"unknown operation", body("v2 = frob v1"), "unknown operation"},
		{"width missing", body("v2 = load v0+0"), "unknown operation"},
		{"width", body("v2 = load.3 v0+0", "return v2"), "bad width 3"},
		{"unknown helper", body("call nothing()"), "unknown helper"},
		{"unknown map", body("v2 ptr = map n"), "not declared"},
		{"unknown slot", body("v2 ptr = slot s9"), "not declared"},
		{"unknown function", body("v2 ptr = func g", "return v1"), "func g is not defined"},
		{"undefined", body("return v9"), "v9 is not defined"},
		{"undefined block", body("jump b9()"), "b9 is not defined"},
		{"rest", body("return v1 v1"), "end of line"},
		{"after the end", body("return v1", "v2 = const 1"), "is in no block"},
		{"no terminator", body("v2 = const 1"), "terminator"},
		{"argument count", body("jump b1(v1)", "b1():", "return v1"), "1 arguments for 0"},
		{"argument type", body("jump b1(v0)", "b1(v2 i64):", "return v2"), "another type"},
		{"to the entry", body("jump b0(v0, v1)"), "entry block"},
		{"operand type", body("v2 = add v1, v0", "return v1"), "must not be ptr"},
		{"result type", body("v2 = add v0, v1", "return v1"), "result must not be i64"},
		{"void result", body("v2 = zero v0+0, 8", "return v1"), "result must not be i64"},
		{"negative size", body("zero v0+0, -8", "return v1"), "negative size"},
		{"pointer result", body("return v0"), "terminator"},
		{"order", body("v2 = add v3, v1", "v3 = const 1", "return v2"), "before it is defined"},
		{"dominance", body("branch v1 -> b1(), b2()", "b1():", "v2 = const 1", "jump b2()", "b2():", "return v2"), "before it is defined"},
		{"size argument", body("v2 = call read(v0)", "return v2"), "takes a size"},
		{"filled argument", body("v2 = call read(v1, v1)", "return v2"), "which is no pointer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.text, helpers)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q in it", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text, helpers)
		if err != nil {
			return
		}
		q, err := Parse(p.String(), helpers)
		if err != nil {
			t.Fatalf("own text is refused: %v\n%s", err, p)
		}
		if p.String() != q.String() {
			t.Fatalf("text is not stable:\n%s\n%s", p, q)
		}
	})
}

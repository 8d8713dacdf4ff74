package lower_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/ir/irtest"
	"github.com/gotrace/gotrace/codegen/internal/lower"
)

// lowered parses a program of one function with the given slots and body, and
// returns it after lowering.
func lowered(t *testing.T, slots, body string) *ir.Program {
	t.Helper()
	text := "program p\nmap scratch key 4 value 4096\nscratch scratch key 0 size 0\nfunc main context {\n" + slots + "\nb0(v0 ptr):\n" + body + "\n}\n"
	p, err := ir.Parse(text, func(name string) *ir.Helper {
		return &ir.Helper{Name: name, Effect: ir.Emit, Result: ir.I64, Writes: -1, SizeArg: -1}
	})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := lower.Program(p); err != nil {
		t.Fatal(err)
	}
	if err := ir.VerifyProgram(p); err != nil {
		t.Fatalf("%v in\n%s", err, p)
	}
	return p
}

// TestShapes lists what single operations become. Each line of want must occur
// in the lowered text.
func TestShapes(t *testing.T) {
	tests := []struct {
		name, slots, body string
		want              []string
	}{
		{
			name: "constant addition becomes the offset of a load",
			body: "v1 = const 24\nv2 ptr = add v0, v1\nv3 = load.8 v2+8\nreturn v3",
			want: []string{"v3 = load.8 v0+32"},
		},
		{
			name: "an offset that does not fit 16 bits is added to the address",
			body: "v1 = load.8 v0+40000\nreturn v1",
			want: []string{"const 40000", "= add v0, ", "+0"},
		},
		{
			name:  "an offset far behind a slot, in code that never runs, is added to the address",
			slots: "slot s0 a size 8 align 8 stack",
			body:  "v1 ptr = slot s0\nv2 = const 48799\nv3 ptr = add v1, v2\nv4 = load.1 v3+0\nreturn v4",
			want:  []string{"= add v1, v2", "load.1 v3+0"},
		},
		{
			name:  "12 bytes are cleared by 8 and 4",
			slots: "slot s0 a size 16 align 8 stack",
			body:  "v1 ptr = slot s0\nzero v1+0, 12\nv2 = load.8 v1+0\nreturn v2",
			want:  []string{"store.8 v1+0,", "store.4 v1+8,"},
		},
		{
			name:  "an odd offset on the stack is written by what is aligned there",
			slots: "slot s0 a size 16 align 8 stack",
			body:  "v1 ptr = slot s0\nzero v1+3, 5\nv2 = load.8 v1+0\nreturn v2",
			want:  []string{"store.1 v1+3,", "store.4 v1+4,"},
		},
		{
			name:  "constants next to one another are one store, the later ones on top",
			slots: "slot s0 a size 16 align 8 stack",
			body: "v1 ptr = slot s0\nv2 = load.8 v0+0\nstore.4 v1+0, v2\nv3 = const 255\nstore.1 v1+4, v3\nzero v1+5, 3\nstore.1 v1+6, v3\n" +
				"v4 = load.8 v1+0\nreturn v4",
			want: []string{"const 16711935", "store.4 v1+4,"},
		},
		{
			name:  "no store moves past a load",
			slots: "slot s0 a size 16 align 8 stack",
			body:  "v1 ptr = slot s0\nv2 = const 1\nstore.4 v1+0, v2\nv3 = load.4 v1+0\nstore.4 v1+4, v2\nv4 = load.8 v1+0\nv5 = add v3, v4\nreturn v5",
			want:  []string{"store.4 v1+0, v2\n\tv3 = load.4 v1+0\n\tstore.4 v1+4, v2"},
		},
		{
			name:  "a number that needs more than 32 bits is two stores",
			slots: "slot s0 a size 16 align 8 stack",
			body:  "v1 ptr = slot s0\nv2 = const 1\nstore.4 v1+0, v2\nstore.4 v1+4, v2\nv4 = load.8 v1+0\nreturn v4",
			want:  []string{"store.4 v1+0, v2", "store.4 v1+4, v2"},
		},
		{
			name:  "a large copy is a call",
			slots: "slot s0 a size 256 align 8",
			body:  "v1 ptr = slot s0\ncopy v1+0, v0+16, 256\nv2 = load.8 v1+0\nreturn v2",
			want:  []string{"const 256", "call probe_read_kernel("},
		},
		{
			name:  "a large area is cleared by a read that fails",
			slots: "slot s0 a size 512 align 8",
			body:  "v1 ptr = slot s0\nzero v1+0, 512\nv2 = load.8 v1+0\nreturn v2",
			want:  []string{"const 512", "call probe_read_kernel("},
		},
		{
			name: "a mask of 32 bits is a zero extension",
			body: "v1 = load.8 v0+0\nv2 = const 4294967295\nv3 = and v1, v2\nreturn v3",
			want: []string{"v3 = zext.32 v1"},
		},
		{
			name: "a constant minus something needs no register for the constant",
			body: "v1 = load.8 v0+0\nv2 = const 100\nv3 = sub v2, v1\nreturn v3",
			want: []string{"= neg v1", "v3 = add "},
		},
		{
			name: "a test for no bit in common swaps the ways",
			body: "v1 = load.8 v0+0\nv2 = const 6\nv3 = and v1, v2\nv4 = const 0\nv5 = eq v3, v4\nbranch v5 -> b1(), b2()\nb1():\nreturn v1\nb2():\nreturn v2",
			want: []string{"= and v1, v2", "-> b2(), b1()"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := lowered(t, test.slots, test.body).String()
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

// TestSlotsShare places slots whose contents do not matter at the same time at
// the same address, and others apart.
func TestSlotsShare(t *testing.T) {
	slots := "slot s0 a size 16 align 8\nslot s1 b size 16 align 8\nslot s2 c size 16 align 8"
	p := lowered(t, slots, `v1 ptr = slot s0
v2 ptr = slot s1
v3 ptr = slot s2
zero v3+0, 16
zero v1+0, 16
v4 = load.8 v1+0
zero v2+0, 16
v5 = load.8 v2+8
v6 = add v4, v5
v7 = load.8 v3+0
v8 = add v6, v7
return v8`)
	s := p.Main.Slots
	if s[0].Off != s[1].Off || s[2].Off == s[0].Off || p.Main.Frame != 32 {
		t.Errorf("offsets %d, %d, %d, frame %d", s[0].Off, s[1].Off, s[2].Off, p.Main.Frame)
	}
}

// TestSlotsInLoopsStayApart keeps a slot that one round of a loop writes and the
// next one reads apart from the others in the loop.
func TestSlotsInLoopsStayApart(t *testing.T) {
	p := lowered(t, "slot s0 a size 8 align 8\nslot s1 b size 8 align 8", `v1 ptr = slot s0
v2 ptr = slot s1
v3 = const 0
store.8 v1+0, v3
jump b1(v3)
b1(v4 i64):
v5 = load.8 v1+0
store.8 v2+0, v5
v6 = load.8 v2+0
store.8 v1+0, v6
v7 = const 1
v8 = add v4, v7
v9 = const 4
v10 = ult v8, v9
branch v10 -> b1(v8), b2()
b2():
return v8`)
	if s := p.Main.Slots; s[0].Off == s[1].Off {
		t.Errorf("both at %d", s[0].Off)
	}
}

// TestScratch puts what is too large for the stack into scratch memory, which is
// looked up once.
func TestScratch(t *testing.T) {
	p := lowered(t, "slot s0 big size 100 align 8", "v1 ptr = slot s0\nzero v1+0, 8\nv2 = load.8 v1+0\nreturn v2")
	if p.ScratchSize != 104 || p.Main.Frame != 8 {
		t.Errorf("scratch size %d, frame %d", p.ScratchSize, p.Main.Frame)
	}
	if text := p.String(); strings.Count(text, "call map_lookup_elem(") != 1 {
		t.Errorf("no single lookup in\n%s", text)
	}
}

// TestStackTooSmall wants an error that gives the numbers.
func TestStackTooSmall(t *testing.T) {
	f := ir.NewFunc("main", ir.Ptr)
	s := f.NewSlot("huge", 600, 8)
	s.OnStack = true
	b := ir.NewBuilder(f)
	b.Zero(b.Slot(s), 0, 8)
	b.Return(b.Const(0))
	err := lower.Program(&ir.Program{Name: "p", Main: f})
	if want := "program p: the variables that must be on the stack take"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestUncalledFunctionsGo drops functions that nothing leads to.
func TestUncalledFunctionsGo(t *testing.T) {
	p := &ir.Program{Name: "p", Main: ir.NewFunc("main", ir.Ptr)}
	for i := range 3 {
		f := ir.NewFunc(fmt.Sprint("sub", i), ir.I64, ir.Ptr)
		f.Callback, f.Depth = true, 1
		b := ir.NewBuilder(f)
		b.Return(f.Blocks[0].Params[0])
		p.Subs = append(p.Subs, f)
	}
	b := ir.NewBuilder(p.Main)
	b.Return(b.Call(irtest.Loop(), b.Const(1), b.FuncAddr(p.Subs[1]), b.Const(0), b.Const(0)))
	if err := lower.Program(p); err != nil {
		t.Fatal(err)
	}
	if len(p.Subs) != 1 || p.Subs[0].Name != "sub1" {
		t.Errorf("%d functions left", len(p.Subs))
	}
}

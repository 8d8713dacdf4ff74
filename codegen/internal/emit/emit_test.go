package emit_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/internal/emit"
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
	"github.com/gotrace/gotrace/lang/source"
)

// TestSourceMap gives three statements spans of their own. The second one has a
// 64-bit constant, which counts two.
func TestSourceMap(t *testing.T) {
	f := ir.NewFunc("main", ir.Ptr)
	b := ir.NewBuilder(f)
	first, second, third := source.Span{Start: 1, End: 5}, source.Span{Start: 6, End: 9}, source.Span{Start: 10, End: 20}
	b.Span = first
	x := b.Load(ir.I64, f.Blocks[0].Params[0], 0, 8)
	b.Span = second
	y := b.Value(ir.OpXor, x, b.Const(0x123456789abcdef))
	b.Span = third
	b.Return(b.Value(ir.OpNeg, y))
	insns, marks, err := compile(&ir.Program{Name: "p", Main: f}, regalloc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []emit.Mark{{Off: 0, Span: first}, {Off: 1, Span: second}, {Off: 4, Span: third}}
	if !reflect.DeepEqual(marks, want) {
		t.Errorf("%v, want %v\n%s", marks, want, listing(insns))
	}
}

// TestTooLong wants an error that names the function when jumps can not reach.
func TestTooLong(t *testing.T) {
	f := ir.NewFunc("main", ir.Ptr)
	b := ir.NewBuilder(f)
	ctx := f.Blocks[0].Params[0]
	sum := b.Load(ir.I64, ctx, 0, 8)
	long, end := b.NewBlock(), b.NewBlock()
	b.Branch(sum, end, long)
	b.Seal(long)
	b.SetBlock(long)
	for range 20000 {
		sum = b.Value(ir.OpXor, sum, b.Load(ir.I64, ctx, 8, 8))
	}
	b.Store(ctx, 0, sum, 8)
	b.Jump(end)
	b.Seal(end)
	b.SetBlock(end)
	b.Return(b.Const(0))
	_, _, err := compile(&ir.Program{Name: "p", Main: f}, regalloc.Options{})
	if err == nil || !strings.Contains(err.Error(), "function main: ") {
		t.Errorf("error %v", err)
	}
}

// TestFunctionSymbols marks functions only where there are several: BTF costs
// time at start.
func TestFunctionSymbols(t *testing.T) {
	single := ir.NewFunc("main", ir.Ptr)
	b := ir.NewBuilder(single)
	b.Return(b.Const(0))
	insns, _, err := compile(&ir.Program{Name: "p", Main: single}, regalloc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := insns[0].Symbol(); s != "" {
		t.Errorf("symbol %q on a single function", s)
	}
}

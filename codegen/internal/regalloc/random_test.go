package regalloc_test

import (
	"fmt"
	"testing"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/ir/irtest"
	"github.com/gotrace/gotrace/codegen/internal/lower"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
)

// masks are sets of registers from all of them to the fewest possible.
func masks() []uint16 { return []uint16{0x3ff, 0x3f, 0x3c7, 0x3c0, 0x7, 0x38} }

// TestRandomGraphs allocates random graphs, irreducible ones among them, and
// lets the checker look at the result.
func TestRandomGraphs(t *testing.T) {
	seeds := int64(4000)
	if testing.Short() {
		seeds = 400
	}
	spills := 0
	for seed := range seeds {
		blocks, vars := 1+int(seed%40), 1+int(seed%13)
		mask := masks()[seed%int64(len(masks()))]
		a, text, err := allocate(seed, blocks, vars, mask)
		if err != nil {
			t.Fatalf("seed %d, registers %#x: %v\n%s\n%s", seed, mask, err, text, regalloc.Dump(a))
		}
		spills += a.Spills
	}
	if spills == 0 {
		t.Error("no spill at all: the test shows little")
	}
}

func allocate(seed int64, blocks, vars int, mask uint16) (*ir.Alloc, string, error) {
	f := irtest.Graph(seed, blocks, vars)
	p := &ir.Program{Name: "graph", Main: f}
	if err := ir.VerifyProgram(p); err != nil {
		return nil, p.String(), err
	}
	if err := lower.Program(p); err != nil {
		return nil, p.String(), err
	}
	if err := ir.VerifyProgram(p); err != nil {
		return nil, p.String(), fmt.Errorf("after lowering: %w", err)
	}
	a := regalloc.Func(f, regalloc.Options{Regs: mask})
	return a, p.String(), regalloc.Verify(a)
}

// TestVerifyFindsFaults breaks correct allocations in one place each. A fault
// can be harmless by chance, but few are.
func TestVerifyFindsFaults(t *testing.T) {
	faults, found := 0, 0
	for seed := range int64(60) {
		a, _, err := allocate(seed, 8, 6, 0x3c7)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range a.Blocks {
			for i := range b.Steps {
				s := &b.Steps[i]
				old := *s
				if s.Dst == ir.NoLoc {
					continue
				}
				s.Dst = ir.Loc((int(s.Dst) + 1) % 10)
				faults++
				if regalloc.Verify(a) != nil {
					found++
				}
				*s = old
			}
		}
	}
	if faults < 500 || found*100 < faults*80 {
		t.Errorf("%d of %d faults found", found, faults)
	}
}

// TestExcess wants to know by how much a function needs more than the stack has.
func TestExcess(t *testing.T) {
	f := ir.NewFunc("main", ir.Ptr)
	b := ir.NewBuilder(f)
	var xs []*ir.Value
	for i := range int64(100) {
		xs = append(xs, b.Load(ir.I64, f.Blocks[0].Params[0], 8*i, 8))
	}
	sum := b.Call(irtest.CPU())
	for _, x := range xs {
		sum = b.Value(ir.OpAdd, sum, x)
	}
	b.Return(sum)
	p := &ir.Program{Name: "big", Main: f}
	const spills = 100 - 4 // R6 to R9 keep four
	if got, want := regalloc.Excess(regalloc.Program(p, regalloc.Options{})), roundUp(8*spills, 32)-512; got != want {
		t.Errorf("%d bytes too many, want %d", got, want)
	}
}

func roundUp(n, to int) int {
	return (n + to - 1) / to * to
}

// BenchmarkAllocate shows the time per value for functions of growing size; it
// should stay the same.
func BenchmarkAllocate(b *testing.B) {
	for _, stmts := range []int{30, 300, 3000} {
		p := irtest.Random(3, irtest.Config{Stmts: stmts, Vars: 10, Calls: true, Loops: true})
		if err := lower.Program(p); err != nil {
			b.Fatal(err)
		}
		n := p.Main.NumValues()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				regalloc.Func(p.Main, regalloc.Options{})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
		})
	}
}

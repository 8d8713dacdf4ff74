package emit_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/emit"
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/ir/irtest"
	"github.com/gotrace/gotrace/codegen/internal/lower"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
)

// TestKernelAgrees runs random programs in the kernel, with registers in plenty
// and with as few as possible, and compares the results with those of the
// evaluator.
func TestKernelAgrees(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading programs needs root")
	}
	configs := map[string]irtest.Config{
		"tiny": {Stmts: 1, Vars: 1}, "straight": {Stmts: 12, Vars: 3},
		"calls": {Stmts: 20, Vars: 6, Calls: true},
		"loops": {Stmts: 16, Vars: 5, Loops: true},
		"all":   {Stmts: 24, Vars: 8, Calls: true, Loops: true},
	}
	for name, c := range configs {
		for _, regs := range []uint16{0, 0x3f, 0x7, 0x3c0} {
			plain := func(p *ir.Program) (asm.Instructions, error) {
				insns, _, err := compile(p, regalloc.Options{Regs: regs})
				return insns, err
			}
			t.Run(fmt.Sprintf("%s/regs=%#x", name, regs), func(t *testing.T) {
				for seed := range int64(40) {
					checkSeed(t, seed, c, plain)
				}
			})
		}
	}
}

// TestKernelAgreesDemoted does the same with as many values in scratch memory
// as may be there.
func TestKernelAgreesDemoted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading programs needs root")
	}
	total := 0
	demoting := func(p *ir.Program) (asm.Instructions, error) {
		insns, rounds, err := compileDemoted(p, regalloc.Options{Regs: 0x7})
		total += rounds
		return insns, err
	}
	for seed := range int64(60) {
		checkSeed(t, seed, irtest.Config{Stmts: 40, Vars: 14, Calls: true, Loops: seed%2 == 0}, demoting)
	}
	if total < 60 {
		t.Errorf("%d rounds of demotion are too few for a test", total)
	}
}

type compiler func(*ir.Program) (asm.Instructions, error)

func checkSeed(t *testing.T, seed int64, c irtest.Config, compile compiler) {
	t.Helper()
	p := irtest.Random(seed, c)
	text := p.String()
	rng := rand.New(rand.NewSource(seed))
	ctx := make([]uint64, irtest.Words)
	for i := range ctx {
		ctx[i] = rng.Uint64() >> (rng.Intn(3) * 30)
	}
	want, err := irtest.Eval(p, ctx)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	insns, err := compile(p)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	got, err := run(insns, ctx)
	if err != nil {
		t.Fatalf("seed %d: %+v\n%s\n%v", seed, err, text, insns)
	}
	if uint64(got) != want {
		t.Fatalf("seed %d: result %#x, want %#x\n%s\n%s\n%v", seed, got, want, text, p, insns)
	}
}

func compile(p *ir.Program, o regalloc.Options) (asm.Instructions, []emit.Mark, error) {
	if err := lowered(p); err != nil {
		return nil, nil, err
	}
	return emitted(p, regalloc.Program(p, o))
}

// compileDemoted moves what it can to scratch memory, in as many rounds as it
// returns.
func compileDemoted(p *ir.Program, o regalloc.Options) (insns asm.Instructions, rounds int, err error) {
	if err := lowered(p); err != nil {
		return nil, 0, err
	}
	allocs := regalloc.Program(p, o)
	for d := lower.NewDemoter(p); d.Demote(allocs, 64); rounds++ {
		if err := ir.VerifyProgram(p); err != nil {
			return nil, 0, fmt.Errorf("after demotion: %w\n%s", err, p)
		}
		allocs = regalloc.Program(p, o)
	}
	insns, _, err = emitted(p, allocs)
	return insns, rounds, err
}

func lowered(p *ir.Program) error {
	if err := lower.Program(p); err != nil {
		return err
	}
	if err := ir.VerifyProgram(p); err != nil {
		return fmt.Errorf("after lowering: %w", err)
	}
	return nil
}

func emitted(p *ir.Program, allocs []*ir.Alloc) (asm.Instructions, []emit.Mark, error) {
	for _, a := range allocs {
		if err := regalloc.Verify(a); err != nil {
			return nil, nil, fmt.Errorf("allocation: %w", err)
		}
	}
	return emit.Program(p, allocs, emit.Options{})
}

// run loads insns as a raw tracepoint program and runs it once on ctx.
func run(insns asm.Instructions, ctx []uint64) (uint32, error) {
	m := irtest.ScratchMap()
	scratch, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.PerCPUArray, KeySize: uint32(m.KeySize), ValueSize: uint32(m.ValueSize), MaxEntries: 1})
	if err != nil {
		return 0, err
	}
	defer scratch.Close()
	if err := insns.AssociateMap(m.Name, scratch); err != nil && !errors.Is(err, asm.ErrUnreferencedSymbol) {
		return 0, err
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.RawTracepoint, Instructions: insns, License: "GPL"})
	if err != nil {
		return 0, err
	}
	defer prog.Close()
	data := make([]byte, 8*len(ctx))
	for i, w := range ctx {
		binary.LittleEndian.PutUint64(data[8*i:], w)
	}
	return prog.Run(&ebpf.RunOptions{Context: data})
}

// TestKernelCallback runs a callback that has scratch memory of its own and
// changes a variable of its caller.
func TestKernelCallback(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading programs needs root")
	}
	p, err := ir.Parse(`program loop
map scratch key 4 value 4096
scratch scratch key 0 size 0
func main context {
slot s0 sum size 16 align 8 stack
slot s1 large size 48 align 8
b0(v0 ptr):
	v1 ptr = slot s0
	v2 = load.8 v0+0
	v3 = const 0
	store.8 v1+0, v3
	store.8 v1+8, v2
	v8 ptr = slot s1
	store.8 v8+0, v2
	v4 = const 10
	v5 ptr = func step
	v6 = call bpf_loop(v4, v5, v1, v3)
	v7 = load.8 v1+0
	v9 = load.8 v8+0
	v10 = mul v7, v9
	return v10
}
func step callback depth 1 {
slot s0 own size 48 align 8
b0(v0 i64, v1 ptr):
	v2 = load.8 v1+8
	v3 = mul v2, v0
	v7 ptr = slot s0
	store.8 v7+0, v3
	v8 = load.8 v7+0
	v4 = load.8 v1+0
	v5 = add v4, v8
	store.8 v1+0, v5
	v6 = const 0
	return v6
}
`, helpers)
	if err != nil {
		t.Fatal(err)
	}
	insns, _, err := compile(p, regalloc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.ScratchSize != 96 {
		t.Errorf("scratch size %d: caller and callback must not share", p.ScratchSize)
	}
	got, err := run(insns, []uint64{5})
	if err != nil {
		t.Fatalf("%+v\n%s", err, listing(insns))
	}
	if want := uint32(45 * 5 * 5); got != want {
		t.Errorf("result %d, want %d\n%s", got, want, listing(insns))
	}
}

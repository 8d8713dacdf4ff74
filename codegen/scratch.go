package codegen

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/build"
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
)

const (
	// maxPerCPU is the largest value of a per-CPU array in bytes
	// (PCPU_MIN_UNIT_SIZE).
	maxPerCPU = 32 << 10
	// maxArray is the largest value of an array before Linux 6.0
	// (KMALLOC_MAX_SIZE).
	maxArray = 4 << 20
	// maxOffset is the largest offset in a value that the verifier takes
	// (BPF_MAX_VAR_OFF).
	maxOffset = 1 << 29
)

// spread has a program whose scratch memory does not fit the value of a per-CPU
// array use an array of its own instead, which has an element for each
// processor. It is called again when lookups were added.
func (c *compiler) spread(p *ir.Program) {
	if p.ScratchSize <= maxPerCPU {
		return
	}
	if p.Scratch == c.scratch {
		p.Scratch = &ir.Map{Name: fmt.Sprintf("%s_%d", c.scratch.Name, p.ScratchKey), KeySize: c.scratch.KeySize}
	}
	for _, f := range p.Funcs() {
		for _, b := range f.Blocks {
			for i := 0; i < len(b.Values); i++ {
				if v := b.Values[i]; isLookup(v, c.scratch) || isLookup(v, p.Scratch) {
					v.Args[0].Aux = p.Scratch
					i += keyByCPU(b, i)
				}
			}
		}
	}
}

func isLookup(v *ir.Value, m *ir.Map) bool {
	h, ok := v.Aux.(*ir.Helper)
	return ok && h.Fn == asm.FnMapLookupElem && v.Args[0].Aux == m
}

// keyByCPU makes the number of the processor the key of the lookup that is value
// i of b, and returns how many values it has added. Lowering stores the constant
// key just in front.
func keyByCPU(b *ir.Block, i int) int {
	addr := b.Values[i].Args[1]
	at := slices.IndexFunc(b.Values[:i], func(v *ir.Value) bool { return v.Op == ir.OpStore && v.Args[0] == addr })
	if at < 0 {
		panic("scratch memory is looked up without a key in front") // all processors would share it
	}
	store := b.Values[at]
	if store.Args[1].Op != ir.OpConst {
		return 0 // done in an earlier round
	}
	cpu := b.Func.NewValue(ir.OpCall, ir.I64)
	cpu.Aux, cpu.Block, cpu.Span = processor(), b, store.Span
	store.Args[1] = cpu
	b.Values = slices.Insert(b.Values, at, cpu)
	return 1
}

func processor() *ir.Helper {
	return &ir.Helper{Name: "get_smp_processor_id", Fn: asm.FnGetSmpProcessorId, Effect: ir.Invariant, Result: ir.I64, Writes: -1, SizeArg: -1}
}

// scratchMaps returns the maps for the scratch memory of all programs. The error
// is a *diag.List.
func (c *compiler) scratchMaps(p *typed.Program, res *build.Result) ([]*object.Map, error) {
	var out []*object.Map
	common := res.Scratch
	errs := &diag.List{Files: c.opt.Files}
	limit := maxOffset
	if !c.target.Features.LargeArrays {
		limit = maxArray
	}
	for i, prog := range res.Programs {
		size := prog.ScratchSize
		if size > limit {
			errs.Errorf(diag.Unsupported, p.Probes[i].Span,
				"the strings and other large values of this probe take %d bytes at once; the kernel allows %d (see max_strlen)", size, limit)
		}
		if prog.Scratch == c.scratch {
			common.ValueSize = max(common.ValueSize, size)
			continue
		}
		out = append(out, &object.Map{Name: prog.Scratch.Name, Role: object.RoleScratch, Type: ebpf.Array,
			KeySize: prog.Scratch.KeySize, ValueSize: size, MaxEntries: max(1, c.target.NumCPU), Present: -1})
	}
	if common.ValueSize > 0 {
		out = append(out, common)
	}
	return out, errs.Err()
}

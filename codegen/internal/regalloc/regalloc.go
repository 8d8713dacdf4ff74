// Package regalloc gives every value of a lowered function a register or a
// spill slot at each point where it is needed.
//
// It walks the blocks in reverse postorder and keeps track of which value each
// register holds, as the allocator of the Go compiler does. When registers run
// out, the value whose next use is farthest goes (Belady, "A study of
// replacement algorithms", 1966); it is stored once, where it is defined, and
// loaded again where it is used. Constants and addresses are recomputed
// instead. A call takes its operands in R1 to R5 and loses R0 to R5: what lives
// on moves to one of R6 to R9 if one is free, else it is spilled. Where several
// edges meet, the first one decides where values are, and moves on the others
// adapt. Every edge with moves leaves a block with one successor, which
// lowering provides for.
//
// Input: functions as package lower leaves them. Output: an ir.Alloc for each,
// which Verify can check on its own.
package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

const (
	numRegs    = 10 // R10 is the frame pointer
	firstSaved = 6  // R6 to R9 keep their values across calls
	savedRegs  = mask(0x3c0)
	allRegs    = mask(0x3ff)
	noPosition = int32(1) << 30
)

// Options tune the allocation. The zero value is for production.
type Options struct {
	// Regs has a bit for each register that may be given away freely, at least
	// three; 0 stands for all, R0 to R9. Tests make registers scarce with it.
	// The registers that calls demand are used all the same.
	Regs uint16
}

// Program allocates all functions of p, in the order of p.Funcs, however large
// their frames get; Excess tells whether they fit the stack.
func Program(p *ir.Program, o Options) []*ir.Alloc {
	var allocs []*ir.Alloc
	for _, f := range p.Funcs() {
		allocs = append(allocs, Func(f, o))
	}
	return allocs
}

// Excess returns by how many bytes the frames of the deepest call chain exceed
// the stack: the largest frames of each depth together. It is 0 if they fit.
func Excess(allocs []*ir.Alloc) int {
	largest := map[int]int{}
	total := 0
	for _, a := range allocs {
		frame := ir.RoundFrame(a.Frame())
		if d := a.Func.Depth; frame > largest[d] {
			total += frame - largest[d]
			largest[d] = frame
		}
	}
	return max(0, total-ir.StackSize)
}

// Func allocates one function, however large its frame gets.
func Func(f *ir.Func, o Options) *ir.Alloc {
	a := newAllocator(f, o)
	for _, b := range a.live.order {
		a.block(b)
	}
	return a.finish()
}

// Package lower rewrites the functions of a program towards the machine, still
// as valid IR.
//
// On return: no edge leads from a branch to a block with parameters or other
// predecessors; a comparison that only decides a branch is the last value of
// its block (ir.Block.Fused); constants stand on the right of commutative
// operations; offsets of memory accesses are 16-bit and include constant
// additions; OpZero, OpCopy and the map operations have become loads, stores
// and helper calls; every slot has its place, on the stack or in scratch
// memory, whose address is looked up where it is first needed.
//
// Input that the optimiser has not seen is fine too.
package lower

import (
	"fmt"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Program lowers all functions of p and sets p.ScratchSize. It fails if a slot
// fits neither the stack nor the scratch memory.
func Program(p *ir.Program) error {
	dropUncalled(p)
	funcs := p.Funcs()
	for _, f := range funcs {
		for i, s := range f.Slots { // passes drop slots; tables are indexed by ID
			s.ID = i
		}
		f.RemoveUnreachable()
		splitEdges(f)
		expandMemory(f)
		foldAddresses(f)
		mergeStores(f)
	}
	if err := placeSlots(p, funcs); err != nil {
		return fmt.Errorf("program %s: %w", p.Name, err)
	}
	for _, f := range funcs {
		foldAddresses(f)
		fitOffsets(f)
		simplify(f)
		expandMaps(f)
		fuseBranches(f)
		dropDead(f)
	}
	return nil
}

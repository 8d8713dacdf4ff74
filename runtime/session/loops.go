package session

import "github.com/cilium/ebpf/asm"

// findLoop returns the raw offset of an instruction that makes a program run
// others more than once: the call of a helper that loops, or a jump that closes
// a cycle of the control flow.
func findLoop(insns asm.Instructions) (off int, ok bool) {
	g := flowOf(insns)
	const unseen, open, closed = 0, 1, 2
	state := make([]uint8, len(insns))
	for root := range insns { // programs may have several functions
		if state[root] != unseen {
			continue
		}
		stack := []int{root}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			if state[i] != unseen {
				state[i] = closed
				stack = stack[:len(stack)-1]
				continue
			}
			if isLoopCall(&insns[i]) {
				return g.raw[i], true
			}
			state[i] = open
			for _, next := range g.successors(i) {
				switch {
				case next >= len(insns) || state[next] == closed:
				case state[next] == open:
					return g.raw[i], true
				default:
					stack = append(stack, next)
				}
			}
		}
	}
	return 0, false
}

func isLoopCall(ins *asm.Instruction) bool {
	return ins.IsBuiltinCall() && (ins.Constant == int64(asm.FnLoop) || ins.Constant == int64(asm.FnForEachMapElem))
}

// flow finds the instruction at a raw offset, in which loads of 64-bit
// constants count two.
type flow struct {
	insns asm.Instructions
	raw   []int // raw offset of each instruction
	at    []int // instruction at each raw offset
}

func flowOf(insns asm.Instructions) *flow {
	f := &flow{insns: insns}
	for i := range insns {
		f.raw = append(f.raw, len(f.at))
		f.at = append(f.at, i)
		if insns[i].OpCode.IsDWordLoad() {
			f.at = append(f.at, i)
		}
	}
	return f
}

// successors returns the instructions that may run behind number i.
func (f *flow) successors(i int) []int {
	ins := &f.insns[i]
	op := ins.OpCode.JumpOp()
	switch {
	case op == asm.Exit:
		return nil
	case op == asm.InvalidJumpOp || op == asm.Call:
		return []int{i + 1}
	}
	offset := int(ins.Offset)
	if op == asm.Ja && ins.OpCode.Class() == asm.Jump32Class {
		offset = int(ins.Constant) // the long form
	}
	to := len(f.insns)
	if raw := f.raw[i] + 1 + offset; raw >= 0 && raw < len(f.at) {
		to = f.at[raw]
	}
	if op == asm.Ja {
		return []int{to}
	}
	return []int{i + 1, to}
}

package session

import (
	"testing"

	"github.com/cilium/ebpf/asm"
)

func TestFindLoop(t *testing.T) {
	exit := asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
	ja := func(off int16) asm.Instruction {
		return asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Ja), Offset: off}
	}
	jump := func(off int16) asm.Instruction {
		ins := asm.JEq.Imm(asm.R1, 0, "")
		ins.Offset = off
		return ins
	}
	far := asm.Instruction{OpCode: asm.OpCode(asm.Jump32Class).SetJumpOp(asm.Ja), Constant: -2}
	for _, test := range []struct {
		name  string
		insns asm.Instructions
		at    int // -1: none
	}{
		{"straight", exit, -1},
		{"forward", append(asm.Instructions{jump(1), asm.Mov.Imm(asm.R2, 1)}, exit...), -1},
		// 0: jump to 3; 1, 2: exit; 3: back to 1, as rare paths lie at the end.
		{"rare path at the end", asm.Instructions{jump(2), exit[0], exit[1], ja(-3)}, -1},
		{"loop", append(asm.Instructions{asm.Mov.Imm(asm.R1, 0), jump(-2)}, exit...), 1},
		{"loop by a long jump", asm.Instructions{asm.Mov.Imm(asm.R0, 0), far}, 1},
		// The load counts two: the jump leads to the exit, not to itself.
		{"over a wide load", append(asm.Instructions{jump(2), asm.LoadImm(asm.R2, 1<<40, asm.DWord)}, exit...), -1},
		{"back over a wide load", append(asm.Instructions{asm.LoadImm(asm.R2, 1<<40, asm.DWord), jump(-3)}, exit...), 2},
		{"helper", append(asm.Instructions{asm.FnLoop.Call()}, exit...), 0},
		{"other helper", append(asm.Instructions{asm.FnKtimeGetNs.Call()}, exit...), -1},
		{"helper in a second function", append(append(asm.Instructions{}, exit...), asm.FnForEachMapElem.Call(), exit[1]), 2},
		{"jump out of the program", asm.Instructions{ja(100), exit[1]}, -1},
	} {
		at, ok := findLoop(test.insns)
		if !ok {
			at = -1
		}
		if at != test.at {
			t.Errorf("%s: loop at %d, want %d", test.name, at, test.at)
		}
	}
}

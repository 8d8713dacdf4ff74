package uprobe

import "golang.org/x/arch/x86/x86asm"

// instructionLength is the number of bytes of the amd64 instruction that code
// starts with, 0 when it is not known.
func instructionLength(code []byte) int {
	n, ok := vexLength(code)
	if !ok {
		n, ok = hintLength(code)
	}
	if !ok {
		inst, err := x86asm.Decode(code, 64)
		if err != nil || inst.Op == 0 { // 0: a prefix without an instruction that is known
			return 0
		}
		n = inst.Len
	}
	if n > len(code) {
		return 0
	}
	return n
}

// hintLength is the length of one of the instructions of shadow stacks, such as
// endbr64, which package x86asm does not know: F3 [REX] 0F 1E /r.
func hintLength(code []byte) (n int, ok bool) {
	if len(code) < 2 || code[0] != 0xf3 {
		return 0, false
	}
	n = 1
	if code[1]&0xf0 == 0x40 {
		n = 2
	}
	if len(code) < n+3 || code[n] != 0x0f || code[n+1] != 0x1e {
		return 0, false
	}
	n += 2
	return n + operandLength(code[n:]), true
}

// Opcode maps of the VEX and EVEX encodings.
const (
	map0F   = 1
	map0F3A = 3
)

// vexLength is the length of an instruction in one of the encodings of AVX,
// of which package x86asm knows few; ok tells whether it is one. In 64-bit mode
// their first bytes have no other meaning. See sections 2.3 and 2.7 of volume 2
// of Intel's manual.
func vexLength(code []byte) (n int, ok bool) {
	if len(code) < 3 {
		return 0, false
	}
	opcodeMap := byte(map0F)
	switch code[0] {
	case 0xc5:
		n = 2
	case 0xc4:
		n, opcodeMap = 3, code[1]&0x1f
	case 0x62:
		n, opcodeMap = 4, code[1]&0x07
	default:
		return 0, false
	}
	if n+1 > len(code) {
		return 0, true
	}
	opcode := code[n]
	n++
	if opcodeMap == map0F && opcode == 0x77 {
		return n, true // vzeroupper and vzeroall have no operands
	}
	operand := operandLength(code[n:])
	if operand == 0 {
		return 0, true
	}
	n += operand
	if opcodeMap == map0F3A || opcodeMap == map0F && takesByte(opcode) {
		n++
	}
	return n, true
}

// takesByte reports whether an instruction of map 0F has an immediate byte:
// shifts, comparisons and shuffles.
func takesByte(opcode byte) bool {
	switch opcode {
	case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6:
		return true
	}
	return false
}

// operandLength is the length of the byte ModRM and of what it says follows it,
// 0 when code is too short to tell. See section 2.1.3 of the manual.
func operandLength(code []byte) int {
	if len(code) == 0 {
		return 0
	}
	mode, rm := code[0]>>6, code[0]&7
	n := 1
	if mode == 3 {
		return n
	}
	base := rm
	if rm == 4 {
		if len(code) < 2 {
			return 0
		}
		base = code[1] & 7
		n++
	}
	switch {
	case mode == 1:
		n++
	case mode == 2, mode == 0 && base == 5:
		n += 4
	}
	return n
}

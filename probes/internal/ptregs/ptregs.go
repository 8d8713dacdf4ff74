// Package ptregs knows where the registers of each machine lie in the kernel's
// struct pt_regs and which of them calls use.
//
// The layout is the kernel's user-visible one: arch/x86/include/uapi/asm/ptrace.h
// and arch/arm64/include/asm/ptrace.h; it never changes. Offsets are bytes.
package ptregs

import "slices"

// Layout is the register layout and calling convention of a machine.
type Layout struct {
	// Args holds the offsets of the integer arguments of a function call.
	Args []int
	// Ret and IP are the result of a call and the instruction pointer.
	Ret, IP int
	// SP is the stack pointer.
	SP int

	// SyscallArgs holds the offsets of a system call's arguments, SyscallNumber
	// that of its number, an integer of SyscallNumberSize bytes.
	SyscallArgs       []int
	SyscallNumber     int
	SyscallNumberSize int
	// CompatArgs takes the place of SyscallArgs for 32-bit calls; nil: the same.
	CompatArgs []int
	// CompatField is the member of struct task_struct that marks a 32-bit call
	// and CompatMask the mark's bits.
	CompatField string
	CompatMask  uint64

	registers func(name string) (off int, ok bool)
}

// For returns the layout of a machine in the words of GOARCH.
func For(arch string) (*Layout, bool) {
	switch arch {
	case "amd64":
		return amd64(), true
	case "arm64":
		return arm64(), true
	}
	return nil, false
}

// Register returns the offset of a register by its short name, as in ip or sp.
func (l *Layout) Register(name string) (off int, ok bool) { return l.registers(name) }

// Word is the size of a register.
const Word = 8

// amd64Registers are the members of struct pt_regs in their order.
func amd64Registers() []string {
	return []string{
		"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8",
		"ax", "cx", "dx", "si", "di", "orig_ax", "ip", "cs", "flags", "sp", "ss",
	}
}

func amd64() *Layout {
	register := func(name string) (int, bool) {
		i := slices.Index(amd64Registers(), name)
		return i * Word, i >= 0
	}
	offs := func(names ...string) []int {
		list := make([]int, len(names))
		for i, name := range names {
			list[i], _ = register(name)
		}
		return list
	}
	return &Layout{
		Args:              offs("di", "si", "dx", "cx", "r8", "r9"),
		Ret:               offs("ax")[0],
		IP:                offs("ip")[0],
		SP:                offs("sp")[0],
		SyscallArgs:       offs("di", "si", "dx", "r10", "r8", "r9"),
		SyscallNumber:     offs("orig_ax")[0],
		SyscallNumberSize: 4,
		CompatArgs:        offs("bx", "cx", "dx", "si", "di", "bp"),
		CompatField:       "thread_info.status",
		CompatMask:        2, // TS_COMPAT
		registers:         register,
	}
}

// Offsets on arm64: x0 to x30, then sp, pc, pstate, orig_x0, and syscallno.
const (
	arm64SP        = 31 * Word
	arm64PC        = 32 * Word
	arm64PState    = 33 * Word
	arm64OrigX0    = 34 * Word
	arm64SyscallNo = 35 * Word
)

func arm64() *Layout {
	x := func(first, last int) (list []int) {
		for i := first; i <= last; i++ {
			list = append(list, i*Word)
		}
		return list
	}
	return &Layout{
		Args:              x(0, 7),
		Ret:               0,
		IP:                arm64PC,
		SP:                arm64SP,
		SyscallArgs:       append([]int{arm64OrigX0}, x(1, 5)...),
		SyscallNumber:     arm64SyscallNo,
		SyscallNumberSize: 4,
		CompatField:       "thread_info.flags",
		CompatMask:        1 << 22, // TIF_32BIT
		registers:         arm64Register,
	}
}

func arm64Register(name string) (int, bool) {
	switch name {
	case "sp":
		return arm64SP, true
	case "pc", "ip":
		return arm64PC, true
	case "pstate":
		return arm64PState, true
	case "lr":
		return 30 * Word, true
	}
	if len(name) < 2 || len(name) > 3 || name[0] != 'x' && name[0] != 'r' {
		return 0, false
	}
	n := 0
	for _, c := range []byte(name[1:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n * Word, n <= 30
}

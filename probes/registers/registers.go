// Package registers names the registers that reg() reads.
package registers

import "github.com/gotrace/gotrace/probes/internal/ptregs"

// Offset returns where a register lies in struct pt_regs of an architecture
// (its name in Go), in bytes.
func Offset(arch, name string) (off int, ok bool) {
	l, ok := ptregs.For(arch)
	if !ok {
		return 0, false
	}
	return l.Register(name)
}

package uprobe

import (
	"golang.org/x/arch/x86/x86asm"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
)

// checkOffset makes sure that an offset into a function lies inside it and on
// an instruction: a breakpoint within an instruction would make the traced
// program run something else. The size of some functions, and some
// instructions, are not known; then the offset passes, as everything does in
// unsafe mode.
func (f *file) checkOffset(s elfsym.Symbol, offset uint64) error {
	if s.Size == 0 || f.opt.Unsafe {
		return nil
	}
	if offset >= s.Size {
		return target.Errorf(target.Missing, "offset 0x%x is outside of %s, which has 0x%x bytes", offset, s.Name, s.Size)
	}
	onBoundary := true
	switch f.host.Arch() {
	case "amd64":
		code, err := f.Code(s.Addr, s.Size)
		if err != nil {
			return target.Errorf(target.Missing, "code of %s: %v", s.Name, err)
		}
		onBoundary = boundary(code, offset)
	case "arm64":
		onBoundary = offset%4 == 0
	}
	if !onBoundary {
		return target.Errorf(target.Missing, "offset 0x%x is not at the start of an instruction of %s", offset, s.Name)
	}
	return nil
}

// boundary reports whether an instruction starts at offset.
func boundary(code []byte, offset uint64) bool {
	at := uint64(0)
	for at < offset {
		inst, err := x86asm.Decode(code[min(at, uint64(len(code))):], 64)
		if err != nil || inst.Len == 0 {
			return true
		}
		at += uint64(inst.Len)
	}
	return at == offset
}

package uprobe

import (
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
)

// unsafeHint says how to have what can not be verified.
const unsafeHint = "the option --unsafe probes it all the same; inside an instruction that makes the program go wrong"

// checkAddress makes sure that an address is that of an instruction of some
// function. Where no function is known to be there, nothing tells where
// instructions start.
func (f *file) checkAddress(address uint64) error {
	if f.opt.Unsafe {
		return nil
	}
	holds := func(s elfsym.Symbol) bool {
		return address == s.Addr || address > s.Addr && address-s.Addr < s.Size
	}
	known := false
	for _, s := range f.functions(func(string) bool { return true }) {
		if !holds(s) {
			continue
		}
		if err := f.checkOffset(s, address-s.Addr); err != nil {
			return err
		}
		known = true
	}
	if !known {
		return target.Errorf(target.NotAllowed, "can not tell whether an instruction starts at address 0x%x of %s, where no function is known", address, f.path).
			Hint(unsafeHint)
	}
	return nil
}

// checkOffset makes sure that an offset into a function lies inside it and on
// an instruction: a breakpoint within an instruction would make the traced
// program run something else. What can not be found out is refused, unless in
// unsafe mode.
func (f *file) checkOffset(s elfsym.Symbol, offset uint64) error {
	if offset == 0 || f.opt.Unsafe {
		return nil
	}
	if s.Size == 0 {
		return target.Errorf(target.NotAllowed, "can not tell whether an instruction starts at offset 0x%x of %s, whose size is not known", offset, s.Name).
			Hint(unsafeHint)
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
		var at uint64
		if onBoundary, at = boundary(code, offset); at < offset {
			return target.Errorf(target.NotAllowed, "can not tell whether an instruction starts at offset 0x%x of %s, as one at 0x%x is not known", offset, s.Name, at).
				Hint(unsafeHint)
		}
	case "arm64":
		onBoundary = offset%4 == 0
	}
	if !onBoundary {
		return target.Errorf(target.Missing, "offset 0x%x is not at the start of an instruction of %s", offset, s.Name)
	}
	return nil
}

// boundary reports whether an instruction starts at offset. It can not tell when
// at, up to where it got, is less than that.
func boundary(code []byte, offset uint64) (starts bool, at uint64) {
	for at < offset && at < uint64(len(code)) {
		n := instructionLength(code[at:])
		if n == 0 {
			return false, at
		}
		at += uint64(n)
	}
	return at == offset, at
}

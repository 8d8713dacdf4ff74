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

// unfit says why the kernel does not probe the instruction at an address as it
// should, "" if it does. It tells that itself only where the program is mapped.
func (f *file) unfit(address uint64) string {
	switch {
	case f.opt.Unsafe:
		return ""
	case f.kind == target.Uretprobe && address == f.Entry:
		return "nothing calls it, so that it does not return, and what the kernel takes for its return address is something else"
	case f.host.Arch() != "amd64":
		return ""
	}
	const prefixes = 4 // that an instruction of a compiler has at most
	code, err := f.Code(address, prefixes)
	if err != nil {
		return "" // it is not mapped
	}
	return unfitCode(code)
}

// unfitCode follows arch/x86/kernel/uprobes.c. The kernel goes by the opcode,
// which means something else in the encodings of AVX: there it takes some for
// jumps, so that the program goes astray (Linux 6.18), and refuses most. It
// refuses lock and the prefixes of segments, too (is_prefix_bad).
func unfitCode(code []byte) string {
	if _, avx := vexLength(code); avx {
		return "it takes the AVX instruction there for another"
	}
	for _, b := range code {
		switch b {
		case 0xf0, 0x26, 0x2e, 0x36, 0x3e:
			return "it does not step over the prefix of the instruction there"
		case 0x66, 0x67, 0xf2, 0xf3: // of the size of operands and addresses, and for repetition
		default:
			return ""
		}
	}
	return ""
}

func errUnfit(name, why string) error {
	return target.Errorf(target.Missing, "the kernel can not probe %s: %s", name, why).
		Hint("the option --unsafe tries it all the same, which can make the program go wrong")
}

// fit leaves out the functions whose first instruction can not be probed and
// tells of them, as an error if none is left.
func (f *file) fit(list []elfsym.Symbol) ([]elfsym.Symbol, error) {
	var kept []elfsym.Symbol
	first, why := "", ""
	for _, s := range list {
		if w := f.unfit(s.Addr); w == "" {
			kept = append(kept, s)
		} else if why == "" {
			first, why = s.Name, w
		}
	}
	switch n := len(list) - len(kept); {
	case n == 0:
	case len(kept) == 0:
		return nil, errUnfit(first, why)
	default:
		f.opt.Problem(target.Errorf(target.Missing, "the kernel can not probe %d of the functions, such as %s: %s", n, first, why))
	}
	return kept, nil
}

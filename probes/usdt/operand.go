package usdt

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
)

// machine is what operands of one architecture need.
type machine struct {
	arch string
	regs *ptregs.Layout
	// marker is the virtual address of the marker; object finds that of a
	// variable of the same file.
	marker uint64
	object func(name string) (addr uint64, ok bool)
}

// arguments reads the specifications of a marker's arguments, as in
// "-4@%edi 8@-16(%rbp)"; the format is that of SystemTap's sys/sdt.h, operands
// are those of the GNU assembler. What is not understood is an argument with a
// Problem.
func (m machine) arguments(text string) []target.Arg {
	var list []target.Arg
	for i, spec := range split(text) {
		arg, err := m.argument(spec)
		if err != nil {
			arg = target.Arg{Type: types.Int{Bits: 64}, Problem: fmt.Sprintf("%s in its operand %q", err, spec)}
		}
		arg.Name = fmt.Sprintf("arg%d", i)
		list = append(list, arg)
	}
	return list
}

// split splits at blanks outside of brackets: operands of arm64 have blanks.
func split(text string) []string {
	var list []string
	depth, start := 0, -1
	for i, c := range text {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		}
		blank := c == ' ' && depth <= 0
		if blank && start >= 0 {
			list = append(list, text[start:i])
			start = -1
		} else if !blank && start < 0 {
			start = i
		}
	}
	if start >= 0 {
		list = append(list, text[start:])
	}
	return list
}

// argument reads SIZE@OPERAND; without a size it is that of a register.
func (m machine) argument(spec string) (target.Arg, error) {
	size := int64(ptregs.Word)
	operand := spec
	if before, after, ok := strings.Cut(spec, "@"); ok {
		n, err := strconv.ParseInt(before, 10, 8)
		if err != nil {
			return target.Arg{}, fmt.Errorf("unknown size %q", before)
		}
		size, operand = n, after
	}
	signed := size < 0
	if signed {
		size = -size
	}
	if size != 1 && size != 2 && size != 4 && size != 8 {
		return target.Arg{}, fmt.Errorf("unknown size %d", size)
	}
	loc, err := m.operand(operand)
	if err != nil {
		return target.Arg{}, err
	}
	loc.Size, loc.Signed = int(size), signed
	return target.Arg{Type: types.Int{Bits: int(size) * 8, Signed: signed}, Loc: loc}, nil
}

func (m machine) operand(text string) (target.Loc, error) {
	if m.arch == "arm64" {
		return m.arm64(text)
	}
	return m.amd64(text)
}

// amd64 reads $N, %reg, N(%reg), (%reg,%reg,N), N+SYMBOL(%rip).
func (m machine) amd64(text string) (target.Loc, error) {
	if n, ok := strings.CutPrefix(text, "$"); ok {
		return constant(n)
	}
	if strings.HasPrefix(text, "%") && !strings.ContainsAny(text, ":(") {
		return m.register(text)
	}
	disp, rest, ok := strings.Cut(text, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return target.Loc{}, fmt.Errorf("unknown operand")
	}
	if inner == "%rip" {
		return m.variable(disp)
	}
	loc := target.Loc{Kind: target.LocMem, Index: -1, Scale: 1}
	var err error
	if disp != "" {
		if loc.Const, err = strconv.ParseInt(disp, 0, 64); err != nil {
			return loc, fmt.Errorf("unknown displacement %q", disp)
		}
	}
	parts := strings.Split(inner, ",")
	if len(parts) > 3 {
		return loc, fmt.Errorf("unknown operand")
	}
	base, err := m.register(parts[0])
	if err != nil {
		return loc, err
	}
	loc.Off = base.Off
	if len(parts) > 1 {
		index, err := m.register(parts[1])
		if err != nil {
			return loc, err
		}
		loc.Index = index.Off
	}
	if len(parts) > 2 {
		if loc.Scale, err = strconv.Atoi(parts[2]); err != nil || loc.Scale < 1 || loc.Scale > 8 {
			return loc, fmt.Errorf("unknown scale %q", parts[2])
		}
	}
	return loc, nil
}

// variable is the place of SYMBOL, N+SYMBOL or SYMBOL+N, by its distance from
// the marker, where the instruction pointer is when the probe fires.
func (m machine) variable(text string) (target.Loc, error) {
	loc := target.Loc{Kind: target.LocMem, Off: m.regs.IP, Index: -1, Scale: 1}
	name := ""
	for term := range strings.SplitSeq(text, "+") {
		if n, err := strconv.ParseInt(term, 0, 64); err == nil {
			loc.Const += n
		} else if name == "" {
			name = term
		} else {
			return loc, fmt.Errorf("unknown displacement %q", text)
		}
	}
	if name == "" {
		return loc, fmt.Errorf("no symbol")
	}
	addr, ok := m.object(name)
	if !ok {
		return loc, fmt.Errorf("the file has no variable %s", name)
	}
	loc.Const += int64(addr - m.marker)
	return loc, nil
}

// register finds a register of amd64 by any of its names: rax, eax, ax, al, ah,
// r8, r8d, r8w, r8b, sil.
func (m machine) register(text string) (target.Loc, error) {
	name, ok := strings.CutPrefix(strings.TrimSpace(text), "%")
	if !ok {
		return target.Loc{}, fmt.Errorf("%q is not a register", text)
	}
	loc := target.Loc{Kind: target.LocCtx}
	for _, short := range shortNames(name) {
		if off, ok := m.regs.Register(short); ok {
			loc.Off = off
			if len(name) == 2 && name[1] == 'h' {
				loc.Off++ // the second byte
			}
			return loc, nil
		}
	}
	return loc, fmt.Errorf("unknown register %q", text)
}

// shortNames lists what the kernel may call the register of which name is a
// part.
func shortNames(name string) []string {
	if len(name) < 2 {
		return nil
	}
	list := []string{name, name[1:], strings.TrimRight(name, "dwb")}
	switch last := name[len(name)-1]; {
	case len(name) == 2 && (last == 'l' || last == 'h'):
		list = append(list, name[:1]+"x") // al, ah: ax
	case last == 'l':
		list = append(list, name[:len(name)-1]) // sil: si
	}
	return list
}

// arm64 reads N, xN, wN, sp, [reg], [reg, N], [reg, reg].
func (m machine) arm64(text string) (target.Loc, error) {
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		if loc, err := m.armRegister(text); err == nil {
			return loc, nil
		}
		return constant(strings.TrimPrefix(text, "#"))
	}
	inner, ok = strings.CutSuffix(inner, "]")
	parts := strings.Split(inner, ",")
	if !ok || len(parts) > 2 {
		return target.Loc{}, fmt.Errorf("unknown operand")
	}
	base, err := m.armRegister(parts[0])
	if err != nil {
		return base, err
	}
	loc := target.Loc{Kind: target.LocMem, Off: base.Off, Index: -1, Scale: 1}
	if len(parts) == 1 {
		return loc, nil
	}
	second := strings.TrimSpace(parts[1])
	if index, err := m.armRegister(second); err == nil {
		loc.Index = index.Off
		return loc, nil
	}
	loc.Const, err = strconv.ParseInt(strings.TrimPrefix(second, "#"), 0, 64)
	if err != nil {
		return loc, fmt.Errorf("unknown displacement %q", second)
	}
	return loc, nil
}

func (m machine) armRegister(text string) (target.Loc, error) {
	name := strings.TrimSpace(text)
	if n, ok := strings.CutPrefix(name, "w"); ok {
		name = "x" + n
	}
	off, ok := m.regs.Register(name)
	if !ok {
		return target.Loc{}, fmt.Errorf("unknown register %q", text)
	}
	return target.Loc{Kind: target.LocCtx, Off: off}, nil
}

func constant(text string) (target.Loc, error) {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		u, uerr := strconv.ParseUint(text, 0, 64)
		if uerr != nil {
			return target.Loc{}, fmt.Errorf("unknown operand")
		}
		n = int64(u)
	}
	return target.Loc{Kind: target.LocConst, Const: n}, nil
}

package symbol

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
)

// Limits of a kallsyms file: several times what the largest kernels have.
const (
	maxKernelSymbols = 1 << 22
	maxKernelNames   = 1 << 28
	maxKernelModules = math.MaxUint16
)

// Sizes to reserve once the file turns out to be that of a real kernel: growing step by step would copy the whole five times.
// Pages that are not used are never made resident.
const (
	smallKernel   = 4096
	typicalKernel = 1 << 18 // symbols
	typicalNames  = 1 << 23 // bytes
)

// parseKallsyms reads the format of /proc/kallsyms, "ADDRESS TYPE NAME[\t[MODULE]]" a line, as kernel/kallsyms.c writes it. Lines of
// another form are skipped: future kernels may add some.
func parseKallsyms(r io.Reader) (kernelTable, error) {
	p := kallsymsParser{table: kernelTable{modules: []string{""}}, module: map[string]uint16{}}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return kernelTable{}, errors.New("line too long")
		}
		if err != nil && err != io.EOF {
			return kernelTable{}, err
		}
		if len(line) > 0 {
			if err := p.line(line); err != nil {
				return kernelTable{}, err
			}
		}
		if err == io.EOF {
			return p.finish()
		}
	}
}

type kallsymsParser struct {
	table   kernelTable
	module  map[string]uint16
	visible bool // an address other than zero was seen
}

func (p *kallsymsParser) line(line []byte) error {
	addrText, rest, ok := bytes.Cut(line, []byte{' '})
	addr, isHex := parseHex(addrText)
	if !ok || !isHex || len(rest) < 3 || rest[1] != ' ' {
		return nil
	}
	kind := rest[0]
	name, moduleText, _ := bytes.Cut(bytes.TrimSuffix(rest[2:], []byte{'\n'}), []byte{'\t'})
	if len(name) == 0 || bytes.IndexByte(name, 0) >= 0 {
		return nil
	}
	module, err := p.moduleIndex(bytes.Trim(moduleText, "[]"))
	if err != nil {
		return err
	}
	t := &p.table
	if len(t.syms) >= maxKernelSymbols || len(t.names)+len(name) >= maxKernelNames {
		return errors.New("too many symbols")
	}
	if len(t.syms) == smallKernel {
		t.syms, t.names = slices.Grow(t.syms, typicalKernel), slices.Grow(t.names, typicalNames)
	}
	t.syms = append(t.syms, kernelSymbol{addr: addr, name: uint32(len(t.names)), module: module, kind: kind})
	t.names = append(append(t.names, name...), 0)
	p.visible = p.visible || addr != 0
	return nil
}

func (p *kallsymsParser) moduleIndex(name []byte) (uint16, error) {
	if len(name) == 0 {
		return 0, nil
	}
	if i, ok := p.module[string(name)]; ok {
		return i, nil
	}
	if len(p.table.modules) > maxKernelModules {
		return 0, errors.New("too many modules")
	}
	i := uint16(len(p.table.modules))
	p.module[string(name)] = i
	p.table.modules = append(p.table.modules, string(name))
	return i, nil
}

func (p *kallsymsParser) finish() (kernelTable, error) {
	switch {
	case len(p.table.syms) == 0:
		return kernelTable{}, errors.New("kallsyms is empty (a kernel without CONFIG_KALLSYMS)")
	case !p.visible:
		return kernelTable{}, ErrRestricted
	}
	p.table.sort()
	return p.table, nil
}

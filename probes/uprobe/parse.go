package uprobe

import (
	"strings"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/provider"
)

// place is what the parts of an attach point say.
type place struct {
	binary string
	cpp    bool   // symbol is compared with demangled names
	symbol string // a function, or a pattern
	offset uint64
	// address is a virtual address, when addressed is set.
	address   uint64
	addressed bool
	// file, line and column are a source position, when file is not empty.
	file         string
	line, column uint64
}

func parse(p *provider.Pattern, opt *target.ResolveOptions) (at place, err error) {
	form := target.Errorf(target.Syntax, "%s probes have the form %s:BINARY:FUNCTION", p.Kind, p.Kind)
	if len(p.Parts) > 0 && p.Parts[0].At >= 0 {
		return parsePosition(p)
	}
	switch len(p.Parts) {
	case 1:
		if opt.Pid == 0 {
			return at, form
		}
		at.symbol = p.Parts[0].Text
	case 2:
		at.binary, at.symbol = p.Parts[0].Text, p.Parts[1].Text
	case 3:
		at.binary, at.symbol = p.Parts[0].Text, p.Parts[2].Text
		if lang := p.Parts[1].Text; lang != "cpp" {
			return at, target.Errorf(target.Syntax, "language %q is not supported, only cpp", lang)
		}
		at.cpp = true
	default:
		return at, form.Hint("names that hold colons need quotes")
	}
	if at.symbol == "" || len(p.Parts) > 1 && at.binary == "" && opt.Pid == 0 {
		return at, form
	}
	if at.cpp {
		return at, nil
	}
	return at, parseFunction(p.Kind, &at)
}

// parseFunction reads FUNCTION, FUNCTION+OFFSET or ADDRESS.
func parseFunction(kind target.Provider, at *place) (err error) {
	if c := at.symbol[0]; c >= '0' && c <= '9' {
		if kind != target.Uprobe {
			return target.Errorf(target.Syntax, "%s can not be attached to an address", kind)
		}
		at.addressed = true
		if at.address, err = provider.Number(at.symbol); err != nil {
			return target.Errorf(target.Syntax, "invalid address: %v", err)
		}
		return nil
	}
	symbol, offset, ok := strings.Cut(at.symbol, "+")
	if !ok {
		return nil
	}
	switch {
	case kind != target.Uprobe:
		return target.Errorf(target.Syntax, "offsets are not allowed with %s", kind)
	case symbol == "" || strings.Contains(symbol, "*"):
		return target.Errorf(target.Syntax, "an offset needs the name of one function")
	}
	at.symbol = symbol
	if at.offset, err = provider.Number(offset); err != nil {
		return target.Errorf(target.Syntax, "invalid offset: %v", err)
	}
	return nil
}

// parsePosition reads BINARY@FILE:LINE[:COLUMN].
func parsePosition(p *provider.Pattern) (at place, err error) {
	first := p.Parts[0]
	at.binary, at.file = first.Text[:first.At], first.Text[first.At+1:]
	switch {
	case p.Kind != target.Uprobe:
		return at, target.Errorf(target.Syntax, "source positions are not allowed with %s", p.Kind)
	case len(p.Parts) < 2 || len(p.Parts) > 3 || at.file == "":
		return at, target.Errorf(target.Syntax, "source positions have the form BINARY@FILE:LINE[:COLUMN]")
	case strings.Contains(first.Text+p.Parts[1].Text, "*"):
		return at, target.Errorf(target.Syntax, "source positions take no wildcards")
	}
	if at.line, err = provider.Number(p.Parts[1].Text); err != nil || at.line == 0 {
		return at, target.Errorf(target.Syntax, "invalid line %q", p.Parts[1].Text)
	}
	if len(p.Parts) == 3 {
		if at.column, err = provider.Number(p.Parts[2].Text); err != nil || at.column == 0 {
			return at, target.Errorf(target.Syntax, "invalid column %q", p.Parts[2].Text)
		}
	}
	return at, nil
}

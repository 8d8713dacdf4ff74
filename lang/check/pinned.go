package check

import (
	"fmt"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// errAsyncPinned reports what nobody would carry out.
func (c *checker) errAsyncPinned(s *site) {
	c.diags.Errorf(diag.NotHere, s.sp, "%s() can not be used in a pinned iterator: gotrace, which carries it out, has ended when the iterator runs", s.name).
		Hint("printf() writes to the file that the iterator is")
}

// fitsKernel checks a printf of a pinned iterator, which the kernel formats. It
// has fewer conversions than gotrace, and no names of anything.
func (c *checker) fitsKernel(format string, args []operand, s *site) bool {
	items, _ := printf.Parse(format) // was parsed by checkFormat
	ok := true
	for _, it := range items {
		if it.Verb == 0 {
			continue
		}
		x := args[0]
		args = args[1:]
		if what := beyondKernel(it, x.Type()); what != "" {
			c.diags.Errorf(diag.BadFormat, x.Pos(), "%s() can not print %s in a pinned iterator: the kernel formats its output", s.name, what).
				Hint("without :PIN in the attach point gotrace does")
			ok = false
		}
	}
	return ok
}

// maxKernelText is the length of strings that the kernel pads on all releases.
const maxKernelText = 127

// beyondKernel names what the kernel can not format, "" if it can.
func beyondKernel(it printf.Item, t types.Type) string {
	_, pointer := t.(types.Pointer)
	switch it.Verb {
	case 'd', 'i', 'u', 'x', 'X', 'c':
	case 'p':
		pointer = true
	case 's':
		if name := kernelName(t); name != "" {
			return name
		}
		if it.Width > maxKernelText {
			return fmt.Sprintf("a field of %d columns", it.Width)
		}
	default:
		return it.String()
	}
	switch {
	case it.Sharp:
		return it.String() + " with the flag #"
	case pointer && (it.Verb == 'p' || it.Verb == 's') && it.Width > 0:
		return "a pointer with a width"
	}
	return ""
}

// kernelName names the type of a value that %s of the kernel does not print, ""
// if it does.
func kernelName(t types.Type) string {
	switch t := t.(type) {
	case types.Int, types.Bool, types.Pointer, types.String:
		return ""
	case *types.Enum:
		return "the name of an enum"
	default:
		return "a value of type " + kindName(t)
	}
}

// warnUnreadMaps tells of maps that a pinned iterator only writes: they are not
// printed.
func (c *checker) warnUnreadMaps() {
	if c.diags.HasErrors() || len(c.probes) == 0 || !c.probes[0].targets[0].Pinned() {
		return
	}
	for _, m := range c.order {
		if m.assigned && m.reads == 0 {
			c.diags.Warnf(diag.Unused, m.firstUse, "%s is not read: gotrace, which prints maps, has ended when a pinned iterator runs", m.m.Name)
		}
	}
}

// discardRead takes back that @m++ reads the map, as nobody uses the value.
func (c *checker) discardRead(x typed.Expr) {
	if inc, ok := x.(*typed.IncDec); ok && inc.Map != nil {
		c.maps[inc.Map.Name].reads--
	}
}

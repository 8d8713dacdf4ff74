package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// helper is the helper table of the texts in tests.
func helper(name string) *ir.Helper {
	h := &ir.Helper{Name: name, Result: ir.I64, Writes: -1, SizeArg: -1}
	switch name {
	case "pid":
		h.Effect = ir.Invariant
	case "nsecs":
		h.Effect = ir.Clock
	case "comm": // comm(buf, size)
		h.Effect, h.Writes, h.SizeArg, h.Fills = ir.Invariant, 0, 1, true
	case "read", "read_str": // read(buf, size, address)
		h.Effect, h.Writes, h.SizeArg, h.MayFail = ir.KernelRead, 0, 1, true
		h.Fills = name == "read"
	case "kstack": // kstack(buf, size)
		h.Effect, h.Writes, h.SizeArg, h.MayFail = ir.KernelRead, 0, 1, true
	case "reserve": // reserve(map, size)
		h.Effect, h.Result = ir.Emit, ir.Ptr
	case "submit", "output": // submit(record), output(data)
		h.Effect, h.Result = ir.Emit, ir.Void
	case "loop": // loop(count, callback, data)
		h.Effect = ir.Emit
	default:
		return nil
	}
	return h
}

package build

import (
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// helper returns the description of fn that all calls of a script share.
func (s *script) helper(fn asm.BuiltinFunc) *ir.Helper {
	h := s.helpers[fn]
	if h == nil {
		h = describe(fn)
		s.helpers[fn] = h
	}
	return h
}

// describe returns what the optimiser must know of a helper: see the manual
// page bpf-helpers(7).
func describe(fn asm.BuiltinFunc) *ir.Helper {
	h := &ir.Helper{Name: helperName(fn), Fn: fn, Result: ir.I64, Writes: -1, SizeArg: -1, Effect: ir.Emit}
	switch fn {
	case asm.FnGetCurrentPidTgid, asm.FnGetCurrentUidGid, asm.FnGetSmpProcessorId, asm.FnGetNumaNodeId,
		asm.FnGetCurrentCgroupId, asm.FnGetCurrentTask, asm.FnGetFuncIp:
		h.Effect = ir.Invariant
	case asm.FnGetCurrentTaskBtf:
		h.Effect, h.Result = ir.Invariant, ir.Ptr
	case asm.FnGetCurrentComm:
		h.Effect, h.Writes, h.SizeArg = ir.Invariant, 0, 1
	case asm.FnKtimeGetNs, asm.FnKtimeGetBootNs, asm.FnKtimeGetTaiNs, asm.FnJiffies64, asm.FnGetPrandomU32:
		h.Effect = ir.Clock
	case asm.FnProbeReadKernel, asm.FnProbeReadUser:
		h.Effect, h.Writes, h.SizeArg, h.Fills, h.MayFail = ir.KernelRead, 0, 1, true, true
	case asm.FnProbeReadKernelStr, asm.FnProbeReadUserStr:
		h.Effect, h.Writes, h.SizeArg, h.MayFail = ir.KernelRead, 0, 1, true
	case asm.FnGetStack:
		h.Effect, h.Writes, h.SizeArg, h.MayFail = ir.KernelRead, 1, 2, true
	case asm.FnDPath:
		h.Effect, h.Writes, h.SizeArg, h.MayFail = ir.KernelRead, 1, 2, true
	case asm.FnGetSocketCookie:
		h.Effect = ir.KernelRead
	case asm.FnMapLookupPercpuElem:
		h.Effect, h.Result = ir.MapRead, ir.Ptr
	case asm.FnPerCpuPtr, asm.FnThisCpuPtr:
		h.Effect, h.Result = ir.Invariant, ir.Ptr
	case asm.FnRingbufReserve:
		h.Result = ir.Ptr
	case asm.FnRingbufSubmit:
		h.Result = ir.I64
	}
	return h
}

// helperName turns the name that cilium/ebpf prints, such as FnKtimeGetNs, into
// ktime_get_ns, as messages of a run show it.
func helperName(fn asm.BuiltinFunc) string {
	var out []byte
	for i, c := range []byte(fn.String()) {
		switch {
		case i < len("Fn"):
			continue
		case 'A' <= c && c <= 'Z':
			if i > len("Fn") {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

func (f *fn) call(fn asm.BuiltinFunc, args ...*ir.Value) *ir.Value {
	return f.b.Call(f.helper(fn), args...)
}

package build

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

const stackFrames = layout.StackFrames

// Entries of the map of stacks: with memory given out as needed, and without.
const (
	manyStacks = 128 << 10
	fewStacks  = 8 << 10
)

// stacks returns the map that stacks like t are kept in.
func (s *script) stacks(t types.Stack) *ir.Map {
	name := fmt.Sprintf("stacks_%s", t)
	return s.internalMap(name, func() *object.Map {
		m := &object.Map{Role: object.RoleStacks, Type: ebpf.Hash, KeySize: 8, ValueSize: max(1, t.Limit) * layout.StackEntry(t.Mode),
			MaxEntries: fewStacks, Stack: t}
		if s.opt.Features.NoPreallocSafe {
			m.MaxEntries, m.Flags = manyStacks, unix.BPF_F_NO_PREALLOC
		}
		return m
	})
}

// stackInto captures a stack: the frames go to the map of stacks under their
// hash, unless they are there; the value is the hash.
func (f *fn) stackInto(dst mem, e *typed.Call) {
	t := e.T.(types.Stack)
	if t.Dwarf {
		f.errs.Errorf(diag.Unsupported, e.Span, "dw_ustack is not supported")
		return
	}
	f.zero(dst, int64(t.Size()))
	if t.Limit == 0 {
		return
	}
	entry := layout.StackEntry(t.Mode)
	frames := f.temp("frames", t.Limit*entry)
	got := f.call(asm.FnGetStack, f.ctx(), frames.base, f.num(int64(t.Limit*entry)), f.num(stackFlags(t)))
	if t.User {
		pid := f.b.Value(ir.OpLShr, f.call(asm.FnGetCurrentPidTgid), f.num(32))
		f.b.Store(dst.base, dst.off+layout.StackPid, pid, 4)
	}
	f.when(f.b.Value(ir.OpSLt, f.num(0), got), 1, func() { f.keepStack(dst, t, frames, got) },
		func() { f.failed(got, "get_stack") })
}

func stackFlags(t types.Stack) int64 {
	flags := int64(0)
	if t.User {
		flags |= unix.BPF_F_USER_STACK
	}
	if t.Mode == types.StackBuildID {
		flags |= unix.BPF_F_USER_BUILD_ID
	}
	return flags
}

func (f *fn) keepStack(dst mem, t types.Stack, frames mem, size *ir.Value) {
	hash := f.hash(frames, size)
	count := f.b.Value(ir.OpUDiv, size, f.num(int64(layout.StackEntry(t.Mode))))
	f.b.Store(dst.base, dst.off+layout.StackHash, hash, 8)
	f.b.Store(dst.base, dst.off+layout.StackFrames, count, 4)
	key := f.temp("hash", 8)
	f.b.Store(key.base, key.off, hash, 8)
	m := f.stacks(t)
	f.when(f.b.Map(ir.OpMapLookup, m, 0, key.base), 1, func() {}, func() {
		// Another processor may have been faster, with the same frames.
		r := f.b.Map(ir.OpMapUpdate, m, unix.BPF_ANY, key.base, frames.base)
		f.when(r, -1, func() { f.warn(types.ActStackLost, "", f.b.Span, r) }, nil)
	})
}

// hashFactor is the multiplier of FxHash as rustc uses it.
const hashFactor = 0x517cc1b727220a95

// hash mixes the words of a stack, which are size bytes (h = (rotl(h, 5) ^ word) *
// factor), and finishes by folding the high bits down. It is never 0.
func (f *fn) hash(m mem, size *ir.Value) *ir.Value {
	op := f.b.Value
	h := f.b.NewVar(ir.I64)
	f.b.WriteVar(h, size)
	f.strides(size, 8, func(off *ir.Value, _, _ *ir.Block) {
		word := f.b.Load(ir.I64, op(ir.OpAdd, m.base, off), m.off, 8)
		x := f.b.ReadVar(h)
		rot := op(ir.OpOr, op(ir.OpShl, x, f.num(5)), op(ir.OpLShr, x, f.num(59)))
		f.b.WriteVar(h, op(ir.OpMul, op(ir.OpXor, rot, word), f.num(hashFactor)))
	})
	x := f.b.ReadVar(h)
	return op(ir.OpOr, op(ir.OpXor, x, op(ir.OpLShr, x, f.num(29))), f.num(1<<32))
}

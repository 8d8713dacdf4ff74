package output

import (
	"encoding/binary"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// appendStack appends an empty line and the frames, one a line.
func (f *Formatter) appendStack(dst []byte, v layout.Value, t types.Stack) []byte {
	raw, lost := f.frameBytes(v, t)
	switch {
	case lost:
		return append(appendLostStack(append(dst, '\n'), t.Mode), '\n')
	case t.Mode == types.StackBuildID:
		return symbol.AppendBuildIDStack(dst, raw)
	}
	f.frames = f.frames[:0]
	for ; len(raw) >= 8; raw = raw[8:] {
		f.frames = append(f.frames, binary.NativeEndian.Uint64(raw))
	}
	if f.Symbols == nil || len(f.frames) == 0 {
		return f.appendBareFrames(append(dst, '\n'))
	}
	if t.User {
		return f.Symbols.AppendUserStack(dst, symbol.Mode(t.Mode), f.process(v.Uint32At(layout.StackPid)), f.frames)
	}
	return f.Symbols.AppendKernelStack(dst, symbol.Mode(t.Mode), f.frames)
}

// appendLostStack appends what stands in the place of the frames of a stack
// that the map of stacks did not take, indented as they are. bpftrace keeps no
// such map, and loses none.
func appendLostStack(dst []byte, mode types.StackMode) []byte {
	switch mode {
	case types.StackBpftrace:
		dst = appendSpaces(dst, 8)
	case types.StackPerf:
		dst = append(dst, '\t')
	}
	return append(dst, "<stack lost>"...)
}

func (f *Formatter) appendBareFrames(dst []byte) []byte {
	for _, address := range f.frames {
		dst = append(appendPointer(dst, address), '\n')
	}
	return dst
}

// frameBytes reads the frames of a stack value from the stack map; lost tells
// that there was a stack, which the map does not hold.
func (f *Formatter) frameBytes(v layout.Value, t types.Stack) (frames []byte, lost bool) {
	hash := v.Uint64At(layout.StackHash)
	if hash == 0 || f.Stack == nil {
		return nil, false
	}
	raw := f.Stack(t, hash)
	size := uint64(v.Uint32At(layout.StackFrames)) * uint64(layout.StackEntry(t.Mode))
	return raw[:min(size, uint64(len(raw)))], raw == nil
}

package irtest

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Eval runs the main function of a random program on the words of a context
// and returns its result.
func Eval(p *ir.Program, ctx []uint64) (uint64, error) {
	m := &machine{steps: 1 << 20}
	addr, mem := m.alloc(8 * len(ctx))
	for i, w := range ctx {
		binary.LittleEndian.PutUint64(mem[8*i:], w)
	}
	return m.run(p.Main, []uint64{addr})
}

// machine has the memory of one run: objects, whose number is in the upper half
// of an address.
type machine struct {
	objects [][]byte
	steps   int
}

func (m *machine) alloc(size int) (uint64, []byte) {
	mem := make([]byte, size)
	m.objects = append(m.objects, mem)
	return uint64(len(m.objects)) << 32, mem
}

func (m *machine) at(addr uint64, size int64) ([]byte, error) {
	n, off := addr>>32, int64(uint32(addr))
	if n == 0 || n > uint64(len(m.objects)) || size < 0 || off+size > int64(len(m.objects[n-1])) {
		return nil, fmt.Errorf("access of %d bytes at %#x", size, addr)
	}
	return m.objects[n-1][off : off+size], nil
}

// frame is one call of a function.
type frame struct {
	m     *machine
	vals  []uint64
	slots []uint64
}

func (m *machine) run(f *ir.Func, args []uint64) (uint64, error) {
	fr := &frame{m: m, vals: make([]uint64, f.NumValues())}
	for _, s := range f.Slots {
		addr, _ := m.alloc(int(s.Size))
		fr.slots = append(fr.slots, addr)
	}
	b := f.Blocks[0]
	for {
		for i, p := range b.Params {
			fr.vals[p.ID] = args[i]
		}
		for _, v := range b.Values {
			if m.steps--; m.steps < 0 {
				return 0, fmt.Errorf("%s does not end", f.Name)
			}
			x, err := fr.value(v)
			if err != nil {
				return 0, fmt.Errorf("%s, v%d: %w", f.Name, v.ID, err)
			}
			fr.vals[v.ID] = x
		}
		var e ir.Edge
		switch b.Term.Kind {
		case ir.Return:
			return fr.vals[b.Term.Cond.ID], nil
		case ir.Jump:
			e = b.Term.Succs[0]
		case ir.Branch:
			e = b.Term.Succs[1]
			if fr.vals[b.Term.Cond.ID] != 0 {
				e = b.Term.Succs[0]
			}
		}
		args = fr.args(e.Args)
		b = e.To
	}
}

func (fr *frame) args(vs []*ir.Value) []uint64 {
	var out []uint64
	for _, v := range vs {
		out = append(out, fr.vals[v.ID])
	}
	return out
}

func (fr *frame) value(v *ir.Value) (uint64, error) {
	a := fr.args(v.Args)
	switch v.Op {
	case ir.OpConst:
		return uint64(v.Imm), nil
	case ir.OpSlotAddr:
		return fr.slots[v.Aux.(*ir.Slot).ID] + uint64(v.Imm), nil
	case ir.OpLoad, ir.OpStore, ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
		return fr.access(v, a)
	case ir.OpZero:
		mem, err := fr.m.at(a[0]+uint64(v.Imm), v.Size)
		clear(mem)
		return 0, err
	case ir.OpCopy:
		return 0, fr.copy(a[0]+uint64(v.Imm), a[1]+uint64(v.Imm2), v.Size)
	case ir.OpFuncAddr:
		return 0, nil // only loop uses it, by the operand itself
	case ir.OpCall:
		return fr.call(v, a)
	}
	return Arith(v, a)
}

func (fr *frame) call(v *ir.Value, a []uint64) (uint64, error) {
	switch v.Aux.(*ir.Helper).Name {
	case ProbeRead().Name:
		return 0, fr.copy(a[0], a[2], int64(a[1]))
	case Loop().Name:
		for i := range a[0] {
			if stop, err := fr.m.run(v.Args[1].Aux.(*ir.Func), []uint64{i, a[2]}); err != nil || stop != 0 {
				return i + 1, err
			}
		}
		return a[0], nil
	}
	return 0, nil
}

func (fr *frame) copy(dst, src uint64, size int64) error {
	to, err := fr.m.at(dst, size)
	if err != nil {
		return err
	}
	from, err := fr.m.at(src, size)
	copy(to, from)
	return err
}

func (fr *frame) access(v *ir.Value, a []uint64) (uint64, error) {
	mem, err := fr.m.at(a[0]+uint64(v.Imm), int64(v.Width))
	if err != nil {
		return 0, err
	}
	var buf [8]byte
	copy(buf[:], mem)
	old := binary.LittleEndian.Uint64(buf[:])
	switch v.Op {
	case ir.OpLoad:
		return old, nil
	case ir.OpStore:
		binary.LittleEndian.PutUint64(buf[:], a[1])
	default:
		binary.LittleEndian.PutUint64(buf[:], old+a[1])
	}
	copy(mem, buf[:])
	return old, nil
}

// Arith computes v from the values of its operands, without memory.
func Arith(v *ir.Value, a []uint64) (uint64, error) {
	low := func(x uint64) uint64 { return x << (64 - v.Width) }
	truth := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	switch v.Op {
	case ir.OpNeg:
		return -a[0], nil
	case ir.OpSExt:
		return uint64(int64(low(a[0])) >> (64 - v.Width)), nil
	case ir.OpZExt:
		return low(a[0]) >> (64 - v.Width), nil
	case ir.OpBSwap:
		return bits.ReverseBytes64(low(a[0])), nil
	case ir.OpAdd:
		return a[0] + a[1], nil
	case ir.OpSub:
		return a[0] - a[1], nil
	case ir.OpMul:
		return a[0] * a[1], nil
	case ir.OpUDiv:
		return a[0] / a[1], nil
	case ir.OpUMod:
		return a[0] % a[1], nil
	case ir.OpAnd:
		return a[0] & a[1], nil
	case ir.OpOr:
		return a[0] | a[1], nil
	case ir.OpXor:
		return a[0] ^ a[1], nil
	case ir.OpShl:
		return a[0] << (a[1] & 63), nil
	case ir.OpLShr:
		return a[0] >> (a[1] & 63), nil
	case ir.OpAShr:
		return uint64(int64(a[0]) >> (a[1] & 63)), nil
	case ir.OpEq:
		return truth(a[0] == a[1]), nil
	case ir.OpNe:
		return truth(a[0] != a[1]), nil
	case ir.OpULt:
		return truth(a[0] < a[1]), nil
	case ir.OpULe:
		return truth(a[0] <= a[1]), nil
	case ir.OpSLt:
		return truth(int64(a[0]) < int64(a[1])), nil
	case ir.OpSLe:
		return truth(int64(a[0]) <= int64(a[1])), nil
	}
	return 0, fmt.Errorf("%s has no value here", v.Op)
}

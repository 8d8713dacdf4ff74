package opt

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// memory says what memory the operations of a function access. Slots are
// apart from one another and from everything else, unless their address gets
// away (see escaped): those are left alone by all passes.
type memory struct {
	addr    []addr // by ID of a pointer
	escaped map[*ir.Slot]bool
	context *ir.Value // pointer to memory that nothing writes, or nil
}

// addr is a pointer as a base and an offset in bytes.
type addr struct {
	base  *ir.Value // neither OpAdd nor OpSub
	off   int64
	exact bool // off is known
}

// access is one range of memory that an operation reads or writes.
type access struct {
	addr
	size    int64 // bytes; -1 if unknown: any part of what base points to
	read    bool
	write   bool
	full    bool // every byte of the range is written
	arg     int  // index of the pointer operand
	escaped bool // the memory is not private to what names it
}

// slot returns the slot that a accesses, or nil.
func (a access) slot() *ir.Slot {
	if a.escaped {
		return nil
	}
	s, _ := a.base.Aux.(*ir.Slot)
	return s
}

// known reports whether the range is known exactly.
func (a access) known() bool { return a.exact && a.size >= 0 }

// analyse resolves the pointers of f.
func analyse(f *ir.Func) *memory {
	m := &memory{addr: make([]addr, f.NumValues()), escaped: map[*ir.Slot]bool{}}
	if f.Context && len(f.Blocks[0].Params) > 0 {
		m.context = f.Blocks[0].Params[0]
	}
	for _, b := range ir.RPO(f) {
		for _, p := range b.Params {
			m.addr[p.ID] = addr{p, 0, true}
		}
		for _, v := range b.Values {
			m.resolve(v)
		}
	}
	for _, b := range f.Blocks {
		for _, v := range b.Values {
			if v.Op == ir.OpStore {
				m.escape(v.Args[1])
			}
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				m.escape(a)
			}
		}
	}
	return m
}

// add resolves a value that a pass has made.
func (m *memory) add(v *ir.Value) {
	for len(m.addr) <= v.ID {
		m.addr = append(m.addr, addr{})
	}
	m.resolve(v)
}

func (m *memory) isContext(p *ir.Value) bool { return p == m.context }

func (m *memory) resolve(v *ir.Value) {
	m.addr[v.ID] = addr{v, 0, true}
	if v.Type != ir.Ptr || v.Op != ir.OpAdd && v.Op != ir.OpSub {
		return
	}
	a := m.addr[v.Args[0].ID]
	switch n := v.Args[1]; {
	case !isConst(n):
		a.exact = false
	case v.Op == ir.OpAdd:
		a.off += n.Imm
	default:
		a.off -= n.Imm
	}
	m.addr[v.ID] = a
}

// escape marks the slot that p points to, if it does: the address goes where
// the analysis does not follow.
func (m *memory) escape(p *ir.Value) {
	if base := m.addr[p.ID].base; p.Type == ir.Ptr && base != nil {
		if s, ok := base.Aux.(*ir.Slot); ok {
			m.escaped[s] = true
		}
	}
}

func (m *memory) at(v *ir.Value, arg int, off, size int64) access {
	a := access{addr: m.addr[v.Args[arg].ID], size: size, arg: arg}
	if a.base == nil { // in an unreachable block
		a.addr = addr{base: v.Args[arg]}
	}
	a.off += off
	s, ok := a.base.Aux.(*ir.Slot)
	a.escaped = ok && m.escaped[s]
	return a
}

func (a access) reading() access { a.read = true; return a }

func (a access) filling() access { a.write, a.full = true, true; return a }

func (a access) both() access { a.read, a.write = true, true; return a }

// accesses returns what v reads and writes through its operands.
func (m *memory) accesses(v *ir.Value) []access {
	width := int64(v.Width)
	switch v.Op {
	case ir.OpLoad:
		return []access{m.at(v, 0, v.Imm, width).reading()}
	case ir.OpStore:
		return []access{m.at(v, 0, v.Imm, width).filling()}
	case ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
		return []access{m.at(v, 0, v.Imm, width).both()}
	case ir.OpZero:
		return []access{m.at(v, 0, v.Imm, v.Size).filling()}
	case ir.OpCopy:
		return []access{m.at(v, 1, v.Imm2, v.Size).reading(), m.at(v, 0, v.Imm, v.Size).filling()}
	case ir.OpMapLookup, ir.OpMapDelete:
		return []access{m.at(v, 0, 0, extent(v.Aux.(*ir.Map).KeySize)).reading()}
	case ir.OpMapUpdate:
		mp := v.Aux.(*ir.Map)
		return []access{m.at(v, 0, 0, extent(mp.KeySize)).reading(), m.at(v, 1, 0, extent(mp.ValueSize)).reading()}
	case ir.OpCall:
		return m.callAccesses(v)
	}
	return nil
}

// extent is the size of a key or value; 0 stands for an unknown size.
func extent(n int) int64 {
	if n <= 0 {
		return -1
	}
	return int64(n)
}

// callAccesses: a helper reads what its pointers lead to and fills the one
// that Helper.Writes names. One with visible effects, or that runs code of the
// program, may do both with all of them.
func (m *memory) callAccesses(v *ir.Value) []access {
	h, _ := v.Aux.(*ir.Helper)
	wild := h == nil || h.Effect.Changes() || runsCode(v)
	var list []access
	for i, p := range v.Args {
		if p.Type != ir.Ptr {
			continue
		}
		switch a := m.at(v, i, 0, -1); {
		case wild:
			list = append(list, a.both())
		case i == h.Writes:
			a.write = true
			if h.SizeArg >= 0 && isConst(v.Args[h.SizeArg]) && v.Args[h.SizeArg].Imm >= 0 {
				a.size = v.Args[h.SizeArg].Imm
				a.full = h.Fills
			}
			list = append(list, a)
		default:
			list = append(list, a.reading())
		}
	}
	return list
}

// runsCode reports whether v runs other functions of the program.
func runsCode(v *ir.Value) bool {
	for _, a := range v.Args {
		if a.Op == ir.OpFuncAddr {
			return true
		}
	}
	return false
}

// fills returns the slot that v writes, if it has no other effect but a result
// that may be unused.
func (m *memory) fills(v *ir.Value) *ir.Slot {
	switch v.Op {
	case ir.OpStore, ir.OpZero, ir.OpCopy, ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
	case ir.OpCall:
		if v.Effect().Changes() || runsCode(v) {
			return nil
		}
	default:
		return nil
	}
	for _, a := range m.accesses(v) {
		if a.write {
			return a.slot()
		}
	}
	return nil
}

// writes reports whether v writes bytes of slot.
func (m *memory) writes(v *ir.Value, slot *ir.Slot) bool {
	return slices.ContainsFunc(m.accesses(v), func(a access) bool { return a.write && a.slot() == slot })
}

// mayAlias reports whether a and b can share bytes.
func (m *memory) mayAlias(a, b access) bool {
	if m.isContext(a.base) || m.isContext(b.base) {
		return false
	}
	if a.base == b.base || a.slot() != nil && a.slot() == b.slot() {
		return !a.known() || !b.known() || a.off < b.off+b.size && b.off < a.off+a.size
	}
	if a.slot() != nil || b.slot() != nil {
		return false
	}
	ma, mb := mapOf(a.base), mapOf(b.base)
	return ma == nil || mb == nil || ma == mb
}

// mapOf returns the map whose value base points to, or nil.
func mapOf(base *ir.Value) *ir.Map {
	if base.Op != ir.OpMapLookup && base.Op != ir.OpMapValue {
		return nil
	}
	return base.Aux.(*ir.Map)
}

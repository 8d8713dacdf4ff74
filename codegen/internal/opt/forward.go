package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// forward uses what is known about memory: loads become the value that was
// stored or loaded before, reads of a copy become reads of the original while
// it is unchanged, and writes of what is there already go.
func forward(f *ir.Func) bool {
	t := newTracker(f)
	t.visit = func(st *state, v *ir.Value) (*ir.Value, bool) {
		switch v.Op {
		case ir.OpLoad:
			if x := t.known(st, v); x != nil {
				return x, false
			}
		case ir.OpStore, ir.OpZero:
			return nil, t.redundant(st, v)
		case ir.OpCopy:
			t.storeInstead(st, v)
		}
		t.readOriginal(st, v)
		return nil, false
	}
	return t.run()
}

// known returns the value that a load gives, if it is at hand.
func (t *tracker) known(st *state, v *ir.Value) *ir.Value {
	a := t.mem.accesses(v)[0]
	if !a.known() {
		return nil
	}
	slot := a.slot()
	if slot == nil {
		return t.knownOutside(st, v, a)
	}
	s, ok := st.slots[slot].at(a.off, a.size)
	if !ok {
		return nil
	}
	switch s.sym.kind {
	case symNumber:
		if v.Type == ir.I64 {
			return t.number(v, s.sym)
		}
	case symValue:
		return t.extract(v, s.sym.v, s.sym.off)
	}
	return nil
}

func (t *tracker) knownOutside(st *state, v *ir.Value, a access) *ir.Value {
	for i := len(st.loads) - 1; i >= 0; i-- {
		if l := st.loads[i]; l.at == plain(a) {
			return t.extract(v, l.val, 0)
		}
	}
	return nil
}

// number makes the bytes of a stored number that the load v reads.
func (t *tracker) number(v *ir.Value, s sym) *ir.Value {
	c := t.f.NewValue(ir.OpConst, ir.I64)
	if s.off < 8 {
		c.Imm = int64(uint64(s.imm) >> (8 * s.off) & mask(8*v.Width))
	}
	return t.insert(c, v)
}

// extract makes the bytes from off on of x that the load v reads.
func (t *tracker) extract(v, x *ir.Value, off int64) *ir.Value {
	if x.Type != v.Type || x.Type == ir.Ptr && (off != 0 || v.Width != 8) {
		return nil
	}
	if x.Op == ir.OpLoad && off == 0 && x.Width == v.Width {
		return x
	}
	if off > 0 {
		n := t.f.NewValue(ir.OpConst, ir.I64)
		n.Imm = 8 * off
		x = t.insert(t.f.NewValue(ir.OpLShr, ir.I64, x, t.insert(n, v)), v)
	}
	if v.Width < 8 {
		x = t.insert(t.f.NewValue(ir.OpZExt, ir.I64, x), v)
		x.Width = 8 * v.Width
	}
	return x
}

// redundant reports whether a store or zeroing writes what is there.
func (t *tracker) redundant(st *state, v *ir.Value) bool {
	a := t.mem.accesses(v)[0]
	slot := a.slot()
	if slot == nil || !a.known() {
		return false
	}
	s, ok := st.slots[slot].at(a.off, a.size)
	return ok && s.sym == written(v)
}

// storeInstead turns the copy of a known value into a store.
func (t *tracker) storeInstead(st *state, v *ir.Value) {
	accesses := t.mem.accesses(v)
	src, dst := accesses[0], accesses[1]
	slot := src.slot()
	if slot == nil || dst.slot() == nil || !src.known() || !dst.exact {
		return
	}
	switch v.Size {
	case 1, 2, 4, 8:
	default:
		return
	}
	s, ok := st.slots[slot].at(src.off, src.size)
	if !ok || s.sym.off != 0 || dst.off%v.Size != 0 || dst.slot().Align < v.Size {
		return
	}
	x := s.sym.v
	switch {
	case s.sym.kind == symNumber:
		x = t.f.NewValue(ir.OpConst, ir.I64)
		x.Imm = s.sym.imm
		t.insert(x, v)
	case s.sym.kind != symValue, x.Type == ir.Ptr && v.Size != 8:
		return
	}
	v.Op, v.Args, v.Width = ir.OpStore, []*ir.Value{v.Args[0], x}, uint8(v.Size)
	v.Imm2, v.Size = 0, 0
	t.changed = true
}

// readOriginal lets v read from where its memory was copied from.
func (t *tracker) readOriginal(st *state, v *ir.Value) {
	for _, a := range t.mem.accesses(v) {
		slot := a.slot()
		if slot == nil || !a.read || a.write || !a.known() {
			continue
		}
		s, ok := st.slots[slot].at(a.off, a.size)
		if !ok || s.from.slot == nil || s.from.slot == slot || t.mem.writes(v, s.from.slot) || s.from.off%8 != a.off%8 || s.from.slot.Align < slot.Align {
			continue
		}
		if o, ok := st.slots[s.from.slot].at(s.from.off, a.size); ok && o.sym == s.sym {
			t.redirect(v, a, s.from)
		}
	}
}

// redirect lets operand a.arg of v point to p.
func (t *tracker) redirect(v *ir.Value, a access, p place) {
	ptr := t.f.NewValue(ir.OpSlotAddr, ir.Ptr)
	ptr.Aux = p.slot
	ptr = t.insert(ptr, v)
	switch {
	case v.Op == ir.OpLoad:
		v.Imm = p.off
	case v.Op == ir.OpCopy:
		v.Imm2 = p.off
	case p.off != 0:
		n := t.f.NewValue(ir.OpConst, ir.I64)
		n.Imm = p.off
		ptr = t.insert(t.f.NewValue(ir.OpAdd, ir.Ptr, ptr, t.insert(n, v)), v)
	}
	v.Args[a.arg] = ptr
	t.changed = true
}

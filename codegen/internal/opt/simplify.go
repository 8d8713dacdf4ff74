package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// maxRewrites bounds how often one value is rewritten in a row; every rule
// makes it simpler, so that the bound is not reached in practice.
const maxRewrites = 16

// simplify folds constants, applies algebraic rules, replaces multiplications
// and divisions by powers of two, and resolves branches on constants, in one
// sweep in which operands come before their uses.
func simplify(f *ir.Func) bool {
	s := &simplifier{f: f, subst: ir.NewSubst(f), guarded: guardedValues(f), tested: testedValues(f)}
	s.bits = make([]uint8, f.NumValues())
	for i := range s.bits {
		s.bits[i] = 64
	}
	for _, b := range ir.RPO(f) {
		s.block(b)
	}
	if s.changed {
		s.subst.Apply(f)
	}
	if s.edges {
		f.RebuildPreds()
		f.RemoveUnreachable()
	}
	return s.changed || s.edges
}

type simplifier struct {
	f       *ir.Func
	subst   *ir.Subst
	bits    []uint8 // by ID: the value is below 1<<bits
	guarded []bool  // by ID: see guardedValues
	tested  []bool  // by ID: see testedValues
	blk     *ir.Block
	out     []*ir.Value // of blk so far
	origin  *ir.Value   // the value that is being simplified
	changed bool
	edges   bool // edges were removed
}

func (s *simplifier) block(b *ir.Block) {
	s.blk, s.out = b, make([]*ir.Value, 0, len(b.Values))
	for _, v := range b.Values {
		s.subst.ApplyList(v.Args)
		s.value(v)
	}
	b.Values = s.out
	s.subst.ApplyTerm(b)
	s.term(b)
}

func (s *simplifier) value(v *ir.Value) {
	s.origin = v
	for range maxRewrites {
		r := s.rewrite(v)
		if r == nil {
			break
		}
		s.changed = true
		if r != v {
			s.subst.Set(v, s.subst.Get(r))
			return
		}
	}
	if !s.isNop(v) {
		s.emit(v)
	}
}

// isNop drops the memory operations that do nothing.
func (s *simplifier) isNop(v *ir.Value) bool {
	if (v.Op != ir.OpZero && v.Op != ir.OpCopy) || v.Size != 0 {
		return false
	}
	s.changed = true
	return true
}

func (s *simplifier) emit(v *ir.Value) *ir.Value {
	v.Block = s.blk
	s.out = append(s.out, v)
	for len(s.bits) <= v.ID {
		s.bits = append(s.bits, 64)
	}
	s.bits[v.ID] = s.width(v)
	return v
}

// konst makes a number in front of the value being simplified.
func (s *simplifier) konst(n int64) *ir.Value {
	v := s.f.NewValue(ir.OpConst, ir.I64)
	v.Imm, v.Span = n, s.origin.Span
	return s.emit(v)
}

// become turns v into another operation in place.
func become(v *ir.Value, op ir.Op, args ...*ir.Value) *ir.Value {
	v.Op, v.Args, v.Imm, v.Width = op, args, 0, 0
	return v
}

func (s *simplifier) isGuarded(v *ir.Value) bool {
	return v.ID < len(s.guarded) && s.guarded[v.ID]
}

// opaque reports whether v must go on being computed from x itself: a test of x
// tells the verifier the bounds of v, which ends up in an address.
func (s *simplifier) opaque(v, x *ir.Value) bool {
	return s.isGuarded(v) && x.ID < len(s.tested) && s.tested[x.ID]
}

// rewrite applies one rule: nil if none applies, v if it was changed in place,
// or the value that it equals.
func (s *simplifier) rewrite(v *ir.Value) *ir.Value {
	switch info := v.Op.Info(); {
	case info.Effect == ir.Pure && v.Type == ir.I64 && info.Args == 2:
		return s.binary(v)
	case (v.Op == ir.OpAdd || v.Op == ir.OpSub) && v.Type == ir.Ptr:
		return s.pointerAdd(v)
	case info.Effect == ir.Pure && info.Args == 1:
		return s.unary(v)
	case v.Op == ir.OpStore:
		return s.store(v)
	}
	return s.address(v)
}

// store drops what only changes bits that are not stored.
func (s *simplifier) store(v *ir.Value) *ir.Value {
	x := v.Args[1]
	low := 8 * v.Width
	switch {
	case (x.Op == ir.OpZExt || x.Op == ir.OpSExt) && x.Width >= low,
		x.Op == ir.OpAnd && isConst(x.Args[1]) && uint64(x.Args[1].Imm)&mask(low) == mask(low):
		v.Args[1] = x.Args[0]
		return v
	}
	return s.address(v)
}

// maxOffset bounds the byte offsets that are moved into memory operations to
// what an instruction can hold.
const maxOffset = 1<<15 - 1

// address moves constant offsets from pointers into the memory operation.
func (s *simplifier) address(v *ir.Value) *ir.Value {
	var offsets []*int64
	switch v.Op {
	case ir.OpLoad, ir.OpStore, ir.OpAtomicAdd, ir.OpAtomicFetchAdd, ir.OpZero:
		offsets = []*int64{&v.Imm}
	case ir.OpCopy:
		offsets = []*int64{&v.Imm, &v.Imm2}
	}
	for i, off := range offsets {
		p := v.Args[i]
		if p.Op != ir.OpAdd || !isConst(p.Args[1]) {
			continue
		}
		sum := *off + p.Args[1].Imm
		if abs(p.Args[1].Imm) <= maxOffset && abs(sum)+v.Size+int64(v.Width) <= maxOffset {
			v.Args[i], *off = p.Args[0], sum
			return v
		}
	}
	return nil
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func isConst(v *ir.Value) bool { return v.Op == ir.OpConst }

// mask returns the number with the given count of low bits set.
func mask(bits uint8) uint64 {
	if bits >= 64 {
		return ^uint64(0)
	}
	return 1<<bits - 1
}

// term resolves branches whose way is known and removes negations.
func (s *simplifier) term(b *ir.Block) {
	t := &b.Term
	for t.Kind == ir.Branch {
		c := t.Cond
		switch {
		case isConst(c) && c.Imm != 0, sameEdges(t.Succs):
			s.jump(b, t.Succs[0])
		case isConst(c):
			s.jump(b, t.Succs[1])
		case c.Op == ir.OpNe && isZero(c.Args[1]):
			t.Cond, s.changed = c.Args[0], true
		case c.Op == ir.OpEq && isZero(c.Args[1]):
			t.Cond, s.changed = c.Args[0], true
			t.Succs[0], t.Succs[1] = t.Succs[1], t.Succs[0]
			b.Likely = -b.Likely
		default:
			return
		}
	}
}

func (s *simplifier) jump(b *ir.Block, e ir.Edge) {
	b.Term = ir.Term{Kind: ir.Jump, Succs: []ir.Edge{e}, Span: b.Term.Span}
	b.Likely = 0
	s.edges = true
}

func sameEdges(succs []ir.Edge) bool {
	if succs[0].To != succs[1].To {
		return false
	}
	for i, a := range succs[0].Args {
		if a != succs[1].Args[i] {
			return false
		}
	}
	return true
}

func isZero(v *ir.Value) bool { return isConst(v) && v.Imm == 0 }

package ir

import "github.com/gotrace/gotrace/lang/source"

// Builder appends values to a function and turns variables into SSA form on
// the fly, after Braun, Buchwald, Hack, Leißa, Mallon and Zwinkau, "Simple and
// Efficient Construction of Static Single Assignment Form" (CC 2013).
//
// A block is sealed once all its predecessors are known; reading a variable in
// an unsealed block makes a parameter that is completed by Seal.
type Builder struct {
	Func *Func
	Span source.Span // given to each new value

	cur        *Block
	defs       map[*Block]map[Var]*Value
	types      []Type
	sealed     map[*Block]bool
	incomplete map[*Block][]pending
}

// Var is a variable of a Builder.
type Var int

type pending struct {
	v     Var
	param *Value
}

// NewBuilder returns a builder that stands in the (sealed) entry block of f.
func NewBuilder(f *Func) *Builder {
	b := &Builder{
		Func:       f,
		cur:        f.Blocks[0],
		defs:       map[*Block]map[Var]*Value{},
		sealed:     map[*Block]bool{},
		incomplete: map[*Block][]pending{},
	}
	b.sealed[b.cur] = true
	return b
}

// NewBlock makes a block that is not sealed.
func (b *Builder) NewBlock() *Block { return b.Func.NewBlock() }

// Block returns the block that values are appended to; nil after a terminator,
// where code is unreachable until SetBlock.
func (b *Builder) Block() *Block { return b.cur }

// SetBlock continues in blk.
func (b *Builder) SetBlock(blk *Block) { b.cur = blk }

// Value appends an operation. In unreachable code the value is made but
// belongs to no block.
func (b *Builder) Value(op Op, args ...*Value) *Value {
	t := op.Info().Result
	if (op == OpAdd || op == OpSub) && len(args) > 0 {
		t = args[0].Type
	}
	return b.add(b.Func.NewValue(op, t, args...))
}

func (b *Builder) add(v *Value) *Value {
	v.Span = b.Span
	if b.cur != nil {
		b.cur.Append(v)
	}
	return v
}

// Const appends the number n.
func (b *Builder) Const(n int64) *Value {
	v := b.Func.NewValue(OpConst, I64)
	v.Imm = n
	return b.add(v)
}

// Load appends a zero-extended load of width bytes at p+off. The result is a
// pointer if t is Ptr (a BTF or ring buffer pointer that the verifier tracks).
func (b *Builder) Load(t Type, p *Value, off int64, width int) *Value {
	v := b.Func.NewValue(OpLoad, t, p)
	v.Imm, v.Width = off, uint8(width)
	return b.add(v)
}

// Store appends a store of the low width bytes of x at p+off.
func (b *Builder) Store(p *Value, off int64, x *Value, width int) {
	v := b.Func.NewValue(OpStore, Void, p, x)
	v.Imm, v.Width = off, uint8(width)
	b.add(v)
}

// Extend appends SExt or ZExt of the low bits of x.
func (b *Builder) Extend(op Op, x *Value, bits int) *Value {
	v := b.Func.NewValue(op, I64, x)
	v.Width = uint8(bits)
	return b.add(v)
}

// Zero clears size bytes at p+off.
func (b *Builder) Zero(p *Value, off, size int64) {
	v := b.Func.NewValue(OpZero, Void, p)
	v.Imm, v.Size = off, size
	b.add(v)
}

// Copy copies size bytes from src+srcOff to dst+dstOff.
func (b *Builder) Copy(dst *Value, dstOff int64, src *Value, srcOff, size int64) {
	v := b.Func.NewValue(OpCopy, Void, dst, src)
	v.Imm, v.Imm2, v.Size = dstOff, srcOff, size
	b.add(v)
}

// Atomic appends OpAtomicAdd or OpAtomicFetchAdd of x to width bytes at p+off.
func (b *Builder) Atomic(op Op, p *Value, off int64, x *Value, width int) *Value {
	v := b.Func.NewValue(op, op.Info().Result, p, x)
	v.Imm, v.Width = off, uint8(width)
	return b.add(v)
}

// Slot appends the address of s.
func (b *Builder) Slot(s *Slot) *Value {
	v := b.Func.NewValue(OpSlotAddr, Ptr)
	v.Aux = s
	return b.add(v)
}

// Map appends an operation on m: OpMapPtr, OpMapValue, OpMapLookup,
// OpMapUpdate or OpMapDelete, with imm as its flags or offset.
func (b *Builder) Map(op Op, m *Map, imm int64, args ...*Value) *Value {
	v := b.Func.NewValue(op, op.Info().Result, args...)
	v.Aux, v.Imm = m, imm
	return b.add(v)
}

// Call appends a helper call.
func (b *Builder) Call(h *Helper, args ...*Value) *Value {
	v := b.Func.NewValue(OpCall, h.Result, args...)
	v.Aux = h
	return b.add(v)
}

// FuncAddr appends the address of a callback.
func (b *Builder) FuncAddr(f *Func) *Value {
	v := b.Func.NewValue(OpFuncAddr, Ptr)
	v.Aux = f
	return b.add(v)
}

// Jump ends the block.
func (b *Builder) Jump(to *Block) { b.terminate(Term{Kind: Jump, Succs: []Edge{{To: to}}}) }

// Branch ends the block: to yes if cond is not zero, else to no.
func (b *Builder) Branch(cond *Value, yes, no *Block) {
	b.terminate(Term{Kind: Branch, Cond: cond, Succs: []Edge{{To: yes}, {To: no}}})
}

// Return ends the block and the function.
func (b *Builder) Return(x *Value) { b.terminate(Term{Kind: Return, Cond: x}) }

func (b *Builder) terminate(t Term) {
	if b.cur == nil {
		return
	}
	t.Span = b.Span
	b.cur.SetTerm(t)
	b.cur = nil
}

// NewVar makes a variable of type t. It must be written before it is read on
// every path.
func (b *Builder) NewVar(t Type) Var {
	b.types = append(b.types, t)
	return Var(len(b.types) - 1)
}

// WriteVar gives v the value x from here on.
func (b *Builder) WriteVar(v Var, x *Value) {
	if b.cur != nil {
		b.define(b.cur, v, x)
	}
}

func (b *Builder) define(blk *Block, v Var, x *Value) {
	m := b.defs[blk]
	if m == nil {
		m = map[Var]*Value{}
		b.defs[blk] = m
	}
	m[v] = x
}

// ReadVar returns the value that v has here.
func (b *Builder) ReadVar(v Var) *Value {
	if b.cur == nil {
		return b.Const(0)
	}
	return b.read(b.cur, v)
}

func (b *Builder) read(blk *Block, v Var) *Value {
	if x, ok := b.defs[blk][v]; ok {
		return x
	}
	var x *Value
	switch {
	case !b.sealed[blk]:
		x = blk.AddParam(b.types[v])
		b.incomplete[blk] = append(b.incomplete[blk], pending{v, x})
	case len(blk.Preds) == 1:
		x = b.readAbove(blk, v)
	case len(blk.Preds) == 0:
		// Only unreachable blocks get here: the entry defines what it reads.
		x = b.undefined(blk, v)
	default:
		x = blk.AddParam(b.types[v])
		b.define(blk, v, x)
		b.complete(blk, v)
	}
	b.define(blk, v, x)
	return x
}

// readAbove reads v in the block above blk and other blocks with a single
// predecessor where it is known.
func (b *Builder) readAbove(blk *Block, v Var) *Value {
	top := blk
	for range b.Func.NumBlocks() {
		top = top.Preds[0]
		if _, ok := b.defs[top][v]; !ok && b.sealed[top] && len(top.Preds) == 1 {
			continue
		}
		x := b.read(top, v)
		for at := blk; at != top; at = at.Preds[0] {
			b.define(at, v, x)
		}
		return x
	}
	// A cycle of such blocks, which can not be reached.
	return b.undefined(blk, v)
}

// undefined puts something for v at the start of blk, which is unreachable.
func (b *Builder) undefined(blk *Block, v Var) *Value {
	x := b.Func.NewValue(OpConst, b.types[v])
	x.Block = blk
	blk.Values = append([]*Value{x}, blk.Values...)
	return x
}

// complete appends the argument for v to every edge into blk, in the order in
// which the parameters were added.
func (b *Builder) complete(blk *Block, v Var) {
	seen := map[*Block]bool{}
	for _, p := range blk.Preds {
		if seen[p] {
			continue
		}
		seen[p] = true
		x := b.read(p, v)
		for i := range p.Term.Succs {
			if p.Term.Succs[i].To == blk {
				p.Term.Succs[i].Args = append(p.Term.Succs[i].Args, x)
			}
		}
	}
}

// Seal tells that all predecessors of blk are known.
func (b *Builder) Seal(blk *Block) {
	if b.sealed[blk] {
		return
	}
	b.sealed[blk] = true
	for _, p := range b.incomplete[blk] {
		b.complete(blk, p.v)
	}
	delete(b.incomplete, blk)
}

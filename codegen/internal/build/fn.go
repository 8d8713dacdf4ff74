package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// fn is a function under construction.
type fn struct {
	*program
	f      *ir.Func
	b      *ir.Builder
	scope  *scope
	parent *fn // of a callback: the function with the loop
	vars   map[*typed.Var]*variable
	loop   *loop

	// env is the memory that callbacks reach this function's shared variables
	// through; nil if there are none. Its first word is the context of the
	// program, or the environment of the parent.
	env *ir.Slot
	// frame holds the shared variables that are large; the second word of env
	// points to it.
	frame *ir.Slot
	// envArg is the parent's environment: a parameter of callbacks.
	envArg *ir.Value
	// area is the memory of searches; nil if there are none.
	area *ir.Slot
	// ctxArg is the context: the parameter of the main function.
	ctxArg *ir.Value
}

// loop is where break and continue lead within one function. Without blocks
// they end the callback.
type loop struct {
	next, done *ir.Block
	callback   bool
}

// variable is where a variable lives: in SSA form, or at off in slot of the
// function that owns it.
type variable struct {
	owner *fn
	inSSA bool
	ssa   ir.Var
	slot  *ir.Slot
	off   int64
	// inEnv tells that slot is the environment itself.
	inEnv bool
}

const (
	envParent  = 0  // offset of the context or the parent's environment
	envFrame   = 8  // offset of the pointer to the frame
	envHeader  = 16 // bytes before the first variable
	maxEnvSize = 64 // what is larger goes to the frame
)

func newFn(g *program, f *ir.Func, s *scope, parent *fn) *fn {
	x := &fn{program: g, f: f, b: ir.NewBuilder(f), scope: s, parent: parent, vars: map[*typed.Var]*variable{}}
	if parent == nil {
		x.ctxArg = f.Blocks[0].Params[0]
	}
	n := 0
	for _, v := range s.vars {
		place := x.place(v, &n)
		x.vars[v] = place
		if place.inSSA {
			x.b.WriteVar(place.ssa, x.zeroOf(v))
		}
	}
	return x
}

// place decides where v lives; n counts the variables in SSA form.
func (f *fn) place(v *typed.Var, n *int) *variable {
	scalar := types.IsScalar(v.Type)
	p := &variable{owner: f}
	switch {
	case f.plan.shared[v]:
		f.share(p, v)
	case scalar && !v.Addressed && (*n < maxSSAVars || f.plan.tracked[v]):
		*n++
		p.inSSA, p.ssa = true, f.b.NewVar(f.varType(v))
	default:
		p.slot = f.f.NewSlot(v.Name, int64(max(1, v.Type.Size())), int64(v.Type.Align()))
	}
	return p
}

// share places v in the environment, or in the frame if it is large. Pointers
// that the verifier tracks must stay on the stack.
func (f *fn) share(p *variable, v *typed.Var) {
	size := int64(max(1, v.Type.Size())+7) &^ 7
	f.needEnv()
	if f.plan.tracked[v] || f.env.Size+size <= maxEnvSize {
		p.slot, p.off, p.inEnv = f.env, f.env.Size, true
		f.env.Size += size
		return
	}
	if f.frame == nil {
		f.frame = f.f.NewSlot("frame", 0, 8)
	}
	p.slot, p.off = f.frame, f.frame.Size
	f.frame.Size += size
}

func (f *fn) needEnv() {
	if f.env == nil {
		f.env = f.f.NewSlot("env", envHeader, 8)
		f.env.OnStack = true
	}
}

// openEnv fills the header of the environment before a callback gets it, and
// returns its address.
func (f *fn) openEnv() *ir.Value {
	f.needEnv()
	p := f.b.Slot(f.env)
	up := f.envArg
	if f.parent == nil {
		up = f.ctxArg
	}
	f.b.Store(p, envParent, up, 8)
	if f.frame != nil {
		f.b.Store(p, envFrame, f.b.Slot(f.frame), 8)
	}
	return p
}

// envOf returns the address of the environment of an enclosing function.
func (f *fn) envOf(owner *fn) *ir.Value {
	env := f.envArg
	for at := f.parent; at != owner; at = at.parent {
		env = f.b.Load(ir.Ptr, env, envParent, 8)
	}
	return env
}

// ctx returns the context of the program.
func (f *fn) ctx() *ir.Value {
	if f.parent == nil {
		return f.ctxArg
	}
	return f.b.Load(ir.Ptr, f.envOf(f.main), envParent, 8)
}

// variable returns where v lives.
func (f *fn) variable(v *typed.Var) *variable {
	for at := f; at != nil; at = at.parent {
		if p := at.vars[v]; p != nil {
			return p
		}
	}
	panic("variable " + v.Name + " belongs to no function")
}

// varMem returns the memory of a variable that is not in SSA form.
func (f *fn) varMem(p *variable) mem {
	switch {
	case p.owner == f:
		return mem{kind: direct, base: f.b.Slot(p.slot), off: p.off}
	case p.inEnv:
		return mem{kind: direct, base: f.envOf(p.owner), off: p.off}
	}
	frame := f.b.Load(ir.Ptr, f.envOf(p.owner), envFrame, 8)
	return mem{kind: direct, base: frame, off: p.off}
}

// tracked reports whether a value of type t may be a pointer that the verifier
// follows.
func tracked(t types.Type) bool {
	p, ok := t.(types.Pointer)
	return ok && (p.BTF || p.Space == types.Local)
}

func (f *fn) num(n int64) *ir.Value { return f.b.Const(n) }

func (f *fn) null() *ir.Value {
	c := f.num(0)
	c.Type = ir.Ptr
	return c
}

// zeroOf returns the zero value of a scalar variable.
func (f *fn) zeroOf(v *typed.Var) *ir.Value {
	if f.plan.tracked[v] {
		return f.null()
	}
	return f.num(0)
}

// temp returns the address of new memory of size bytes.
func (f *fn) temp(name string, size int) mem {
	return mem{kind: direct, base: f.b.Slot(f.f.NewSlot(name, int64(max(1, size)), 8))}
}

// dead continues in a block that nothing reaches, for code behind a
// terminator.
func (f *fn) dead() {
	blk := f.b.NewBlock()
	f.b.Seal(blk)
	f.b.SetBlock(blk)
}

// open makes a block whose only predecessor is known, and continues there.
func (f *fn) open(blk *ir.Block) {
	f.b.Seal(blk)
	f.b.SetBlock(blk)
}

// when runs then if cond is not zero, else els, which may be nil. likely is as
// in ir.Block.
func (f *fn) when(cond *ir.Value, likely int8, then, els func()) {
	yes, no, join := f.b.NewBlock(), f.b.NewBlock(), f.b.NewBlock()
	at := f.b.Block()
	f.b.Branch(cond, yes, no)
	at.Likely = likely
	f.open(yes)
	then()
	f.b.Jump(join)
	f.open(no)
	if els != nil {
		els()
	}
	f.b.Jump(join)
	f.open(join)
}

// choose is when with a value.
func (f *fn) choose(cond *ir.Value, likely int8, t ir.Type, then, els func() *ir.Value) *ir.Value {
	v := f.b.NewVar(t)
	f.when(cond, likely,
		func() { f.b.WriteVar(v, f.as(then(), t)) },
		func() { f.b.WriteVar(v, f.as(els(), t)) })
	return f.b.ReadVar(v)
}

// turns runs body limit times, or until it branches to done; i counts from 0.
// The verifier walks every turn.
func (f *fn) turns(limit int64, body func(i *ir.Value, next, done *ir.Block)) {
	f.strides(f.num(limit), 1, body)
}

// strides is turns with i counting up by stride while it is below limit, of which
// the verifier must know a bound. It knows i in each turn; that of Linux 6.1, for
// one, foretells a comparison only where such a number stands on the right.
func (f *fn) strides(limit *ir.Value, stride int64, body func(i *ir.Value, next, done *ir.Block)) {
	head, next, done := f.b.NewBlock(), f.b.NewBlock(), f.b.NewBlock()
	iv := f.b.NewVar(ir.I64)
	f.b.WriteVar(iv, f.num(0))
	f.b.Jump(head)
	f.b.SetBlock(head)
	i := f.b.ReadVar(iv)
	f.exit(f.b.Value(ir.OpULe, limit, i), -1, done)
	body(i, next, done)
	f.b.Jump(next)
	f.open(next)
	f.b.WriteVar(iv, f.add(i, stride))
	f.b.Jump(head)
	f.b.Seal(head)
	f.open(done)
}

// exit leaves the current block for to if cond is not zero.
func (f *fn) exit(cond *ir.Value, likely int8, to *ir.Block) {
	on := f.b.NewBlock()
	at := f.b.Block()
	f.b.Branch(cond, to, on)
	at.Likely = likely
	f.open(on)
}

func (f *fn) add(x *ir.Value, n int64) *ir.Value {
	if n == 0 {
		return x
	}
	return f.b.Value(ir.OpAdd, x, f.num(n))
}

package build

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

func (f *fn) block(b *typed.Block) {
	if b == nil {
		return
	}
	for _, s := range b.Stmts {
		f.stmt(s)
	}
}

// at gives what is generated next the place sp.
func (f *fn) at(sp source.Span) {
	if sp.IsValid() {
		f.b.Span = sp
	}
}

func (f *fn) stmt(s typed.Stmt) {
	switch s := s.(type) {
	case *typed.Block:
		f.block(s)
	case *typed.Assign:
		f.at(s.Span)
		f.assign(s.Var, s.X)
	case *typed.MapSet:
		f.at(s.Span)
		f.mapSet(s)
	case *typed.AggUpdate:
		f.at(s.Span)
		f.aggUpdate(s)
	case *typed.Eval:
		f.at(s.Span)
		f.discard(s.X)
	case *typed.Emit:
		f.at(s.Span)
		f.emit(s)
	default:
		f.control(s)
	}
}

func (f *fn) control(s typed.Stmt) {
	switch s := s.(type) {
	case *typed.If:
		f.at(s.Span)
		f.when(f.value(s.Cond), 0, func() { f.block(s.Then) }, func() { f.block(s.Else) })
	case *typed.ForRange:
		f.at(s.Span)
		f.forRange(s)
	case *typed.ForMap:
		f.at(s.Span)
		f.forMap(s)
	case *typed.While:
		f.at(s.Span)
		f.while(s)
	case *typed.Unroll:
		for range s.Count {
			f.block(s.Body)
		}
	case *typed.Break:
		f.leave(s.Span, true)
	case *typed.Continue:
		f.leave(s.Span, false)
	case *typed.Return:
		f.at(s.Span)
		f.returnFrom(s)
	}
}

// assign gives a variable the value of x.
func (f *fn) assign(v *typed.Var, x typed.Expr) {
	if types.IsScalar(v.Type) {
		if f.plan.tracked[v] {
			f.writeVariable(v, f.value(x))
		} else {
			f.writeVariable(v, f.number(x))
		}
		return
	}
	f.store(f.varMem(f.variable(v)), x)
}

// discard evaluates x for its effects.
func (f *fn) discard(x typed.Expr) {
	switch e := x.(type) {
	case nil:
	case *typed.IncDec:
		f.incDec(e, false)
	case *typed.BlockExpr:
		f.block(e.Block)
		f.discard(e.Result)
	default:
		if types.IsScalar(x.Type()) {
			f.value(x)
		} else if _, ok := x.(*typed.Call); ok {
			f.discardCall(x)
		} else {
			f.memory(x)
		}
	}
}

func (f *fn) discardCall(x typed.Expr) {
	if x.Type().Size() == 0 {
		f.value(x)
		return
	}
	f.memory(x)
}

// leave jumps out of the innermost loop or to its next turn. In the body of a
// callback the result tells the kernel whether to go on.
func (f *fn) leave(sp source.Span, stop bool) {
	f.at(sp)
	switch {
	case f.loop == nil || f.loop.callback:
		f.b.Return(f.num(b2i(stop)))
	case stop:
		f.b.Jump(f.loop.done)
	default:
		f.b.Jump(f.loop.next)
	}
	f.dead()
}

// returnFrom ends the probe; a callback leaves the result for its callers.
func (f *fn) returnFrom(s *typed.Return) {
	x := f.num(0)
	if s.X != nil {
		x = f.number(s.X)
	}
	if f.parent == nil {
		f.b.Return(x)
	} else {
		f.writeVariable(f.plan.result, x)
		f.writeVariable(f.plan.returned, f.num(1))
		f.b.Return(f.num(1))
	}
	f.dead()
}

// within runs body as part of an inline loop.
func (f *fn) within(l *loop, body func()) {
	old := f.loop
	f.loop = l
	body()
	f.loop = old
}

func (f *fn) forRange(s *typed.ForRange) {
	turns, known := constTurns(s)
	inner := f.plan.loops[s]
	switch {
	case inner != nil && !f.opt.Features.BPFLoop:
		f.needs(s.Span, "this loop", "5.17")
	case inner != nil:
		f.rangeCallback(s, inner)
	case known && turns > 0:
		lo := int64(s.Lo.(*typed.Const).Value)
		f.turns(turns, func(i *ir.Value, next, done *ir.Block) {
			f.assignNumber(s.Var, f.add(i, lo))
			f.within(&loop{next: next, done: done}, func() { f.block(s.Body) })
		})
	}
}

func (f *fn) assignNumber(v *typed.Var, x *ir.Value) {
	f.writeVariable(v, f.resize(x, types.Int{Bits: 64, Signed: true}, v.Type))
}

// maxLoop is how many turns bpf_loop makes at most (BPF_MAX_LOOPS).
const maxLoop = 1 << 23

// tooManyTurns is what bpf_loop returns for more turns: -E2BIG. A range is run
// as far as the kernel allows, and the script is warned. A while may end in its
// last turn just in time, so that one is spent on looking whether it does.
const tooManyTurns = -7

func (f *fn) rangeCallback(s *typed.ForRange, inner *scope) {
	lo, hi := f.number(s.Lo), f.number(s.Hi)
	n := f.choose(f.b.Value(ir.OpSLt, lo, hi), 0, ir.I64,
		func() *ir.Value { return f.b.Value(ir.OpSub, hi, lo) }, func() *ir.Value { return f.num(0) })
	n = f.choose(f.b.Value(ir.OpULt, f.num(maxLoop), n), -1, ir.I64,
		func() *ir.Value {
			f.warn(types.ActHelper, "loop", s.Span, f.num(tooManyTurns))
			return f.num(maxLoop)
		}, func() *ir.Value { return n })
	// The first number reaches the callback in the environment.
	start := f.newShared()
	f.b.Store(f.b.Slot(f.env), start, lo, 8)
	f.loopCall(n, f.callback("range", inner, s.Body, func(g *fn, params []*ir.Value) {
		g.blurTurn(s.Body)
		first := g.b.Load(ir.I64, g.envOf(f), start, 8)
		g.assignNumber(s.Var, g.b.Value(ir.OpAdd, first, params[0]))
	}), s.Body)
}

// newShared makes room for a number in the environment and returns its offset.
func (f *fn) newShared() int64 {
	f.needEnv()
	off := f.env.Size
	f.env.Size += 8
	return off
}

// loopCall runs a callback n times. Where the verifier knows that n is 0 it
// drops the callback but not the call of bpf_loop, and then fails (seen on
// Linux 6.18): such a call must not be reached.
func (f *fn) loopCall(n *ir.Value, cb *ir.Func, body *typed.Block) {
	f.when(n, 1, func() {
		f.beforeCallback(body)
		f.call(asm.FnLoop, n, f.b.FuncAddr(cb), f.openEnv(), f.num(0))
		f.afterCallback(body)
	}, nil)
}

// beforeCallback prepares the variables that a callback changes and the flags
// through which it leaves the probe.
func (f *fn) beforeCallback(body *typed.Block) {
	f.blurBefore(body)
	if leaves(body) {
		f.writeVariable(f.plan.returned, f.num(0))
	}
}

func (f *fn) afterCallback(body *typed.Block) {
	if !leaves(body) {
		return
	}
	f.when(f.readVariable(f.plan.returned), -1, func() {
		if f.parent == nil {
			f.b.Return(f.readVariable(f.plan.result))
		} else {
			f.b.Return(f.num(1))
		}
		f.dead()
	}, nil)
}

// maxFrames is how many functions may call one another (MAX_CALL_FRAMES in
// include/linux/bpf.h): the program, and the callbacks of loops within loops.
const maxFrames = 8

// newCallback adds a function that the kernel calls, with depth frames below it.
func (f *fn) newCallback(name string, depth int, params ...ir.Type) *ir.Func {
	if depth == maxFrames {
		f.errs.Errorf(diag.TooLarge, f.b.Span, "loops are nested more than %d deep here, which the kernel does not allow", maxFrames-1)
	}
	sub := ir.NewFunc(fmt.Sprintf("%s%d", name, len(f.out.Subs)), params...)
	sub.Callback, sub.Depth = true, depth
	f.out.Subs = append(f.out.Subs, sub)
	return sub
}

// callback builds the function that runs body once. open gets the parameters
// before the environment, which is the last one.
func (f *fn) callback(name string, s *scope, body *typed.Block, open func(g *fn, params []*ir.Value)) *ir.Func {
	kinds := []ir.Type{ir.I64, ir.Ptr}
	if name == eachElement {
		kinds = []ir.Type{ir.Ptr, ir.Ptr, ir.Ptr, ir.Ptr}
	}
	sub := f.newCallback(name, s.depth, kinds...)
	g := newFn(f.program, sub, s, f)
	params := sub.Blocks[0].Params
	g.envArg = params[len(params)-1]
	g.loop = &loop{callback: true}
	g.b.Span = f.b.Span
	open(g, params[:len(params)-1])
	g.block(body)
	g.b.Return(g.num(0))
	return sub
}

// stop leaves the loop that f is the body of.
func (f *fn) stop() {
	f.b.Return(f.num(1))
	f.dead()
}

func (f *fn) while(s *typed.While) {
	if inner := f.plan.loops[s]; inner != nil {
		turn := &typed.Block{Stmts: []typed.Stmt{&typed.Eval{X: s.Cond}, s.Body}}
		f.loopCall(f.num(maxLoop), f.callback("while", inner, s.Body, func(g *fn, params []*ir.Value) {
			g.blurTurn(turn)
			g.when(g.value(s.Cond), 1, func() {}, func() { g.stop() })
			g.when(g.b.Value(ir.OpEq, params[0], g.num(maxLoop-1)), -1, func() {
				g.warn(types.ActHelper, "loop", s.Span, g.num(tooManyTurns))
				g.stop()
			}, nil)
		}), turn)
		return
	}
	// Without bpf_loop the verifier has to walk the turns.
	head, body, done := f.b.NewBlock(), f.b.NewBlock(), f.b.NewBlock()
	f.b.Jump(head)
	f.b.SetBlock(head)
	f.b.Branch(f.value(s.Cond), body, done)
	f.open(body)
	f.within(&loop{next: head, done: done}, func() { f.block(s.Body) })
	f.b.Jump(head)
	f.b.Seal(head)
	f.open(done)
}

// eachElement is the name of callbacks of bpf_for_each_map_elem: they get the
// map, key, value and environment.
const eachElement = "each"

func (f *fn) forMap(s *typed.ForMap) {
	if !f.opt.Features.ForEachMapElem {
		f.needs(s.Span, "a loop over a map", "5.13")
		return
	}
	m := f.maps[s.Map]
	if m.agg != nil && !f.opt.Features.MapLookupPerCPU {
		f.needs(s.Span, "a loop over an aggregation", "5.18")
		return
	}
	cb := f.callback(eachElement, f.plan.loops[s], s.Body, func(g *fn, params []*ir.Value) {
		g.blurTurn(s.Body)
		g.element(m, s.Var, params[1], params[2])
	})
	f.beforeCallback(s.Body)
	f.call(asm.FnForEachMapElem, f.b.Map(ir.OpMapPtr, m.ir, 0), f.b.FuncAddr(cb), f.openEnv(), f.num(0))
	f.afterCallback(s.Body)
}

// element fills the loop variable, a tuple of key and value.
func (f *fn) element(m *mapInfo, v *typed.Var, key, value *ir.Value) {
	t, ok := v.Type.(*types.Struct)
	if !ok || len(t.Fields()) != 2 {
		panic("the variable of a loop over a map is no pair")
	}
	k, x := t.Fields()[0], t.Fields()[1]
	dst := f.varMem(f.variable(v))
	f.zero(dst, int64(t.Size()))
	f.b.Copy(dst.base, dst.off+int64(k.Offset), key, 0, int64(m.obj.KeySize))
	if m.agg == nil {
		f.b.Copy(dst.base, dst.off+int64(x.Offset), value, 0, int64(x.Type.Size()))
		return
	}
	// The helper passes this processor's part only.
	own := f.temp("key", m.obj.KeySize)
	f.b.Copy(own.base, 0, key, 0, int64(m.obj.KeySize))
	f.storeScalar(dst.at(int64(x.Offset)), f.combine(m, own.base, nil), x.Type)
}

package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
)

// maxBlurred is the size in bytes of the largest variable that blur hides.
const maxBlurred = 32

// The verifier walks a callback until its state is one that was seen before.
// With `$n = 0` before a loop, `$n++` in it and a branch on $n behind it, it
// would see 0, 1, 2 and so on, and give up after 8192 turns. Therefore it is
// made to forget the variables that the body changes:
//   - before the loop, so that they do not start as constants;
//   - at the start of each turn, if the body does more with the variable than
//     add to it: a test such as $n == 100 makes it a constant again.

// blurBefore hides the variables that the body of a loop changes.
func (f *fn) blurBefore(body *typed.Block) {
	for _, v := range changed(body) {
		f.blur(v)
	}
}

// blurTurn hides the variables of outer functions that a turn both tests and
// changes. Those of f itself are not there yet.
func (f *fn) blurTurn(body *typed.Block) {
	used := usedBeyondSums(body)
	for _, v := range changed(body) {
		if used[v] && f.vars[v] == nil {
			f.blur(v)
		}
	}
}

// blur makes the verifier forget the value of a variable of an outer function,
// or of this one if callbacks share it. After an atomic addition it takes the
// memory for unknown: check_atomic_rmw in kernel/bpf/verifier.c stores without a
// register. Nothing is added.
func (f *fn) blur(v *typed.Var) {
	size := int64(v.Type.Size())
	if !f.plan.shared[v] || f.plan.tracked[v] || isString(v.Type) || size > maxBlurred {
		return
	}
	p := f.outer(v)
	if p == nil {
		return
	}
	m := f.varMem(p)
	for off := int64(0); off < size; off += 8 { // shared variables take whole words
		f.b.Atomic(ir.OpAtomicAdd, m.base, m.off+off, f.num(0), 8)
	}
}

// outer returns the place of a variable of f or a function around it, nil for
// those of callbacks in f.
func (f *fn) outer(v *typed.Var) *variable {
	for at := f; at != nil; at = at.parent {
		if p := at.vars[v]; p != nil {
			return p
		}
	}
	return nil
}

// changed lists the variables that b may change, each once, in order.
func changed(b *typed.Block) []*typed.Var {
	var out []*typed.Var
	seen := map[*typed.Var]bool{}
	add := func(x *typed.Var) {
		if x != nil && !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	v := visitor{
		stmt: func(s typed.Stmt) bool {
			if a, ok := s.(*typed.Assign); ok {
				add(a.Var)
			}
			return true
		},
		expr: func(e typed.Expr) bool {
			switch e := e.(type) {
			case *typed.IncDec:
				add(e.Var)
			case *typed.MapFind:
				add(e.Var)
			case *typed.AddrOf:
				add(e.Var)
			}
			return true
		},
	}
	v.block(b)
	return out
}

// usedBeyondSums lists the variables whose value b uses for something else than
// to add to it.
func usedBeyondSums(b *typed.Block) map[*typed.Var]bool {
	used := map[*typed.Var]bool{}
	var v visitor
	v.expr = func(e typed.Expr) bool {
		if x := exprVar(e); x != nil {
			used[x] = true
		}
		return true
	}
	v.stmt = func(s typed.Stmt) bool {
		switch s := s.(type) {
		case *typed.Eval:
			i, ok := s.X.(*typed.IncDec)
			return !ok || i.Var == nil
		case *typed.Assign:
			if x := added(s); x != nil {
				v.exprs(x)
				return false
			}
		}
		return true
	}
	v.block(b)
	return used
}

// added returns x of an assignment `$v = $v + x`, else nil.
func added(s *typed.Assign) typed.Expr {
	x := s.X
	if c, ok := x.(*typed.Convert); ok {
		x = c.X
	}
	sum, ok := x.(*typed.Binary)
	if !ok || sum.Op != typed.Add && sum.Op != typed.Sub {
		return nil
	}
	first := sum.X
	if c, ok := first.(*typed.Convert); ok {
		first = c.X
	}
	if r, ok := first.(*typed.VarRef); !ok || r.Var != s.Var {
		return nil
	}
	return sum.Y
}

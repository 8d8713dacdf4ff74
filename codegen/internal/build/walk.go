package build

import "github.com/gotrace/gotrace/lang/typed"

// visitor is called for every statement and expression of a tree, before its
// parts. If it returns false the parts are left out.
type visitor struct {
	stmt func(typed.Stmt) bool
	expr func(typed.Expr) bool
}

func (v visitor) block(b *typed.Block) {
	if b == nil {
		return
	}
	for _, s := range b.Stmts {
		v.visit(s)
	}
}

func (v visitor) visit(s typed.Stmt) {
	if s == nil || v.stmt != nil && !v.stmt(s) {
		return
	}
	switch s := s.(type) {
	case *typed.Block:
		v.block(s)
	case *typed.Assign:
		v.exprs(s.X)
	case *typed.MapSet:
		v.exprs(s.Key, s.X)
	case *typed.AggUpdate:
		v.exprs(s.Key, s.X)
	case *typed.Return:
		v.exprs(s.X)
	case *typed.Eval:
		v.exprs(s.X)
	case *typed.Emit:
		v.exprs(s.Args...)
	default:
		v.control(s)
	}
}

func (v visitor) control(s typed.Stmt) {
	switch s := s.(type) {
	case *typed.If:
		v.exprs(s.Cond)
		v.block(s.Then)
		v.block(s.Else)
	case *typed.ForRange:
		v.exprs(s.Lo, s.Hi)
		v.block(s.Body)
	case *typed.ForMap:
		v.block(s.Body)
	case *typed.While:
		v.exprs(s.Cond)
		v.block(s.Body)
	case *typed.Unroll:
		v.block(s.Body)
	}
}

func (v visitor) exprs(list ...typed.Expr) {
	for _, e := range list {
		if e == nil || v.expr != nil && !v.expr(e) {
			continue
		}
		if b, ok := e.(*typed.BlockExpr); ok {
			v.block(b.Block)
		}
		v.exprs(parts(e)...)
	}
}

// parts returns the operands of e, without those that are missing.
func parts(e typed.Expr) []typed.Expr {
	switch e := e.(type) {
	case *typed.MapGet:
		return []typed.Expr{e.Key}
	case *typed.MapHas:
		return []typed.Expr{e.Key}
	case *typed.MapFind:
		return []typed.Expr{e.Key}
	case *typed.MapDelete:
		return []typed.Expr{e.Key}
	case *typed.IncDec:
		return []typed.Expr{e.Key}
	case *typed.Unary:
		return []typed.Expr{e.X}
	case *typed.Binary:
		return []typed.Expr{e.X, e.Y}
	case *typed.Logical:
		return []typed.Expr{e.X, e.Y}
	case *typed.NotBool:
		return []typed.Expr{e.X}
	case *typed.Cond:
		return []typed.Expr{e.Cond, e.Then, e.Else}
	case *typed.Convert:
		return []typed.Expr{e.X}
	case *typed.Deref:
		return []typed.Expr{e.X}
	case *typed.Field:
		return []typed.Expr{e.X}
	case *typed.Index:
		return []typed.Expr{e.X, e.I}
	case *typed.AddrOfPlace:
		return []typed.Expr{e.X}
	case *typed.Tuple:
		return e.Elems
	case *typed.BlockExpr:
		return []typed.Expr{e.Result}
	case *typed.Call:
		return e.Args
	}
	return nil
}

// stmtVar returns the variable that a statement itself names, nil if it names
// none.
func stmtVar(s typed.Stmt) *typed.Var {
	switch s := s.(type) {
	case *typed.Assign:
		return s.Var
	case *typed.ForRange:
		return s.Var
	case *typed.ForMap:
		return s.Var
	}
	return nil
}

// exprVar returns the variable that an expression itself names, nil if it names
// none.
func exprVar(e typed.Expr) *typed.Var {
	switch e := e.(type) {
	case *typed.VarRef:
		return e.Var
	case *typed.MapFind:
		return e.Var
	case *typed.IncDec:
		return e.Var
	case *typed.AddrOf:
		return e.Var
	}
	return nil
}

// effects reports whether evaluating e can change what other expressions see,
// or leave the probe.
func effects(e typed.Expr) bool {
	found := false
	visitor{expr: func(e typed.Expr) bool {
		switch x := e.(type) {
		case *typed.IncDec, *typed.MapFind, *typed.MapDelete, *typed.BlockExpr:
			found = true
		case *typed.Call:
			switch x.Fn {
			case typed.FnSignal, typed.FnOverride, typed.FnWriteUser, typed.FnDebugf:
				found = true
			}
		}
		return !found
	}}.exprs(e)
	return found
}

// hugeSize stands for any larger size, so that loops in loops do not overflow.
const hugeSize = 1 << 30

// size estimates the instructions that s takes.
func size(b *typed.Block) int {
	n := 0
	var v visitor
	v.expr = func(e typed.Expr) bool { n += exprSize(e); return true }
	v.stmt = func(s typed.Stmt) bool {
		n += 3
		switch s := s.(type) {
		case *typed.Unroll:
			n += s.Count * size(s.Body)
			n = min(n, hugeSize)
			return false
		case *typed.ForRange:
			turns := 40
			if t, ok := constTurns(s); ok {
				turns = int(min(t, 1000))
			}
			v.exprs(s.Lo, s.Hi)
			n += turns * size(s.Body)
			n = min(n, hugeSize)
			return false
		case *typed.MapSet, *typed.AggUpdate, *typed.Emit:
			n += 25
		}
		return true
	}
	v.block(b)
	return n
}

// choices counts where the code of b parts: the verifier may walk what follows
// once for each way.
func choices(b *typed.Block) int {
	n := 0
	var v visitor
	v.expr = func(e typed.Expr) bool {
		switch e.(type) {
		case *typed.Cond, *typed.Logical:
			n++
		}
		return true
	}
	v.stmt = func(s typed.Stmt) bool {
		if _, ok := s.(*typed.If); ok {
			n++
		}
		return true
	}
	v.block(b)
	return n
}

func exprSize(e typed.Expr) int {
	switch e := e.(type) {
	case *typed.Const, *typed.VarRef:
		return 1
	case *typed.MapGet, *typed.MapHas, *typed.MapFind, *typed.MapDelete, *typed.IncDec:
		return 20
	case *typed.Call:
		switch e.Fn {
		case typed.FnStrstr, typed.FnStrcontains, typed.FnKstack, typed.FnUstack, typed.FnMemcmp:
			return 4000
		case typed.FnStrlen, typed.FnStrConcat, typed.FnStrncmp:
			return 400
		}
		return 10
	}
	return 4
}

// constTurns returns how often s runs, if that is known.
func constTurns(s *typed.ForRange) (int64, bool) {
	lo, ok1 := s.Lo.(*typed.Const)
	hi, ok2 := s.Hi.(*typed.Const)
	if !ok1 || !ok2 {
		return 0, false
	}
	if int64(lo.Value) >= int64(hi.Value) {
		return 0, true
	}
	if n := hi.Value - lo.Value; n < 1<<40 {
		return int64(n), true
	}
	return 1 << 40, true
}

// leaves reports whether b has a return.
func leaves(b *typed.Block) bool {
	found := false
	visitor{stmt: func(s typed.Stmt) bool {
		if _, ok := s.(*typed.Return); ok {
			found = true
		}
		return !found
	}}.block(b)
	return found
}

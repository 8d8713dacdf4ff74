package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// block checks the statements of b in a scope of their own. The result is the
// value of the block, invalid (nil Expr) if it has none.
func (c *checker) block(b *ast.Block) (*typed.Block, operand) {
	c.pushScope()
	defer c.popScope()
	return c.blockInScope(b)
}

func (c *checker) blockInScope(b *ast.Block) (*typed.Block, operand) {
	out := &typed.Block{}
	c.fn.scope.later = laterDecls(b)
	for _, s := range b.Stmts {
		c.stmt(out, s)
	}
	if b.Result == nil {
		return out, operand{}
	}
	if isStatementLike(b.Result) {
		c.exprStmt(out, b.Result, false)
		return out, operand{}
	}
	return out, c.expr(b.Result)
}

// isStatementLike tells the expressions that are statements when they stand
// last in a block whose value is not used.
func isStatementLike(x ast.Expr) bool {
	i, ok := x.(*ast.If)
	return ok && i.Else == nil
}

// laterDecls lists the names that let statements of the block declare.
func laterDecls(b *ast.Block) map[string]source.Span {
	var out map[string]source.Span
	for _, s := range b.Stmts {
		if l, ok := s.(*ast.Let); ok {
			if out == nil {
				out = map[string]source.Span{}
			}
			out[l.Var.Name] = l.Pos()
		}
	}
	return out
}

// body checks a block whose value, if it has one, is discarded.
func (c *checker) body(b *ast.Block) *typed.Block {
	c.pushScope()
	defer c.popScope()
	return c.bodyInScope(b)
}

func (c *checker) bodyInScope(b *ast.Block) *typed.Block {
	out := &typed.Block{}
	c.fn.scope.later = laterDecls(b)
	for i, s := range b.Stmts {
		c.stmt(out, s)
		if i+1 < len(b.Stmts) && leaves(s) {
			c.diags.Warnf(diag.Ignored, b.Stmts[i+1].Pos(), "Unreachable code")
		}
	}
	if b.Result != nil {
		c.exprStmt(out, b.Result, true)
	}
	return out
}

// leaves tells statements that what follows them in the block is not reached.
func leaves(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.Return, *ast.Break, *ast.Continue:
		return true
	case *ast.ExprStmt:
		switch x := s.X.(type) {
		case *ast.Call:
			return x.Fun.Name == "exit"
		case *ast.Ident:
			return x.Name == "exit"
		}
	}
	return false
}

func (c *checker) stmt(out *typed.Block, s ast.Stmt) {
	if !c.spend(costNode, s.Pos()) {
		return
	}
	switch s := s.(type) {
	case *ast.Let:
		c.let(out, s)
	case *ast.Assign:
		c.assign(out, s)
	case *ast.Discard:
		if x := c.expr(s.X); x.Expr != nil {
			add(out, &typed.Eval{X: x.Expr, Span: s.Pos()})
		}
	case *ast.ExprStmt:
		c.exprStmt(out, s.X, true)
	case *ast.For:
		c.forStmt(out, s)
	case *ast.While:
		c.while(out, s)
	case *ast.Unroll:
		c.unroll(out, s)
	case *ast.Break, *ast.Continue:
		c.jump(out, s)
	case *ast.Return:
		c.returnStmt(out, s)
	case *ast.ImportStmt:
		c.importStmt(s)
	}
}

func add(out *typed.Block, s typed.Stmt) { out.Stmts = append(out.Stmts, s) }

// exprStmt checks an expression whose value is not used.
func (c *checker) exprStmt(out *typed.Block, x ast.Expr, warn bool) {
	switch x := x.(type) {
	case *ast.If:
		c.ifStmt(out, x)
		return
	case *ast.Block:
		add(out, c.body(x))
		return
	case *ast.Cond:
		if c.condStmt(out, x) {
			return
		}
	case *ast.Call, *ast.Ident:
		if c.callStmt(out, x) {
			return
		}
	}
	y := c.expr(x)
	if y.Expr == nil {
		return
	}
	if _, void := y.Type().(types.Void); !void && !isUnknown(y.Type()) && warn && !isIncDec(x) {
		c.diags.Warnf(diag.Discarded, x.Pos(), "Return value discarded.")
	}
	c.discardRead(y.Expr)
	add(out, &typed.Eval{X: y.Expr, Span: x.Pos()})
}

func isIncDec(x ast.Expr) bool {
	_, ok := x.(*ast.IncDec)
	return ok
}

func (c *checker) ifStmt(out *typed.Block, s *ast.If) {
	if k, ok := s.Cond.(*ast.Comptime); ok {
		c.comptimeIf(out, k, s)
		return
	}
	cond := c.condition(c.expr(s.Cond), s.Pos(), "if")
	st := &typed.If{Cond: cond, Then: c.body(s.Then), Span: s.Cond.Pos()}
	st.Else = c.elseBranch(s.Else)
	add(out, st)
}

func (c *checker) elseBranch(e ast.Expr) *typed.Block {
	switch e := e.(type) {
	case *ast.Block:
		return c.body(e)
	case *ast.If:
		b := &typed.Block{}
		c.ifStmt(b, e)
		return b
	}
	return nil
}

// comptimeIf keeps only the branch taken; the other one is not checked.
func (c *checker) comptimeIf(out *typed.Block, k *ast.Comptime, s *ast.If) {
	cond := c.condition(c.comptime(k), s.Pos(), "if")
	if v, ok := constOf(cond); ok && v != 0 {
		add(out, c.body(s.Then))
	} else if b := c.elseBranch(s.Else); b != nil {
		add(out, b)
	}
}

// condStmt checks `c ? f() : g();` whose sides have no value.
func (c *checker) condStmt(out *typed.Block, x *ast.Cond) bool {
	if x.Then == nil || !c.isVoid(x.Then) || !c.isVoid(x.Else) {
		return false
	}
	st := &typed.If{Cond: c.condition(c.expr(x.Cond), x.Pos(), "ternary"), Span: x.Cond.Pos()}
	st.Then, st.Else = &typed.Block{}, &typed.Block{}
	c.exprStmt(st.Then, x.Then, true)
	c.exprStmt(st.Else, x.Else, true)
	add(out, st)
	return true
}

func (c *checker) let(out *typed.Block, s *ast.Let) {
	name := s.Var.Name
	if old := c.fn.scope.lookup(name); old != nil {
		c.errRedeclared(s, old)
		return
	}
	delete(c.fn.scope.later, name)
	var x operand
	if s.Value != nil {
		x = c.expr(s.Value)
		if x.Expr == nil {
			c.errNoValue(s.Value.Pos())
			x = c.bad(s.Value.Pos())
		}
	}
	v := c.declare(name, s, s.Var.Pos())
	v.let = true
	if s.Type != nil {
		c.fixType(v, s)
	}
	if s.Value == nil {
		v.v.Type = v.slot.typeOf()
		add(out, &typed.Assign{Var: v.v, X: &typed.Zero{Node: node(v.v.Type, s.Pos())}, Span: s.Pos()})
		return
	}
	v.assigned = true
	c.assignVar(out, v, x, s.Pos())
}

// fixType gives a declared variable its type.
func (c *checker) fixType(v *variable, s *ast.Let) {
	t := c.typeExpr(s.Type)
	if _, agg := t.(types.Agg); agg {
		c.diags.Errorf(diag.TypeMismatch, s.Type.Pos(), "Invalid variable declaration type: %s", t)
		t = unknown{}
	}
	if isUnknown(t) {
		return
	}
	if st, ok := t.(types.String); ok && st.Cap == 0 {
		return // `string` alone: the capacity is inferred
	}
	if v.slot.typ == nil {
		c.infer.changed = true
	}
	v.slot.typ, v.slot.fixed = t, true
	v.v.Type = t
}

func (c *checker) assign(out *typed.Block, s *ast.Assign) {
	switch t := s.Target.(type) {
	case *ast.VarRef:
		c.assignToVar(out, s, t)
	case *ast.MapRef:
		c.assignToMap(out, s, t, nil)
	case *ast.MapIndex:
		c.assignToMap(out, s, t.Map, t)
	case *ast.Ident:
		c.assignToParam(s, t)
	default:
		c.diags.Errorf(diag.Syntax, s.Target.Pos(), "syntax: can not assign to this expression")
	}
}

func (c *checker) assignToVar(out *typed.Block, s *ast.Assign, ref *ast.VarRef) {
	v := c.fn.scope.lookup(ref.Name)
	if m := c.macroVar(ref.Name); m != nil {
		v = m
	}
	if s.Op != "=" {
		if v == nil {
			c.errUndefinedVar(ref)
			return
		}
		x := c.binary(binaryOp(s.Op), c.varRef(ref), c.value(s.Value), s.Pos())
		c.assignVar(out, v, x, s.Pos())
		return
	}
	x := c.expr(s.Value)
	if x.Expr == nil {
		c.errNoValue(s.Value.Pos())
		return
	}
	if at, ok := c.laterDecl(ref.Name); ok && v == nil {
		c.diags.Errorf(diag.UnknownName, s.Pos(), "Variable $%s is declared after it is assigned.", ref.Name).
			Note(at, "this is the declaration")
		return
	}
	if v == nil {
		v = c.declare(ref.Name, s, ref.Pos())
	}
	v.assigned = true
	c.assignVar(out, v, x, s.Pos())
}

func (c *checker) laterDecl(name string) (source.Span, bool) {
	for s := c.fn.scope; s != nil; s = s.parent {
		if at, ok := s.later[name]; ok {
			return at, true
		}
	}
	return source.Span{}, false
}

// assignVar joins x into the type of v and appends the assignment.
func (c *checker) assignVar(out *typed.Block, v *variable, x operand, sp source.Span) {
	x, ok := c.storable(x, sp)
	if !ok {
		return
	}
	x = c.number(x)
	if v.slot.fixed {
		if !c.assignable(v.slot.typ, x, sp) {
			c.errMismatch(sp, "$"+v.v.Name, x.Type(), v.slot)
			return
		}
	} else if !c.infer.join(v.slot, x) {
		c.errMismatch(sp, "$"+v.v.Name, x.Type(), v.slot)
		return
	}
	c.warnSign(v.slot, x, sp)
	v.v.Type = v.slot.typeOf()
	add(out, &typed.Assign{Var: c.touch(v), X: convert(x.Expr, v.v.Type), Span: sp})
}

// storable turns the value of an aggregation into its number and refuses what
// no variable or map can hold.
func (c *checker) storable(x operand, sp source.Span) (operand, bool) {
	switch t := x.Type().(type) {
	case types.Void:
		c.errNoValue(x.Pos())
		return x, false
	case types.Agg:
		if t.Kind >= types.Stats {
			c.diags.Errorf(diag.TypeMismatch, sp, "Value of type %s can not be assigned.", t)
			return x, false
		}
	case *types.Struct:
		if t.Kind == types.ArgsKind {
			return c.argsValue(x.Pos())
		}
	}
	return x, true
}

// assignable reports whether x may be converted to the declared type t.
func (c *checker) assignable(t types.Type, x operand, sp source.Span) bool {
	if isUnknown(x.Type()) {
		return true
	}
	switch t := t.(type) {
	case types.Int:
		xt, ok := intOf(x.Type())
		if !ok {
			return false
		}
		if n, isConst := constOf(x.Expr); isConst && x.lit {
			return fits(n, !x.flex && xt.Signed && int64(n) < 0, t)
		}
		return true
	case types.String:
		if text, isLit := litBytes(x); isLit && x.lit {
			return len(text) < t.Cap
		}
		_, ok := x.Type().(types.String)
		return ok
	case types.Pointer:
		if _, ok := x.Type().(types.Pointer); ok {
			_, ok = joinPointers(t, x.Type().(types.Pointer))
			return ok
		}
		return false
	}
	_, ok := joinTypes(t, false, x.Type(), x.flex)
	return ok
}

func (c *checker) jump(out *typed.Block, s ast.Stmt) {
	word, st := "break", typed.Stmt(&typed.Break{Span: s.Pos()})
	if _, ok := s.(*ast.Continue); ok {
		word, st = "continue", &typed.Continue{Span: s.Pos()}
	}
	n := len(c.fn.loops)
	if n == 0 || c.fn.loops[n-1] == unrollLoop {
		c.diags.Errorf(diag.BadControl, s.Pos(), "'%s' statement not in a loop", word)
		return
	}
	add(out, st)
}

func (c *checker) returnStmt(out *typed.Block, s *ast.Return) {
	st := &typed.Return{Span: s.Pos()}
	if s.Value != nil {
		x := c.expr(s.Value)
		if x.Expr == nil || isUnknown(x.Type()) {
			return
		}
		if _, ok := intOf(x.Type()); !ok {
			c.diags.Errorf(diag.TypeMismatch, s.Pos(), "Not a valid return value: %s", kindName(x.Type())).
				Hint("return takes an integer")
			return
		}
		st.X = widen(x.Expr, true)
	}
	add(out, st)
}

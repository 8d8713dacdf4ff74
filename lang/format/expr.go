package format

import (
	"strconv"

	"github.com/gotrace/gotrace/lang/ast"
)

// expr writes an expression.
func (p *printer) expr(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Unary:
		p.write(x.Op)
		p.operand(x.X)
	case *ast.IncDec:
		if x.Prefix {
			p.write(x.Op)
		}
		p.expr(x.X)
		if !x.Prefix {
			p.write(x.Op)
		}
	case *ast.Binary:
		p.binary(x)
	case *ast.Cond:
		p.cond(x)
	case *ast.Cast:
		p.write("(")
		p.typ(x.Type)
		p.write(")")
		p.operand(x.X)
	case *ast.Field:
		p.operand(x.X)
		p.write("." + x.Name.Name)
	case *ast.TupleField:
		p.operand(x.X)
		p.write("." + strconv.Itoa(x.N))
	case *ast.Index:
		p.operand(x.X)
		p.exprList("[", "]", []ast.Expr{x.I})
	case *ast.If:
		p.ifExpr(x)
	case *ast.Block:
		p.blockExpr(x)
	case *ast.BadExpr:
		p.verbatim(x)
	default:
		p.primary(x)
	}
}

// primary writes an expression that needs no parentheses anywhere.
func (p *printer) primary(x ast.Expr) {
	switch x := x.(type) {
	case *ast.IntLit:
		p.write(x.Text)
	case *ast.StrLit:
		p.write(x.Text)
	case *ast.BoolLit:
		p.write(strconv.FormatBool(x.Value))
	case *ast.VarRef:
		p.write("$" + x.Name)
	case *ast.MapRef:
		p.write(x.Name)
	case *ast.Param:
		p.write("$" + strconv.Itoa(x.N))
	case *ast.ParamCount:
		p.write("$#")
	case *ast.Ident:
		p.write(x.Name)
	case *ast.MapIndex:
		p.write(x.Map.Name)
		p.exprList("[", "]", x.Keys)
	case *ast.Call:
		p.write(x.Fun.Name)
		p.exprList("(", ")", x.Args)
	case *ast.Tuple:
		p.tuple(x)
	case *ast.Record:
		p.record(x)
	default:
		p.typeOperator(x)
	}
}

// typeOperator writes an operator on types, and comptime.
func (p *printer) typeOperator(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Sizeof:
		p.write("sizeof(")
		p.typeOrExpr(x.X)
		p.write(")")
	case *ast.Typeinfo:
		p.write("typeinfo(")
		p.typeOrExpr(x.X)
		p.write(")")
	case *ast.TypeArg:
		p.write("typeof(")
		p.typeOrExpr(x.X)
		p.write(")")
	case *ast.Offsetof:
		p.write("offsetof(")
		p.typeOrExpr(x.X)
		sep := ", "
		for _, name := range x.Path {
			p.write(sep + name.Name)
			sep = "."
		}
		p.write(")")
	case *ast.Comptime:
		p.write("comptime ")
		p.operand(x.X)
	}
}

func (p *printer) parens(x ast.Expr) {
	p.write("(")
	p.expr(x)
	p.write(")")
}

// operand writes an operand, in parentheses unless nothing can tear it apart.
func (p *printer) operand(x ast.Expr) {
	switch x.(type) {
	case *ast.Unary, *ast.IncDec, *ast.Binary, *ast.Cond, *ast.Cast, *ast.If, *ast.Block, *ast.Comptime:
		p.parens(x)
	default:
		p.expr(x)
	}
}

func (p *printer) binary(x *ast.Binary) {
	// A chain of equal operators is a list that leans to the left; it is
	// written in a loop.
	var chain []*ast.Binary
	for {
		chain = append(chain, x)
		left, ok := x.X.(*ast.Binary)
		if !ok || !bare(x.Op, left.Op, true) || left.Op != x.Op {
			break
		}
		x = left
	}
	p.side(x.Op, x.X, true)
	for i := len(chain) - 1; i >= 0; i-- {
		p.write(" " + x.Op + " ")
		p.side(x.Op, chain[i].Y, false)
	}
}

// side writes one operand of the operator op.
func (p *printer) side(op string, x ast.Expr, left bool) {
	if b, ok := x.(*ast.Binary); ok && bare(op, b.Op, left) {
		p.expr(b)
		return
	}
	p.operand(x)
}

// bare reports whether an operand that is itself made by an operator goes
// without parentheses: comparisons below && and ||, and chains of && or ||.
func bare(op, inner string, left bool) bool {
	if op != "&&" && op != "||" {
		return false
	}
	switch inner {
	case "==", "!=", "<", "<=", ">", ">=":
		return true
	}
	return inner == op && left
}

func (p *printer) cond(x *ast.Cond) {
	p.operand(x.Cond)
	if x.Then == nil {
		p.write(" ?: ")
	} else {
		p.write(" ? ")
		p.arm(x.Then)
		p.write(" : ")
	}
	p.arm(x.Else)
}

// arm writes a side of `? :`.
func (p *printer) arm(x ast.Expr) {
	if _, ok := x.(*ast.Cond); ok {
		p.parens(x)
		return
	}
	p.expr(x)
}

func (p *printer) tuple(x *ast.Tuple) {
	shut := ")"
	if len(x.Elems) == 1 {
		shut = ",)"
	}
	p.exprList("(", shut, x.Elems)
}

func (p *printer) record(x *ast.Record) {
	items := make([]func(), len(x.Fields))
	for i, f := range x.Fields {
		items[i] = func() {
			p.write(f.Name.Name + "=")
			p.expr(f.Value)
		}
	}
	p.list("(", ")", items)
}

// blockExpr writes a block as an expression: on one line when it is a result
// and nothing else.
func (p *printer) blockExpr(b *ast.Block) {
	if !p.oneLine(b) {
		p.several(func() { p.block(b) })
		return
	}
	p.write("{ ")
	p.expr(b.Result)
	p.write(" }")
}

func (p *printer) ifExpr(x *ast.If) {
	if !p.arms(x) {
		p.several(func() { p.ifLines(x) })
		return
	}
	p.write("if ")
	p.parens(x.Cond)
	p.write(" ")
	p.blockExpr(x.Then)
	if x.Else != nil {
		p.write(" else ")
		p.expr(x.Else)
	}
}

// arms reports whether every arm fits a line.
func (p *printer) arms(x *ast.If) bool {
	for {
		if !p.oneLine(x.Then) {
			return false
		}
		switch next := x.Else.(type) {
		case *ast.If:
			x = next
		case *ast.Block:
			return p.oneLine(next)
		default:
			return true
		}
	}
}

// oneLine reports whether a block is a result that is no block itself.
func (p *printer) oneLine(b *ast.Block) bool {
	if len(b.Stmts) > 0 || b.Result == nil || p.hasComment(b.Span.End) {
		return false
	}
	switch b.Result.(type) {
	case *ast.If, *ast.Block:
		return false
	}
	return true
}

// several writes what takes more than one line.
func (p *printer) several(lines func()) {
	if p.flat != nil {
		p.flat.broken = true
		return
	}
	lines()
}

func (p *printer) typeOrExpr(x *ast.TypeOrExpr) {
	switch {
	case x.Type != nil:
		p.typ(x.Type)
	case readsAsType(x.Expr):
		p.parens(x.Expr)
	default:
		p.expr(x.Expr)
	}
}

// readsAsType reports whether an expression would be taken for a type.
func readsAsType(x ast.Expr) bool {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return true
		case *ast.Index:
			x = e.X
		default:
			return false
		}
	}
}

func (p *printer) typ(t *ast.TypeExpr) {
	switch {
	case t.Typeof != nil:
		p.write("typeof(")
		p.typeOrExpr(t.Typeof)
		p.write(")")
	case t.Tag != "":
		p.write(t.Tag + " " + t.Name.Name)
	default:
		p.write(t.Name.Name)
	}
	for _, s := range t.Suffixes {
		switch {
		case !s.Array:
			p.write("*")
		case s.Len == nil:
			p.write("[]")
		default:
			p.write("[")
			p.expr(s.Len)
			p.write("]")
		}
	}
}

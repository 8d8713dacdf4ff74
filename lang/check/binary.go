package check

import (
	"strings"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// binaryOp returns the operator of an assignment such as "+=".
func binaryOp(assign string) string { return strings.TrimSuffix(assign, "=") }

// operators are the operators of typed.Binary by their spelling.
func operators(op string) (typed.Op, bool) {
	switch op {
	case "+":
		return typed.Add, true
	case "-":
		return typed.Sub, true
	case "*":
		return typed.Mul, true
	case "/":
		return typed.Div, true
	case "%":
		return typed.Mod, true
	case "&":
		return typed.And, true
	case "|":
		return typed.Or, true
	case "^":
		return typed.Xor, true
	case "<<":
		return typed.Shl, true
	case ">>":
		return typed.Shr, true
	case "==":
		return typed.Eq, true
	case "!=":
		return typed.Ne, true
	case "<":
		return typed.Lt, true
	case "<=":
		return typed.Le, true
	case ">":
		return typed.Gt, true
	case ">=":
		return typed.Ge, true
	}
	return 0, false
}

func isComparison(op typed.Op) bool { return op >= typed.Eq && op <= typed.Ge }

// binary checks x op y for every operator but && and ||.
func (c *checker) binary(name string, x, y operand, sp source.Span) operand {
	op, ok := operators(name)
	if !ok {
		c.diags.Errorf(diag.Syntax, sp, "syntax: unknown operator %q", name)
		return c.bad(sp)
	}
	if x.Expr == nil || y.Expr == nil {
		c.errNoValue(sp)
		return c.bad(sp)
	}
	if isUnknown(x.Type()) || isUnknown(y.Type()) {
		return c.bad(sp)
	}
	_, xp := x.Type().(types.Pointer)
	_, yp := y.Type().(types.Pointer)
	switch {
	case isText(x) || isText(y):
		return c.binaryText(name, op, x, y, sp)
	case xp || yp:
		return c.binaryPointer(name, op, x, y, sp)
	}
	xi, xok := intOf(x.Type())
	yi, yok := intOf(y.Type())
	if xok && yok {
		return c.binaryInt(op, x, xi, y, yi, sp)
	}
	if op == typed.Eq || op == typed.Ne {
		if r, ok := c.equality(op, x, y, sp); ok {
			return r
		}
	}
	return c.errOperands(name, x, y, sp)
}

func isText(x operand) bool {
	_, ok := x.Type().(types.String)
	return ok
}

// binaryInt computes with integers: as 64-bit numbers, signed if an operand is
// signed or the operator is a minus.
func (c *checker) binaryInt(op typed.Op, x operand, xi types.Int, y operand, yi types.Int, sp source.Span) operand {
	signed := signedResult(x, xi, y, yi)
	if a, ok := constOf(x.Expr); ok && x.lit {
		if b, ok := constOf(y.Expr); ok && y.lit {
			return c.foldInt(op, x, a, y, b, sp)
		}
	}
	if isComparison(op) {
		if xi.Bits == 64 && yi.Bits == 64 && xi.Signed != yi.Signed && !x.lit && !y.lit {
			c.diags.Warnf(diag.SignMismatch, sp, "comparison of integers of different signs: '%s' and '%s' can lead to undefined behavior", xi, yi)
		}
		return of(&typed.Binary{Node: node(types.Bool{}, sp), Op: op, X: c.extend(x, xi, signed), Y: c.extend(y, yi, signed)})
	}
	if op == typed.Div || op == typed.Mod {
		c.warnSigned(op, x, y, sp)
	}
	t := wide(signed || op == typed.Sub)
	return of(&typed.Binary{Node: node(t, sp), Op: op, X: c.extend(x, xi, t.Signed), Y: c.extend(y, yi, t.Signed)})
}

// warnSigned warns of a signed operand of a division, which is unsigned when
// run. As in bpftrace, operands of one and the same type pass: they are mostly
// small numbers that never get negative, as in $i % 5.
func (c *checker) warnSigned(op typed.Op, x, y operand, sp source.Span) {
	xi, yi := x.written(), y.written()
	if xi == yi || !(xi.Signed && !x.flex) && !(yi.Signed && !y.flex) {
		return
	}
	c.diags.Warnf(diag.SignMismatch, sp, "signed operands for '%s' can lead to undefined behavior: the operation is unsigned when run", map[typed.Op]string{typed.Div: "/", typed.Mod: "%"}[op]).
		Hint("cast the operands to unsigned")
}

// extend widens by the operand's own sign; the sign of the result is only a
// matter of its type.
func (c *checker) extend(x operand, xi types.Int, signed bool) typed.Expr {
	return convert(x.Expr, wide(signed))
}

// signedResult: a flexible literal takes the sign of the other operand.
func signedResult(x operand, xi types.Int, y operand, yi types.Int) bool {
	switch {
	case x.flex && y.flex:
		return xi.Signed || yi.Signed
	case x.flex:
		return yi.Signed
	case y.flex:
		return xi.Signed
	}
	return xi.Signed || yi.Signed
}

// binaryPointer allows comparison with pointers and numbers, and moving by a
// number of elements.
func (c *checker) binaryPointer(name string, op typed.Op, x, y operand, sp source.Span) operand {
	xt, xp := x.Type().(types.Pointer)
	yt, yp := y.Type().(types.Pointer)
	_, xi := intOf(x.Type())
	_, yi := intOf(y.Type())
	if isComparison(op) && xi && yi {
		return of(&typed.Binary{Node: node(types.Bool{}, sp), Op: op, X: widen(x.Expr, false), Y: widen(y.Expr, false)})
	}
	switch {
	case xp && yp && op == typed.Sub, !xi || !yi:
	case xp && !yp && (op == typed.Add || op == typed.Sub):
		return of(&typed.Binary{Node: node(xt, sp), Op: op, X: x.Expr, Y: c.scale(y, xt, sp)})
	case yp && !xp && op == typed.Add:
		return of(&typed.Binary{Node: node(yt, sp), Op: op, X: y.Expr, Y: c.scale(x, yt, sp)})
	}
	return c.errOperands(name, x, y, sp)
}

// scale turns a number of elements into bytes.
func (c *checker) scale(n operand, p types.Pointer, sp source.Span) typed.Expr {
	size := uint64(step(p))
	w := widen(n.Expr, true)
	if k, ok := constOf(w); ok {
		return &typed.Const{Node: node(int64Type, sp), Value: k * size}
	}
	if size == 1 {
		return w
	}
	return &typed.Binary{Node: node(int64Type, sp), Op: typed.Mul, X: w, Y: &typed.Const{Node: node(int64Type, sp), Value: size}}
}

// binaryText allows comparison of strings, the joining of literals and
// dropping characters from the front of one.
func (c *checker) binaryText(name string, op typed.Op, x, y operand, sp source.Span) operand {
	a, xlit := litStr(x)
	b, ylit := litStr(y)
	xlit, ylit = xlit && x.lit, ylit && y.lit
	switch {
	case isText(x) && isText(y) && (op == typed.Eq || op == typed.Ne):
		if xlit && ylit {
			return boolConst((a == b) == (op == typed.Eq), sp)
		}
		return of(&typed.Binary{Node: node(types.Bool{}, sp), Op: op, X: x.Expr, Y: y.Expr})
	case xlit && ylit && isComparison(op):
		return boolConst(compareText(op, a, b), sp)
	case xlit && ylit && op == typed.Add:
		return strLit(joined(x, y), sp)
	case xlit && op == typed.Add:
		if n, ok := constOf(y.Expr); ok && y.lit {
			all, _ := litBytes(x)
			return strLit(all[min(uint64(len(all)), n):], sp)
		}
	}
	return c.errOperands(name, x, y, sp)
}

// joined is one literal after the other.
func joined(x, y operand) string {
	a, _ := litBytes(x)
	b, _ := litBytes(y)
	return a + b
}

func compareText(op typed.Op, a, b string) bool {
	switch op {
	case typed.Lt:
		return a < b
	case typed.Le:
		return a <= b
	case typed.Gt:
		return a > b
	}
	return a >= b
}

// equality compares values of equal shape: tuples, records, arrays, buffers
// and opaque values.
func (c *checker) equality(op typed.Op, x, y operand, sp source.Span) (operand, bool) {
	t, ok := joinTypes(x.Type(), false, y.Type(), false)
	if !ok {
		_, xa := x.Type().(types.Array)
		_, ya := y.Type().(types.Array)
		if xa && ya {
			c.diags.Errorf(diag.TypeMismatch, sp, "Only arrays of the same size and element type can be compared: '%s' and '%s'", x.Type(), y.Type())
			return c.bad(sp), true
		}
		return operand{}, false
	}
	switch s := t.(type) {
	case *types.Struct:
		if !s.IsTuple() {
			return operand{}, false
		}
	case types.Agg, types.Void:
		return operand{}, false
	}
	r := of(&typed.Binary{Node: node(types.Bool{}, sp), Op: op, X: convert(x.Expr, t), Y: convert(y.Expr, t)})
	if x.lit && y.lit {
		if eq, known := constEqual(x.Expr, y.Expr); known {
			return boolConst(eq == (op == typed.Eq), sp), true
		}
	}
	return r, true
}

// constEqual compares tuples and records of constants.
func constEqual(x, y typed.Expr) (equal, known bool) {
	switch a := x.(type) {
	case *typed.Const:
		b, ok := y.(*typed.Const)
		return ok && a.Value == b.Value, ok
	case *typed.Str:
		b, ok := y.(*typed.Str)
		return ok && a.Text() == b.Text(), ok
	case *typed.Tuple:
		b, ok := y.(*typed.Tuple)
		if !ok || len(a.Elems) != len(b.Elems) {
			return false, false
		}
		for i := range a.Elems {
			eq, known := constEqual(a.Elems[i], b.Elems[i])
			if !known || !eq {
				return eq, known
			}
		}
		return true, true
	}
	return false, false
}

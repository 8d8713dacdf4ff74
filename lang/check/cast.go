package check

import (
	"slices"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// cast is (type)x, language reference 4.5 to 4.9.
func (c *checker) cast(x *ast.Cast) operand {
	t := c.typeExpr(x.Type)
	y := c.expr(x.X)
	if y.Expr == nil {
		c.errNoValue(x.X.Pos())
		return c.bad(x.Pos())
	}
	if isUnknown(t) || isUnknown(y.Type()) {
		return c.bad(x.Pos())
	}
	if _, ok := y.Type().(types.Agg); ok && (isInt(t) || types.Equal(t, types.Bool{})) {
		y = c.number(y)
	}
	if a, ok := t.(types.Array); ok {
		return c.castArray(x, y, a)
	}
	if r, ok := c.castTo(x, y, t); ok {
		return r
	}
	c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Cannot cast from \"%s\" to \"%s\"", y.Type(), t)
	return c.bad(x.Pos())
}

func (c *checker) castTo(x *ast.Cast, y operand, t types.Type) (operand, bool) {
	switch to := t.(type) {
	case types.Bool:
		switch y.Type().(type) {
		case types.Bool, types.Int, *types.Enum, types.Pointer:
			return c.castConst(y, t, x), true
		case types.String:
			if s, ok := litStr(y); ok {
				return boolConst(s != "", x.Pos()), true
			}
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
		}
	case types.Int:
		return c.castInt(x, y, to)
	case *types.Enum:
		return c.castEnum(x, y, to)
	case types.Pointer:
		return c.castPointer(x, y, to)
	case types.String:
		return c.castString(x, y, to)
	case types.Buffer, types.Opaque:
		return c.castOpaque(x, y, t)
	case types.Stack, *types.Struct:
		if types.Equal(t, y.Type()) {
			return y, true
		}
	}
	return operand{}, false
}

// castConst converts a scalar; constants stay literals of the type cast to.
func (c *checker) castConst(y operand, t types.Type, x *ast.Cast) operand {
	if types.Equal(y.Type(), t) && !y.lit {
		c.diags.Warnf(diag.Ignored, x.Pos(), "This cast is unnecessary: the value already has type \"%s\"", t)
	}
	r := of(convert(y.Expr, t))
	if k, ok := r.Expr.(*typed.Const); ok {
		k2 := *k
		k2.Span = x.Pos()
		r.Expr, r.lit, r.cast = &k2, y.lit, y.lit
	}
	return r
}

func (c *checker) castInt(x *ast.Cast, y operand, t types.Int) (operand, bool) {
	switch from := y.Type().(type) {
	case types.Bool, types.Int, *types.Enum, types.Pointer:
		return c.castConst(y, t, x), true
	case types.Array:
		if from.Size() == t.Size() && isInt(from.Elem) {
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
		}
	case types.Opaque:
		if from.Kind == types.KSym || from.Kind == types.USym || from.Kind == types.Username || from.Kind == types.Timestamp {
			if t.Bits == 64 {
				return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
			}
		}
	}
	return operand{}, false
}

func (c *checker) castEnum(x *ast.Cast, y operand, t *types.Enum) (operand, bool) {
	if _, ok := intOf(y.Type()); !ok {
		return operand{}, false
	}
	if n, ok := constOf(y.Expr); ok && y.lit {
		known := slices.ContainsFunc(t.Values, func(v types.EnumValue) bool { return uint64(v.Value) == n })
		if !known {
			c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Enum: %s doesn't contain a variant value of %d", t.Name, int64(n))
			return c.bad(x.Pos()), true
		}
	}
	return c.castConst(y, t, x), true
}

func (c *checker) castPointer(x *ast.Cast, y operand, t types.Pointer) (operand, bool) {
	switch from := y.Type().(type) {
	case types.Pointer:
		t.Space = from.Space
		return of(convert(y.Expr, t)), true
	case types.Int, *types.Enum:
		t.Space = c.plainSpace(y.Expr)
		e := y.Expr
		if n, ok := constOf(e); ok && y.lit {
			// A negative literal is extended by zeros from its own width.
			it, _ := intOf(from)
			e = &typed.Const{Node: node(uint64Type, x.Pos()), Value: truncate(n, types.Int{Bits: it.Bits})}
		}
		return of(convert(e, t)), true
	case types.Array:
		if from.Size() == 8 {
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
		}
	case types.Opaque:
		if from.Kind == types.KSym || from.Kind == types.USym {
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
		}
	}
	return operand{}, false
}

// plainSpace is the address space of a pointer made of a number: that of the
// probe, or of the pointer that the number was read through.
func (c *checker) plainSpace(x typed.Expr) types.Space {
	if p, ok := reachedBy(x); ok && p.Space != types.Local {
		return p.Space
	}
	return c.fn.targets[0].Space
}

func (c *checker) castString(x *ast.Cast, y operand, t types.String) (operand, bool) {
	from, ok := y.Type().(types.String)
	if !ok {
		if a, isArr := y.Type().(types.Array); isArr && isByte(a.Elem) && (t.Cap == 0 || t.Cap == a.Len) {
			t.Cap = a.Len
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr}), true
		}
		return operand{}, false
	}
	if t.Cap == 0 {
		return y, true
	}
	if t.Cap < from.Cap {
		return operand{}, false
	}
	t.Trunc = from.Trunc
	r := of(convert(y.Expr, t))
	r.lit = y.lit
	return r, true
}

func isByte(t types.Type) bool {
	i, ok := t.(types.Int)
	return ok && i.Bits == 8
}

func (c *checker) castOpaque(x *ast.Cast, y operand, t types.Type) (operand, bool) {
	if types.Equal(y.Type(), t) {
		return y, true
	}
	o, ok := t.(types.Opaque)
	if !ok {
		return operand{}, false
	}
	if _, isNum := intOf(y.Type()); !isNum {
		return operand{}, false
	}
	fn := map[types.OpaqueKind]typed.Fn{types.Username: typed.FnUsername, types.KSym: typed.FnKsym, types.USym: typed.FnUsym}
	f, ok := fn[o.Kind]
	if !ok {
		return operand{}, false
	}
	return of(&typed.Call{Node: node(t, x.Pos()), Fn: f, Args: []typed.Expr{widen(y.Expr, false)}}), true
}

// castArray reinterprets integers, strings and arrays of integers as an array
// of integers of the same size.
func (c *checker) castArray(x *ast.Cast, y operand, t types.Array) operand {
	if isByteLike(t.Elem) && castableToArray(y.Type()) {
		size := y.Type().Size()
		if it, isNum := intOf(y.Type()); isNum && y.lit && t.Size() > size && t.Size() <= 8 {
			y = of(convert(y.Expr, types.Int{Bits: 8 * t.Size(), Signed: it.Signed}))
			size = t.Size()
		}
		if t.Len == 0 && size%t.Elem.Size() == 0 {
			t.Len = size / t.Elem.Size()
		}
		if t.Size() == size {
			return of(&typed.Convert{Node: node(t, x.Pos()), X: y.Expr})
		}
		c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Cannot cast from \"%s\" to \"%s\": sizes differ", y.Type(), t)
		return c.bad(x.Pos())
	}
	if types.Equal(t, y.Type()) {
		return y
	}
	c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Cannot cast from \"%s\" to \"%s\"", y.Type(), t)
	return c.bad(x.Pos())
}

func isByteLike(t types.Type) bool {
	switch t.(type) {
	case types.Int, types.Bool:
		return true
	}
	return false
}

func castableToArray(t types.Type) bool {
	switch t := t.(type) {
	case types.Int, types.Bool, *types.Enum, types.Pointer, types.String:
		return true
	case types.Array:
		return isByteLike(t.Elem)
	}
	return false
}

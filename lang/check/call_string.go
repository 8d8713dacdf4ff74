package check

import (
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// truncMark is the max_strlen from which on cut strings get no trailer.
const truncMark = 1024

// stringBuiltins are about strings and buffers.
func stringBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"str":          {min: 1, max: 2, check: (*checker).str},
		"buf":          {min: 1, max: 2, check: (*checker).buf},
		"strlen":       {min: 1, max: 1, check: (*checker).strlen},
		"strncmp":      {min: 3, max: 3, check: (*checker).strncmp},
		"strcontains":  {min: 2, max: 2, check: twoStrings(types.Bool{}, typed.FnStrcontains)},
		"strstr":       {min: 2, max: 2, check: twoStrings(types.Int{Bits: 32, Signed: true}, typed.FnStrstr)},
		"str_concat":   {min: 2, max: 2, check: (*checker).strConcat},
		"memcmp":       {min: 3, max: 3, check: (*checker).memcmp},
		"strerror":     {min: 1, max: 1, check: nameOf(typed.FnStrerror)},
		"signal_name":  {min: 1, max: 1, check: nameOf(typed.FnSignalName)},
		"syscall_name": {min: 1, max: 1, check: nameOf(typed.FnSyscallName)},
		"path":         {min: 1, max: 2, check: (*checker).path, probes: tracingProbes()},
	}
}

// capacity is that of strings of unknown length: the zero byte needs one.
func (c *checker) capacity() int { return max(1, c.cfg.MaxStrlen) }

// tooLong reports whether a literal does not fit into max_strlen bytes with its
// zero byte. 0 is no limit for literals.
func (c *checker) tooLong(text string) bool {
	return c.cfg.MaxStrlen > 0 && len(text) >= c.cfg.MaxStrlen
}

// clip shortens a text for a message.
func clip(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// str reads a string: from a pointer, an address, a string or a parameter.
func (c *checker) str(s *site) operand {
	if p, ok := c.paramText(s.args[0]); ok && len(s.args) == 1 {
		if c.tooLong(p) {
			c.diags.Errorf(diag.BadString, s.args[0].Pos(), "the parameter is too long (over %d bytes): %s", c.cfg.MaxStrlen, clip(p))
			return c.bad(s.sp)
		}
		return strLit(p, s.sp)
	}
	x := c.strArg(s)
	size, limit, ok := c.strSize(s)
	if !ok || isUnknown(x.Type()) {
		return c.bad(s.sp)
	}
	switch t := x.Type().(type) {
	case types.String:
		return c.strOfString(s, x, t, limit)
	case types.Pointer, types.Int, *types.Enum:
		if _, isConst := constOf(x.Expr); isConst && x.lit && !x.cast && isInt(t) {
			return strLit(constText(x), s.sp)
		}
		return c.strRead(s, x, size, limit)
	case types.Array:
		if isByte(t.Elem) {
			return of(convert(&typed.Convert{Node: node(types.String{Cap: t.Len}, s.sp), X: x.Expr}, types.String{Cap: max(t.Len, 1)}))
		}
	}
	c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "str() expects a pointer, integer, string or positional parameter (%s provided)", kindName(x.Type()))
	return c.bad(s.sp)
}

// strArg is what str reads. A parameter that is not given is text without
// characters here, nothing to warn of.
func (c *checker) strArg(s *site) operand {
	if p, ok := s.args[0].(*ast.Param); ok {
		return c.paramValue(p)
	}
	return c.arg(s, 0)
}

// strSize returns the size argument: as an expression (nil: none) and, if it
// is a literal, as a number (-1: none or not literal).
func (c *checker) strSize(s *site) (typed.Expr, int, bool) {
	if len(s.args) < 2 {
		return nil, -1, true
	}
	x := c.intArg(s, 1, false)
	if isUnknown(x.Type()) {
		return nil, 0, false
	}
	n, lit := constOf(x.Expr)
	if !lit || !x.lit {
		return convert(x.Expr, uint64Type), -1, true
	}
	if int64(n) < 0 {
		c.diags.Errorf(diag.BadArgument, s.sp, "%s() length must not be negative (%d provided)", s.name, int64(n))
		return nil, 0, false
	}
	if n > uint64(c.cfg.MaxStrlen) {
		c.diags.Warnf(diag.Ignored, s.sp, "%s() length param (%d) is too long and will be shortened to %d bytes (see max_strlen)", s.name, n, c.cfg.MaxStrlen)
		n = uint64(c.cfg.MaxStrlen)
	}
	return constUint(n, s.sp), int(n), true
}

// strOfString is str() of what is a string already: its characters, at most
// limit of them.
func (c *checker) strOfString(s *site, x operand, t types.String, limit int) operand {
	if text, ok := litBytes(x); ok && x.lit {
		if limit >= 0 {
			text = text[:min(limit, len(text))]
		}
		return strLit(text, s.sp)
	}
	if limit < 0 || limit >= t.Cap {
		return x
	}
	return of(convert(x.Expr, types.String{Cap: max(1, limit)}))
}

func (c *checker) strRead(s *site, x operand, size typed.Expr, limit int) operand {
	t := types.String{Cap: c.capacity()}
	switch {
	case limit >= 0:
		t.Cap = max(1, limit)
	case c.cfg.MaxStrlen < truncMark && size == nil:
		t.Cap, t.Trunc = c.cfg.MaxStrlen+1, true
	}
	if size == nil {
		size = constUint(uint64(t.Cap), s.sp)
	}
	return s.make(t, typed.FnStr, c.address(x), size)
}

// address makes a pointer of an address: numbers get the space of the probe.
func (c *checker) address(x operand) typed.Expr {
	if p, ok := x.Type().(types.Pointer); ok {
		if p.Space == types.NoSpace {
			p.Space = c.target().Space
			return convert(x.Expr, p)
		}
		return x.Expr
	}
	it, _ := intOf(x.Type())
	t := types.Pointer{Elem: types.Int{Bits: 8}, Space: c.plainSpace(x.Expr)}
	return convert(widen(x.Expr, it.Signed), t)
}

func (c *checker) buf(s *site) operand {
	x := c.arg(s, 0)
	size, limit, ok := c.strSize(s)
	if !ok || isUnknown(x.Type()) {
		return c.bad(s.sp)
	}
	limitAll := max(0, c.cfg.MaxStrlen-4)
	switch t := x.Type().(type) {
	case types.Array:
		if size == nil {
			limit = min(t.Size(), limitAll)
			size = constUint(uint64(limit), s.sp)
		}
	case types.String:
		if size == nil {
			c.diags.Errorf(diag.BadArgument, s.sp, "buf() expects a length argument for non-array type %s", x.Type())
			return c.bad(s.sp)
		}
	case types.Pointer, types.Int:
		if size == nil {
			c.diags.Errorf(diag.BadArgument, s.sp, "buf() expects a length argument for non-array type %s", x.Type())
			return c.bad(s.sp)
		}
		x.Expr = c.address(x)
	default:
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "buf() expects an integer, array or pointer (%s provided)", kindName(x.Type()))
		return c.bad(s.sp)
	}
	if limit < 0 || limit > limitAll {
		limit = limitAll
	}
	return s.make(types.Buffer{Cap: limit + 4}, typed.FnBuf, x.Expr, size)
}

// text checks argument i as a string: strings, and char pointers, which are
// read.
func (c *checker) text(s *site, i int) operand {
	x := c.arg(s, i)
	switch t := x.Type().(type) {
	case unknown, types.String:
		return x
	case types.Pointer:
		if isByte(t.Elem) {
			return s.make(types.String{Cap: c.capacity()}, typed.FnStr, c.address(x), constUint(uint64(c.capacity()), s.sp))
		}
	}
	c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() expects a string (%s provided)", s.name, kindName(x.Type()))
	return c.bad(s.sp)
}

func (c *checker) strlen(s *site) operand {
	x := c.text(s, 0)
	if isUnknown(x.Type()) {
		return x
	}
	if text, ok := litStr(x); ok && x.lit {
		return operand{Expr: constUint(uint64(len(text)), s.sp)}
	}
	return s.make(uint64Type, typed.FnStrlen, x.Expr)
}

func twoStrings(t types.Type, fn typed.Fn) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		a, b := c.text(s, 0), c.text(s, 1)
		if isUnknown(a.Type()) || isUnknown(b.Type()) {
			return c.bad(s.sp)
		}
		return s.make(t, fn, a.Expr, b.Expr)
	}
}

func (c *checker) strncmp(s *site) operand {
	a, b := c.text(s, 0), c.text(s, 1)
	n, ok := c.constArg(s, 2)
	if !ok || isUnknown(a.Type()) || isUnknown(b.Type()) {
		return c.bad(s.sp)
	}
	if n < 0 {
		c.diags.Errorf(diag.BadArgument, s.sp, "strncmp() length must not be negative")
		return c.bad(s.sp)
	}
	return of(&typed.Call{Node: node(uint64Type, s.sp), Fn: typed.FnStrncmp, Args: []typed.Expr{a.Expr, b.Expr}, Imm: n})
}

func (c *checker) strConcat(s *site) operand {
	a, b := c.text(s, 0), c.text(s, 1)
	if isUnknown(a.Type()) || isUnknown(b.Type()) {
		return c.bad(s.sp)
	}
	return s.make(types.String{Cap: c.capacity()}, typed.FnStrConcat, a.Expr, b.Expr)
}

func (c *checker) memcmp(s *site) operand {
	a, b := c.arg(s, 0), c.arg(s, 1)
	n, ok := c.constArg(s, 2)
	if !ok || isUnknown(a.Type()) || isUnknown(b.Type()) {
		return c.bad(s.sp)
	}
	if n < 0 || int(n) > min(memSize(a), memSize(b)) {
		c.diags.Errorf(diag.BadArgument, s.sp, "memcmp() size is larger than its arguments")
		return c.bad(s.sp)
	}
	return of(&typed.Call{Node: node(types.Int{Bits: 32, Signed: true}, s.sp), Fn: typed.FnMemcmp, Args: []typed.Expr{a.Expr, b.Expr}, Imm: n})
}

// memSize is how many bytes an argument of memcmp has; pointers have any.
func memSize(x operand) int {
	if _, ok := x.Type().(types.Pointer); ok {
		return maxTypeSize
	}
	return x.Type().Size()
}

// nameLen is the capacity of the names that numbers stand for.
const nameLen = 64

func nameOf(fn typed.Fn) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		x := c.intArg(s, 0, false)
		if isUnknown(x.Type()) {
			return x
		}
		return s.make(types.String{Cap: nameLen}, fn, convert(x.Expr, int64Type))
	}
}

func (c *checker) path(s *site) operand {
	x := c.arg(s, 0)
	_, limit, ok := c.strSize(s)
	if !ok || isUnknown(x.Type()) {
		return c.bad(s.sp)
	}
	if st, isStruct := x.Type().(*types.Struct); isStruct && st.Name == "path" {
		if d, isPlace := x.Expr.(*typed.Field); isPlace {
			x = of(&typed.AddrOfPlace{Node: node(types.Pointer{Elem: st, Space: types.Kernel, BTF: true}, s.sp), X: d})
		}
	}
	if _, isPtr := x.Type().(types.Pointer); !isPtr {
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "path() only supports pointers to or values of struct path (%s provided)", kindName(x.Type()))
		return c.bad(s.sp)
	}
	t := types.String{Cap: c.capacity()}
	if limit >= 0 {
		t.Cap = max(1, limit)
	}
	return s.make(t, typed.FnPath, x.Expr)
}

// paramText returns the text of a positional parameter, or of `$1 + n`.
func (c *checker) paramText(x ast.Expr) (string, bool) {
	switch x := x.(type) {
	case *ast.Param:
		return c.given(x).text, true
	case *ast.Binary:
		p, ok := x.X.(*ast.Param)
		if !ok || x.Op != "+" {
			return "", false
		}
		text, _ := c.paramText(p)
		n, ok := constOf(c.expr(x.Y).Expr)
		if !ok {
			return "", false
		}
		return text[min(n, uint64(len(text))):], true
	}
	return "", false
}

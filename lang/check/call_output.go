package check

import (
	"errors"
	"fmt"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// maxFormatArgs bounds the arguments of printf.
const maxFormatArgs = 127

// outputBuiltins print and control: section 13.3.
func outputBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"printf": {min: 1, max: -1, void: true, check: formatted(types.ActPrintf)},
		"errorf": {min: 1, max: -1, void: true, async: true, check: formatted(types.ActErrorf)},
		"warnf":  {min: 1, max: -1, void: true, async: true, check: formatted(types.ActWarnf)},
		"cat":    {min: 1, max: -1, void: true, async: true, check: formatted(types.ActCat)},
		"system": {min: 1, max: -1, void: true, async: true, unsafe: true, check: formatted(types.ActSystem)},
		"debugf": {min: 1, max: -1, void: true, check: (*checker).debugf},
		"print":  {min: 1, max: 3, void: true, async: true, check: (*checker).print},
		"time":   {max: 1, void: true, async: true, check: (*checker).time},
		"join":   {min: 1, max: 2, void: true, async: true, check: (*checker).join},
		"exit":   {max: 1, void: true, async: true, check: (*checker).exit},
		"assert": {min: 2, max: 2, void: true, async: true, check: (*checker).assert},
	}
}

// formatLit is the format argument, a literal of any length, which may have zero
// bytes.
func (c *checker) formatLit(s *site) (string, bool) {
	if lit, ok := s.args[0].(*ast.StrLit); ok {
		return lit.Value, true
	}
	return c.litArg(s, 0)
}

func formatted(act types.Action) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		format, ok := c.formatLit(s)
		if act == types.ActSystem || act == types.ActCat {
			format = untilZero(format) // a command or a path
		}
		args, argsOK := c.formatArgs(s, 1)
		if !ok || !argsOK || !c.checkFormat(format, args, s) || c.target().Pinned() && !c.fitsKernel(format, args, s) {
			return operand{}
		}
		add(s.out, &typed.Emit{Action: act, Format: format, Args: exprs(args), Span: s.sp})
		return operand{}
	}
}

func exprs(xs []operand) []typed.Expr {
	out := make([]typed.Expr, len(xs))
	for i, x := range xs {
		out[i] = x.Expr
	}
	return out
}

// formatArgs checks the arguments from number i on.
func (c *checker) formatArgs(s *site, i int) ([]operand, bool) {
	var out []operand
	ok := true
	for _, a := range s.args[i:] {
		x := c.expr(a)
		if x.Expr == nil {
			c.errNoValue(a.Pos())
			return nil, false
		}
		switch t := x.Type().(type) {
		case types.Void:
			c.errNoValue(a.Pos())
			ok = false
		case unknown:
			ok = false
		case types.Agg:
			if t.Kind >= types.Stats {
				c.diags.Errorf(diag.BadArgument, a.Pos(), "%s() can not print a value of type %s; print the whole map", s.name, t)
				ok = false
			}
		case *types.Struct:
			if t.Kind == types.ArgsKind {
				if x, ok = c.argsValue(a.Pos()); !ok {
					return nil, false
				}
			}
		}
		out = append(out, x)
	}
	if len(out) > maxFormatArgs {
		c.diags.Errorf(diag.BadArgument, s.sp, "%s() takes at most %d arguments", s.name, maxFormatArgs)
		return nil, false
	}
	return out, ok
}

// argsValue makes a record of the probe's arguments.
func (c *checker) argsValue(sp source.Span) (operand, bool) {
	t := c.target()
	names := make([]string, len(t.Args))
	elems := make([]operand, len(t.Args))
	for i, a := range t.Args {
		names[i] = a.Name
		elems[i] = of(&typed.Arg{Node: node(c.argType(a), sp), Arg: a})
	}
	return c.tupleOf(names, elems, node(nil, sp)), true
}

// checkFormat checks the number and kinds of arguments, and turns aggregations
// that %s prints into their numbers.
func (c *checker) checkFormat(format string, args []operand, s *site) bool {
	items, err := printf.Parse(format)
	var fault *printf.Error
	if errors.As(err, &fault) {
		c.diags.Errorf(diag.BadFormat, s.sp, "%s: %v", s.name, err)
		return false
	}
	n := 0
	for _, it := range items {
		if it.Verb == 0 {
			continue
		}
		if n < len(args) && !c.fitsVerb(it, &args[n], s) {
			return false
		}
		n++
	}
	if n != len(args) {
		c.errFormatArgs(s, format, len(args), n)
		return false
	}
	return true
}

// errFormatArgs reports that a format takes another number of arguments. What
// only looks like a conversion, and is printed as it is, is likely the cause.
func (c *checker) errFormatArgs(s *site, format string, got, want int) {
	what := "not enough"
	if got > want {
		what = "too many"
	}
	d := c.diags.Errorf(diag.BadFormat, s.sp, "%s: %s arguments for format string (%d supplied, %d expected)", s.name, what, got, want)
	if stray := printf.Stray(format); stray != "" {
		d.Hint("there is no conversion %s: it is printed as it is", stray)
	}
}

func (c *checker) fitsVerb(it printf.Item, x *operand, s *site) bool {
	ok := true
	switch t := x.Type().(type) {
	case types.Agg:
		if ok = it.Verb == 's'; ok {
			*x = c.number(*x)
		}
	case types.Int, types.Bool, types.Pointer, *types.Enum:
		ok = it.Integer() || it.Verb == 's'
	case types.Buffer:
		ok = it.Buffer() || it.Verb == 's'
	case types.Opaque:
		// Symbols and user names print by name or by number.
		ok = it.Verb == 's' || it.Integer() && (t.Kind == types.KSym || t.Kind == types.USym || t.Kind == types.Username)
		if ok && it.Integer() {
			*x = of(&typed.Convert{Node: node(uint64Type, x.Pos()), X: x.Expr})
		}
	default:
		ok = it.Verb == 's'
	}
	if !ok {
		want := "an integer"
		if it.Buffer() {
			want = "a buffer"
		}
		c.diags.Errorf(diag.BadFormat, s.sp, "%s: %s specifier expects %s (%s supplied)", s.name, it, want, kindName(x.Type()))
	}
	return ok
}

// formatConst prints literals for fail().
func (c *checker) formatConst(format string, args []operand) string {
	items, err := printf.Parse(format)
	if err != nil {
		return format
	}
	out, n := "", 0
	for _, it := range items {
		if it.Verb == 0 {
			out += it.Text
			continue
		}
		if n < len(args) {
			out += constText(args[n])
		}
		n++
	}
	return out
}

func constText(x operand) string {
	if s, ok := litStr(x); ok {
		return s
	}
	n, _ := constOf(x.Expr)
	if types.IsSigned(x.Type()) {
		return fmt.Sprint(int64(n))
	}
	return fmt.Sprint(n)
}

// debugf writes to the kernel's trace pipe.
func (c *checker) debugf(s *site) operand {
	format, ok := c.formatLit(s)
	args, argsOK := c.formatArgs(s, 1)
	if !ok || !argsOK || !c.checkFormat(format, args, s) {
		return operand{}
	}
	items, _ := printf.Parse(format)
	for _, it := range items {
		switch it.Verb {
		case 0, 'd', 'u', 'x', 'p', 's':
		default:
			c.diags.Errorf(diag.BadFormat, s.args[0].Pos(), "debugf: %s is not supported; use %%d %%u %%x %%p %%s", it)
			return operand{}
		}
	}
	if len(args) > 3 {
		c.diags.Errorf(diag.BadFormat, s.sp, "debugf: can not use more than 3 conversion specifiers")
		return operand{}
	}
	c.diags.Warnf(diag.Ignored, s.sp, "debugf() is for debugging: it writes to the kernel's trace pipe, which all tracers share")
	xs := exprs(args)
	for i, x := range xs {
		if t, isNum := intOf(x.Type()); isNum {
			xs[i] = widen(x, t.Signed)
		}
	}
	call := &typed.Call{Node: node(types.Void{}, s.sp), Fn: typed.FnDebugf, Args: xs, Str: format}
	add(s.out, &typed.Eval{X: call, Span: s.sp})
	return operand{}
}

func (c *checker) print(s *site) operand {
	if ref, ok := s.args[0].(*ast.MapRef); ok {
		c.printMap(s, ref)
		return operand{}
	}
	if len(s.args) > 1 {
		if _, isElem := s.args[0].(*ast.MapIndex); isElem {
			c.diags.Errorf(diag.BadArgument, s.sp, "Single-value (i.e. indexed) map prints cannot be followed by additional arguments.")
		} else {
			c.diags.Errorf(diag.BadArgument, s.sp, "Non-map print() only takes 1 argument, %d found", len(s.args))
		}
		return operand{}
	}
	x := c.expr(s.args[0])
	if x.Expr == nil {
		c.errNoValue(s.args[0].Pos())
		return operand{}
	}
	switch t := x.Type().(type) {
	case unknown:
		return operand{}
	case types.Void:
		c.errNoValue(s.args[0].Pos())
		return operand{}
	case types.Agg:
		if t.Kind >= types.Stats {
			c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "Map type %s cannot print the value of individual keys. You must print the whole map.", t)
			return operand{}
		}
		x = c.number(x)
	case *types.Struct:
		if t.Kind == types.ArgsKind {
			x, _ = c.argsValue(s.args[0].Pos())
		}
	}
	if ctx, isCtx := x.Expr.(*typed.Ctx); isCtx {
		c.diags.Errorf(diag.BadArgument, ctx.Pos(), "print() can not print the context")
		return operand{}
	}
	add(s.out, &typed.Emit{Action: types.ActPrint, Args: []typed.Expr{x.Expr}, Span: s.sp})
	return operand{}
}

func (c *checker) printMap(s *site, ref *ast.MapRef) {
	m := c.useMap(ref, true)
	e := &typed.Emit{Action: types.ActPrintMap, Span: s.sp}
	for i := range s.args[1:] {
		n, ok := c.constArg(s, i+1)
		if !ok {
			return
		}
		if n < 0 {
			c.diags.Errorf(diag.BadArgument, s.args[i+1].Pos(), "print() expects a non-negative literal")
			return
		}
		if i == 0 {
			e.Top = uint64(n)
		} else {
			e.Div = uint64(n)
		}
	}
	if m == nil {
		return
	}
	e.Map = m.m
	if a, ok := m.value.typ.(types.Agg); ok && a.Kind == types.Stats && len(s.args) > 1 {
		// What bpftrace 0.27 says; it honours them all the same, div for the average.
		c.diags.Warnf(diag.Ignored, s.sp, "print()'s top and div arguments are ignored when used on stats() maps.")
	}
	if c.fn.callback > 0 {
		c.diags.Warnf(diag.Ignored, s.sp, "Due to it's asynchronous nature using 'print()' in a loop can lead to unexpected behavior. The map will likely be updated before the runtime can 'print' it.")
	}
	add(s.out, e)
}

func (c *checker) time(s *site) operand {
	format := "%H:%M:%S\n"
	if len(s.args) == 1 {
		var ok bool
		if format, ok = c.litArg(s, 0); !ok {
			return operand{}
		}
	}
	add(s.out, &typed.Emit{Action: types.ActTime, Format: format, Span: s.sp})
	return operand{}
}

func (c *checker) join(s *site) operand {
	x := c.arg(s, 0)
	sep := " "
	if len(s.args) == 2 {
		var ok bool
		if sep, ok = c.litArg(s, 1); !ok {
			return operand{}
		}
	}
	switch t := x.Type().(type) {
	case unknown:
		return operand{}
	case types.Int:
		x.Expr = c.address(x)
	case types.Pointer:
		x.Expr = c.address(x)
	default:
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "join() only supports int and pointer arguments (%s provided)", kindName(t))
		return operand{}
	}
	add(s.out, &typed.Emit{Action: types.ActJoin, Format: sep, Args: []typed.Expr{x.Expr}, Span: s.sp})
	return operand{}
}

func (c *checker) exit(s *site) operand {
	if c.fn.callback > 0 {
		c.diags.Errorf(diag.BadControl, s.sp, "exit() is not allowed in a for-loop")
		return operand{}
	}
	code := typed.Expr(&typed.Const{Node: node(int64Type, s.sp)})
	if len(s.args) == 1 {
		x := c.intArg(s, 0, false)
		if isUnknown(x.Type()) {
			return operand{}
		}
		code = convert(x.Expr, int64Type)
	}
	c.emitExit(s.out, code, s.sp)
	return operand{}
}

func (c *checker) emitExit(out *typed.Block, code typed.Expr, sp source.Span) {
	add(out, &typed.Emit{Action: types.ActExit, Args: []typed.Expr{code}, Span: sp})
	add(out, &typed.Return{Span: sp})
}

// assert reports and ends the run when its condition is false.
func (c *checker) assert(s *site) operand {
	cond := c.condition(c.arg(s, 0), s.sp, "assert")
	text, ok := c.litArg(s, 1)
	if !ok {
		return operand{}
	}
	fail := &typed.Block{}
	msg := strLit(text, s.sp)
	add(fail, &typed.Emit{Action: types.ActErrorf, Format: "assert failed: %s", Args: []typed.Expr{msg.Expr}, Span: s.sp})
	c.emitExit(fail, &typed.Const{Node: node(int64Type, s.sp), Value: 1}, s.sp)
	add(s.out, &typed.If{Cond: &typed.NotBool{Node: node(types.Bool{}, s.sp), X: cond}, Then: fail, Span: s.sp})
	return operand{}
}

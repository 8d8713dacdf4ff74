package check

import (
	"iter"
	"maps"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// site is one call of a builtin or function.
type site struct {
	name string
	args []ast.Expr
	sp   source.Span
	bare bool // written without parentheses
	out  *typed.Block
}

// builtin is one row of the table of builtins and functions.
type builtin struct {
	// min and max are the number of arguments; a max of -1 is any number.
	min, max int
	// void tells that the call has no value: check appends statements to
	// site.out and returns the zero operand.
	void bool
	// unsafe needs the option --unsafe.
	unsafe bool
	// async tells that gotrace carries it out, when it reads of it.
	async bool
	// probes lists the providers it may be used in, nil: all.
	probes []target.Provider
	// ctx tells that it reads the context, which loop bodies do not have.
	ctx bool
	// reads is what it takes from the attach point.
	reads reads
	check func(c *checker, s *site) operand
}

// reads is what a body takes from its attach point besides the provider, the
// type of the program and the address space, by which probes are told apart
// anyway.
type reads uint8

const (
	readsArgs   reads = 1 << iota // arguments, return value, function
	readsRecord                   // args itself, whose fields may be costly to find
	readsName                     // its name, which has the file as well
	readsKstack                   // kernel stacks, which begin where the way of attaching decides
)

// builtinTable returns all builtins by name.
func builtinTable() map[string]*builtin {
	t := map[string]*builtin{}
	for _, part := range []map[string]*builtin{
		eventBuiltins(), taskBuiltins(), outputBuiltins(), mapBuiltins(), stringBuiltins(), valueBuiltins(), systemBuiltins(), comptimeBuiltins(),
	} {
		maps.Copy(t, part)
	}
	return t
}

func (c *checker) lookupBuiltin(name string) (*builtin, bool) {
	if isArgN(name) {
		return &builtin{ctx: true, reads: readsArgs, check: (*checker).argN}, true
	}
	b, ok := c.builtins[name]
	return b, ok
}

func isArgN(s string) bool {
	if !strings.HasPrefix(s, "arg") || len(s) == 3 || len(s) > 6 {
		return false
	}
	for _, d := range s[3:] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// callNames lists what could be meant by an unknown name.
func (c *checker) callNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range c.builtins {
			if !yield(name) {
				return
			}
		}
		for name := range c.macros {
			if !yield(name) {
				return
			}
		}
	}
}

// ident is a bare name: macro parameter, macro, builtin, constant.
func (c *checker) ident(x *ast.Ident) operand {
	if y, ok := c.macroArg(x.Name); ok {
		return y
	}
	if m, found := c.findMacro(x.Name, nil); m != nil {
		return c.expandMacro(m, nil, x)
	} else if found {
		c.diags.Errorf(diag.MacroError, x.Pos(), "Macro %s needs arguments", x.Name)
		return c.bad(x.Pos())
	}
	if b, ok := c.lookupBuiltin(x.Name); ok && b.min == 0 && (!b.void || x.Name == "exit") {
		return c.callBuiltin(b, &site{name: x.Name, sp: x.Pos(), bare: true})
	}
	if x.Name == "config" {
		return c.configRecord(x.Pos())
	}
	if y, ok := c.constant(x.Name, x.Pos()); ok {
		return y
	}
	return c.unknownName(x)
}

// call is name(args).
func (c *checker) call(x *ast.Call) operand {
	name := x.Fun.Name
	if m, found := c.findMacro(name, x.Args); m != nil {
		return c.expandMacro(m, x.Args, x)
	} else if found {
		if _, builtin := c.lookupBuiltin(name); !builtin || len(c.macros[name]) > 0 && hasArity(c.macros[name], len(x.Args)) {
			c.diags.Errorf(diag.MacroError, x.Pos(), "Call to macro %s has wrong number or kind of arguments", name)
			return c.bad(x.Pos())
		}
	}
	b, ok := c.lookupBuiltin(name)
	if !ok {
		d := c.diags.Errorf(diag.UnknownName, x.Pos(), "Unknown function: '%s'", name)
		if near := c.nearest(name, c.callNames()); near != "" {
			d.Hint("did you mean %s?", near)
		}
		return c.bad(x.Pos())
	}
	return c.callBuiltin(b, &site{name: name, args: x.Args, sp: x.Pos()})
}

func hasArity(ms []*macro, n int) bool {
	for _, m := range ms {
		if len(m.ast.Params) == n {
			return true
		}
	}
	return false
}

// callStmt checks a call without value as a statement; ok is false if x is
// something else.
func (c *checker) callStmt(out *typed.Block, x ast.Expr) bool {
	name, args := "", []ast.Expr(nil)
	switch x := x.(type) {
	case *ast.Call:
		name, args = x.Fun.Name, x.Args
	case *ast.Ident:
		name = x.Name
		if ms := c.macroOf(); ms != nil && ms.exprs[name] != nil {
			return false
		}
	}
	if len(c.macros[name]) > 0 {
		return false
	}
	b, ok := c.lookupBuiltin(name)
	if !ok || !b.void {
		return false
	}
	c.callBuiltin(b, &site{name: name, args: args, sp: x.Pos(), out: out})
	return true
}

func (c *checker) isVoidCall(x *ast.Call) bool {
	if ms := c.macros[x.Fun.Name]; len(ms) > 0 {
		m, _ := c.findMacro(x.Fun.Name, x.Args)
		return m != nil && m.ast.Body.Result == nil
	}
	b, ok := c.lookupBuiltin(x.Fun.Name)
	return ok && b.void
}

func (c *checker) callBuiltin(b *builtin, s *site) operand {
	if len(s.args) < b.min || b.max >= 0 && len(s.args) > b.max {
		c.errArity(b, s)
		return c.bad(s.sp)
	}
	if b.unsafe && !c.env.Unsafe {
		c.diags.Errorf(diag.NeedsUnsafe, s.sp, "%s() is an unsafe function being used in safe mode", s.name).
			Hint("use the option --unsafe")
		return c.bad(s.sp)
	}
	if !c.allowedHere(b, s) {
		return c.bad(s.sp)
	}
	if !b.void {
		c.spend(costCall, s.sp)
		return b.check(c, s)
	}
	c.spend(costRecord, s.sp)
	if s.out != nil {
		b.check(c, s)
		return operand{}
	}
	s.out = &typed.Block{}
	b.check(c, s)
	return of(&typed.BlockExpr{Node: node(types.Void{}, s.sp), Block: s.out})
}

func (c *checker) errArity(b *builtin, s *site) {
	want := "no arguments"
	switch {
	case b.max < 0:
		want = plural(b.min, "at least ")
	case b.min != b.max:
		want = plural(b.min, "at least ")
		if len(s.args) > b.max {
			want = plural(b.max, "at most ")
		}
	case b.max > 0:
		want = plural(b.max, "")
	}
	c.diags.Errorf(diag.BadArgument, s.sp, "%s() takes %s (%d provided)", s.name, want, len(s.args))
}

func plural(n int, prefix string) string {
	word := " arguments"
	if n == 1 {
		word = " argument"
	}
	return prefix + itoa(n) + word
}

func (c *checker) allowedHere(b *builtin, s *site) bool {
	if c.fn.ctxFree {
		return true
	}
	if b.ctx && c.fn.callback > 0 {
		c.diags.Errorf(diag.NotHere, s.sp, "'%s' builtin is not allowed in a for-loop", s.name).
			Hint("copy it into a variable before the loop")
		return false
	}
	if b.async && c.target().Pinned() {
		c.errAsyncPinned(s)
		return false
	}
	if b.probes == nil {
		return true
	}
	for _, p := range b.probes {
		if p == c.target().Provider {
			return true
		}
	}
	c.errNotHere(s)
	return false
}

func (c *checker) errNotHere(s *site) {
	what := "The " + s.name + " builtin"
	if !s.bare {
		what = s.name + "()"
	}
	d := c.diags.Errorf(diag.NotHere, s.sp, "%s can not be used with '%s' probes", what, c.target().Provider)
	if b, ok := c.lookupBuiltin(s.name); ok && b.probes != nil {
		names := make([]string, len(b.probes))
		for i, p := range b.probes {
			names[i] = string(p)
		}
		d.Hint("it can be used with the probetypes %s", strings.Join(names, ", "))
	}
}

// arg checks argument i, which must have a value.
func (c *checker) arg(s *site, i int) operand { return c.value(s.args[i]) }

// intArg checks argument i, which must be an integer (or pointer, with ptr),
// and widens it.
func (c *checker) intArg(s *site, i int, ptr bool) operand {
	x := c.arg(s, i)
	if isUnknown(x.Type()) {
		return x
	}
	it, ok := intOf(x.Type())
	if _, p := x.Type().(types.Pointer); !ok || p && !ptr {
		c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() only supports integer arguments (%s provided)", s.name, kindName(x.Type()))
		return c.bad(s.sp)
	}
	y := x
	y.Expr = widen(x.Expr, it.Signed)
	return y
}

// litArg checks argument i, which must be a string literal.
func (c *checker) litArg(s *site, i int) (string, bool) {
	if lit, ok := s.args[i].(*ast.StrLit); ok {
		return lit.Value, true
	}
	x := c.arg(s, i)
	text, ok := litStr(x)
	if !ok || !x.lit {
		if !isUnknown(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() expects a string literal (%s provided)", s.name, kindName(x.Type()))
		}
		return "", false
	}
	return text, true
}

// constArg checks argument i, which must be a literal integer.
func (c *checker) constArg(s *site, i int) (int64, bool) {
	return c.constInt(c.arg(s, i), s.args[i].Pos(), "argument "+itoa(i+1)+" of "+s.name+"()")
}

// make is a call that the code generator implements.
func (s *site) make(t types.Type, fn typed.Fn, args ...typed.Expr) operand {
	return of(&typed.Call{Node: node(t, s.sp), Fn: fn, Args: args})
}

// itoa writes a number in decimal.
func itoa(n int) string { return strconv.Itoa(n) }

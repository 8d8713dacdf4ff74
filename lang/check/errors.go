package check

import (
	"iter"
	"maps"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// maxSuggestions is how many reports a pass may have before names that are
// likely meant are looked for no more: it takes long among the kernel's.
const maxSuggestions = 20

// nearest returns the candidate that is most like name, "" if none is.
func (c *checker) nearest(name string, candidates iter.Seq[string]) string {
	if len(c.diags.Diags) > maxSuggestions {
		return ""
	}
	return diag.Nearest(name, candidates)
}

func (c *checker) errNoValue(sp source.Span) {
	c.diags.Errorf(diag.TypeMismatch, sp, "This expression has no value: type 'none'")
}

func (c *checker) errCondition(sp source.Span, what string, t types.Type) {
	c.diags.Errorf(diag.BadOperand, sp, "Invalid condition in %s: expected an integer, bool or pointer, not '%s'", what, t)
}

func (c *checker) errUndefinedVar(x *ast.VarRef) operand {
	d := c.diags.Errorf(diag.UnknownName, x.Pos(), "Undefined or undeclared variable: $%s", x.Name)
	for s := c.fn.scope; s != nil; s = s.parent {
		if near := c.nearest(x.Name, maps.Keys(s.vars)); near != "" {
			d.Hint("did you mean \"$%s\"?", near)
			break
		}
	}
	return c.bad(x.Pos())
}

// hintQuotes adds a hint to the report of a name that nothing has, where it
// stands beside a text: it is likely meant to be one.
func (c *checker) hintQuotes(beside operand, x ast.Expr) {
	name, ok := x.(*ast.Ident)
	n := len(c.diags.Diags)
	if !ok || n == 0 || !isText(beside) {
		return
	}
	if d := &c.diags.Diags[n-1]; d.Code == diag.UnknownName && d.Span == x.Pos() {
		d.Hint("if it is meant as text, quote it: \"%s\"", name.Name)
	}
}

func (c *checker) errRedeclared(s *ast.Let, old *variable) {
	c.diags.Errorf(diag.UnknownName, s.Pos(), "Variable $%s was already declared. Variable shadowing is not allowed.", s.Var.Name).
		Note(old.decl, "This is the initial declaration.")
}

func (c *checker) errMismatch(sp source.Span, name string, got types.Type, s *slot) {
	c.errMismatchType(sp, name, got, s.typ, s.first)
}

func (c *checker) errMismatchType(sp source.Span, name string, got, have types.Type, first source.Span) {
	d := c.diags.Errorf(diag.TypeMismatch, sp, "Type mismatch for %s: trying to assign value of type '%s' when variable already contains a value of type '%s'", name, got, have)
	if first.IsValid() && first != sp {
		d.Note(first, "this is where the type comes from")
	}
}

func (c *checker) errOperands(op string, x, y operand, sp source.Span) operand {
	c.diags.Errorf(diag.TypeMismatch, sp, "Type mismatch: the %s operator can not be used on '%s' and '%s'", op, x.Type(), y.Type())
	return c.bad(sp)
}

// warnSign reports where uint64 and a signed type met in one variable, which
// made it int64.
func (c *checker) warnSign(s *slot, x operand, sp source.Span) {
	if s.mixed.IsValid() && s.mixed == x.Pos() {
		c.diags.Warnf(diag.SignMismatch, sp, "Values of uint64 and of a signed type meet here: the variable becomes %s, and large values change their sign", s.typ)
	}
}

// warnUnused reports let declarations that are never assigned.
func (c *checker) warnUnused(s *scope) {
	for _, v := range s.vars {
		if v.let && !v.assigned {
			c.diags.Warnf(diag.Unused, v.decl, "Variable $%s was never assigned to.", v.v.Name)
		}
	}
}

// warnUnusedDecls reports declared maps that no probe uses.
func (c *checker) warnUnusedDecls() {
	for name, d := range c.decls {
		if c.maps[name] == nil {
			c.diags.Warnf(diag.Unused, d.Pos(), "Unused map: %s", name)
		}
	}
}

// unsupported reports a part of the language that gotrace does not have.
func (c *checker) unsupported(sp source.Span, what string) operand {
	c.diags.Errorf(diag.Unsupported, sp, "gotrace does not support %s", what)
	return c.bad(sp)
}

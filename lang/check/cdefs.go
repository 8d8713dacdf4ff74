package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/cdecl"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// cdefs is what the C definitions of the script declare.
type cdefs struct {
	res *cdecl.Result
	// busy holds the C macros that are being expanded.
	busy map[string]bool
}

func (c *checker) readDefinitions(s *ast.Script) {
	c.cdefs.busy = map[string]bool{}
	if len(s.CDefs) == 0 && len(c.env.IncludeFiles) == 0 && len(c.headers) == 0 {
		return
	}
	major, minor := c.env.System.KernelVersion()
	res, list := cdecl.Parse(s.CDefs, cdecl.Options{
		Files:         c.env.Files,
		Kernel:        c.env.Kernel,
		Arch:          c.env.System.Arch(),
		KernelVersion: uint32(major<<16 | minor<<8),
		Before:        c.env.IncludeFiles,
		After:         c.headers,
		Include:       c.env.Include,
		System:        cdecl.SystemDirs(c.env.System.Arch(), c.env.Release),
		ReadFile:      c.env.ReadFile,
	})
	c.cdefs.res = res
	c.diags.Diags = append(c.diags.Diags, list.Diags...)
}

func (d *cdefs) named(name string) (types.Type, bool) {
	if d.res == nil {
		return nil, false
	}
	if t, ok := d.res.Typedef(name); ok {
		return t, true
	}
	if t, ok := d.res.Struct(name); ok {
		return t, true
	}
	if t, ok := d.res.Union(name); ok {
		return t, true
	}
	if t, ok := d.res.Enum(name); ok {
		return t, true
	}
	return nil, false
}

func (d *cdefs) tagged(tag, name string) (types.Type, bool) {
	if d.res == nil {
		return nil, false
	}
	switch tag {
	case "struct":
		if t, ok := d.res.Struct(name); ok {
			return t, true
		}
	case "union":
		if t, ok := d.res.Union(name); ok {
			return t, true
		}
	case "enum":
		if t, ok := d.res.Enum(name); ok {
			return t, true
		}
	}
	return nil, false
}

// constant looks a name up among C macros, enum constants of the program, of
// headers, and of the kernel.
func (c *checker) constant(name string, sp source.Span) (operand, bool) {
	if res := c.cdefs.res; res != nil {
		if m, ok := res.Macro(name); ok {
			return c.cMacro(m, sp)
		}
		if e, v, ok := res.EnumConst(name); ok {
			return enumConst(e, v, sp), true
		}
		if v, ok := res.HeaderConst(name); ok {
			return intLit(uint64(v), v < 0, sp), true
		}
	}
	if e, v, ok := c.env.Kernel.EnumConst(name); ok {
		return enumConst(e, v, sp), true
	}
	return operand{}, false
}

func enumConst(e *types.Enum, v int64, sp source.Span) operand {
	if e == nil {
		return intLit(uint64(v), v < 0, sp)
	}
	return operand{Expr: &typed.Const{Node: node(e, sp), Value: uint64(v)}, lit: true}
}

// cMacro expands a C macro whose value is one expression of the language.
func (c *checker) cMacro(m cdecl.Macro, sp source.Span) (operand, bool) {
	if c.cdefs.busy[m.Name] {
		c.diags.Errorf(diag.UnknownName, sp, "the C macro %s is recursive", m.Name)
		return c.bad(sp), true
	}
	if m.Text == "" {
		return operand{}, false
	}
	x, ok := c.parseExpr(m.Text)
	if !ok {
		return operand{}, false
	}
	if !c.enterMacro(macroUse{name: m.Name, at: sp, decl: m.Span}) {
		return c.bad(sp), true
	}
	defer c.leaveMacro()
	c.cdefs.busy[m.Name] = true
	defer delete(c.cdefs.busy, m.Name)
	before := len(c.diags.Diags)
	y := c.expr(x)
	if len(c.diags.Diags) > before {
		// Places in the macro's text say nothing to the reader of the probe.
		for i := before; i < len(c.diags.Diags); i++ {
			c.diags.Diags[i].Span = sp
		}
	}
	return y, true
}

// parseExpr reads one expression, as the body of a probe of its own.
func (c *checker) parseExpr(text string) (ast.Expr, bool) {
	if x, ok := c.macroText[text]; ok {
		return x, x != nil
	}
	f := c.env.Files.Add("macro", "", "begin { _ = "+text+"; }")
	s, list := c.env.Parse(c.env.Files, f)
	c.macroText[text] = nil
	if list.HasErrors() || len(s.Items) != 1 {
		return nil, false
	}
	p, ok := s.Items[0].(*ast.Probe)
	if !ok || len(p.Body.Stmts) != 1 {
		return nil, false
	}
	d, ok := p.Body.Stmts[0].(*ast.Discard)
	if !ok {
		return nil, false
	}
	c.macroText[text] = d.X
	return d.X, true
}

// unknownName reports a name that nothing declares.
func (c *checker) unknownName(x *ast.Ident) operand {
	d := c.diags.Errorf(diag.UnknownName, x.Pos(), "Unknown identifier: '%s'", x.Name)
	if c.cdefs.res != nil {
		if at, ok := c.cdefs.res.FuncMacro(x.Name); ok {
			d.Note(at, "a C macro with parameters can not be used in probes")
			return c.bad(x.Pos())
		}
	}
	if near := c.nearest(x.Name, c.callNames()); near != "" {
		d.Hint("did you mean %s?", near)
	}
	return c.bad(x.Pos())
}

package check

import (
	"slices"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// macroTable holds the macros of the program by name.
type macroTable map[string][]*macro

type macro struct{ ast *ast.Macro }

// expansion is a macro call that is being expanded.
type expansion struct {
	call  source.Span
	macro *macro
}

// macroScope binds the parameters of a macro to what it is called with.
type macroScope struct {
	vars  map[string]*variable
	maps  map[string]string
	exprs map[string]ast.Expr
	// caller is the scope and instance that arguments are checked in.
	caller *scope
	inst   int
	expand []expansion
}

func (c *checker) collectMacros(scripts []*ast.Script) {
	c.macros = macroTable{}
	seen := map[string]*ast.Macro{}
	for _, s := range scripts {
		for _, item := range s.Items {
			m, ok := item.(*ast.Macro)
			if !ok {
				continue
			}
			sig := m.Name.Name + " " + paramKinds(m)
			if old := seen[sig]; old != nil {
				c.diags.Errorf(diag.MacroError, m.Pos(), "Redefinition of macro: %s", m.Name.Name).
					Note(old.Pos(), "this is the other instance")
				continue
			}
			seen[sig] = m
			c.macros[m.Name.Name] = append(c.macros[m.Name.Name], &macro{m})
		}
	}
}

// paramKinds tells apart the macros of one name.
func paramKinds(m *ast.Macro) string {
	kinds := make([]byte, len(m.Params))
	for i, p := range m.Params {
		kinds[i] = paramKind(p)
	}
	return string(kinds)
}

// paramKind is $ for variables, @ for maps, e for expressions.
func paramKind(x ast.Expr) byte {
	switch x.(type) {
	case *ast.VarRef:
		return '$'
	case *ast.MapRef:
		return '@'
	}
	return 'e'
}

// findMacro picks the overload for arguments: exact kinds win over
// expressions. found tells that the name is a macro at all.
func (c *checker) findMacro(name string, args []ast.Expr) (m *macro, found bool) {
	best := -1
	for _, k := range c.macros[name] {
		found = true
		if len(k.ast.Params) != len(args) {
			continue
		}
		score, ok := 0, true
		for i, p := range k.ast.Params {
			kind, arg := paramKind(p), paramKind(args[i])
			switch {
			case kind == 'e':
			case kind == arg:
				score++
			default:
				ok = false
			}
		}
		if ok && score > best {
			m, best = k, score
		}
	}
	return m, found
}

// expandMacro checks the body of a macro in place of a call.
func (c *checker) expandMacro(m *macro, args []ast.Expr, call ast.Node) operand {
	for _, e := range c.expand {
		if e.macro == m {
			c.diags.Errorf(diag.MacroError, call.Pos(), "Recursive macro definition: %s", m.ast.Name.Name)
			return c.bad(call.Pos())
		}
	}
	if !c.enterMacro(macroUse{name: m.ast.Name.Name, at: call.Pos(), decl: m.ast.Pos()}) {
		return c.bad(call.Pos())
	}
	defer c.leaveMacro()
	ms := c.bind(m, args)
	saved, inst, loops := c.fn.scope, c.fn.inst, c.fn.loops
	c.fn.inst = c.infer.instance(instKey{parent: inst, node: call})
	c.fn.scope = &scope{vars: map[string]*variable{}, macro: ms, callback: c.fn.callback}
	c.expand = append(c.expand, expansion{call.Pos(), m})
	before := len(c.diags.Diags)
	b, res := c.blockInScope(m.ast.Body)
	c.noteExpansion(before)
	c.warnUnused(c.fn.scope)
	c.expand = c.expand[:len(c.expand)-1]
	c.fn.scope, c.fn.inst, c.fn.loops = saved, inst, loops
	if res.Expr == nil {
		return of(&typed.BlockExpr{Node: node(types.Void{}, call.Pos()), Block: b})
	}
	if len(b.Stmts) == 0 {
		return res
	}
	return of(&typed.BlockExpr{Node: node(res.Type(), call.Pos()), Block: b, Result: res.Expr})
}

// maxNotes bounds how many calls of macros a report names.
const maxNotes = 8

// noteExpansion adds the call to reports from within the body. Of many calls
// the innermost and the outermost one are shown.
func (c *checker) noteExpansion(from int) {
	e := c.expand[len(c.expand)-1]
	for i := from; i < len(c.diags.Diags); i++ {
		d := &c.diags.Diags[i]
		d.Notes = d.Notes[:min(len(d.Notes), maxNotes-1)]
		d.Note(e.call, "expanded from")
	}
}

func (c *checker) bind(m *macro, args []ast.Expr) *macroScope {
	ms := &macroScope{
		vars: map[string]*variable{}, maps: map[string]string{}, exprs: map[string]ast.Expr{},
		caller: c.fn.scope, inst: c.fn.inst,
		// Appending to it must not write over what the body of the macro appended.
		expand: slices.Clip(c.expand),
	}
	for i, p := range m.ast.Params {
		switch p := p.(type) {
		case *ast.VarRef:
			ref := args[i].(*ast.VarRef)
			v := c.fn.scope.lookup(ref.Name)
			if v == nil {
				v = c.macroVar(ref.Name)
			}
			if v == nil {
				v = c.declare(ref.Name, ref, ref.Pos())
			}
			v.assigned, v.read = true, true
			ms.vars[p.Name] = v
		case *ast.MapRef:
			if name, ok := c.macroMap(args[i].(*ast.MapRef)); ok {
				ms.maps[p.Name] = name
			}
		case *ast.Ident:
			ms.exprs[p.Name] = args[i]
		}
	}
	return ms
}

// macroOf returns the innermost macro that is being expanded.
func (c *checker) macroOf() *macroScope {
	for s := c.fn.scope; s != nil; s = s.parent {
		if s.macro != nil {
			return s.macro
		}
	}
	return nil
}

// macroVar returns the caller's variable that a parameter stands for.
func (c *checker) macroVar(name string) *variable {
	if ms := c.macroOf(); ms != nil {
		return ms.vars[name]
	}
	return nil
}

// findVar finds a variable in scope, parameters of a macro included.
func (c *checker) findVar(name string) *variable {
	if v := c.macroVar(name); v != nil {
		return v
	}
	return c.fn.scope.lookup(name)
}

// macroVarRef resolves names of variables inside a macro body: its parameters,
// and, where the body itself does not assign it, the caller's variable.
func (c *checker) macroVarRef(x *ast.VarRef) (operand, bool) {
	ms := c.macroOf()
	if ms == nil {
		return operand{}, false
	}
	v := ms.vars[x.Name]
	if v == nil && c.fn.scope.lookup(x.Name) == nil {
		v = ms.caller.lookup(x.Name)
	}
	if v == nil {
		return operand{}, false
	}
	return c.use(v, x.Pos()), true
}

// macroMap resolves a map's name: inside a macro only parameters may be used.
func (c *checker) macroMap(ref *ast.MapRef) (string, bool) {
	ms := c.macroOf()
	if ms == nil {
		return ref.Name, true
	}
	if name, ok := ms.maps[ref.Name]; ok {
		return name, true
	}
	c.diags.Errorf(diag.MacroError, ref.Pos(), "Unhygienic access to map: %s", ref.Name).
		Hint("Maps must be passed into the macro as arguments")
	return "", false
}

// macroArg evaluates the expression that a parameter stands for where the call
// stands.
func (c *checker) macroArg(name string) (operand, bool) {
	ms := c.macroOf()
	if ms == nil {
		return operand{}, false
	}
	x, ok := ms.exprs[name]
	if !ok {
		return operand{}, false
	}
	scope, inst, expand := c.fn.scope, c.fn.inst, c.expand
	c.fn.scope = ms.caller
	c.fn.inst = ms.inst
	c.expand = ms.expand
	y := c.expr(x)
	c.fn.scope, c.fn.inst, c.expand = scope, inst, expand
	return y, true
}

// macroType resolves the name of a type parameter.
func (c *checker) macroType(name string) (types.Type, bool) {
	t, isType, isParam := c.typeParam(name)
	if isParam && !isType {
		m := c.expand[len(c.expand)-1].macro.ast.Name.Name
		c.diags.Errorf(diag.MacroError, c.macroOf().exprs[name].Pos(),
			"Invalid replacement for macro '%s' type parameter '%s': it must be a type", m, name)
	}
	return t, isParam
}

// typeParam returns the type that a parameter of the macro stands for, which is
// one only if the call names a type.
func (c *checker) typeParam(name string) (t types.Type, isType, isParam bool) {
	ms := c.macroOf()
	if ms == nil {
		return nil, false, false
	}
	x, ok := ms.exprs[name]
	if !ok {
		return nil, false, false
	}
	scope, inst := c.fn.scope, c.fn.inst
	c.fn.scope, c.fn.inst = ms.caller, ms.inst
	defer func() { c.fn.scope, c.fn.inst = scope, inst }()
	switch x := x.(type) {
	case *ast.TypeArg:
		return c.typeOrExpr(x.X), true, true
	case *ast.Ident:
		if t, isType, isParam := c.typeParam(x.Name); isParam {
			return t, isType, true
		}
		if t, ok := c.typeNamed(x.Name); ok {
			return t, true, true
		}
	}
	return unknown{}, false, true
}

func (c *checker) assignToParam(s *ast.Assign, x *ast.Ident) {
	c.diags.Errorf(diag.MacroError, s.Pos(), "%s is an expression and can not be assigned", x.Name)
}

package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// funcState is the state of one probe body while it is checked.
type funcState struct {
	targets []*target.Target // all of them; targets[0] stands for the rest
	inst    int              // current instance: the probe's, or that of a macro call
	scope   *scope
	loops   []loopKind // enclosing loops, innermost last
	// callback is the depth of enclosing `for` bodies, which may run as
	// callbacks and then have no context.
	callback int
	copies   int  // of the code being checked, by enclosing unrolls
	ctxFree  bool // inside sizeof and the like: nothing is run
}

type loopKind uint8

const (
	forLoop loopKind = iota
	whileLoop
	unrollLoop
)

// scope is one block.
type scope struct {
	parent *scope
	vars   map[string]*variable
	// later holds the names that a let further down in the block declares.
	later map[string]source.Span
	// macro is set in the outermost scope of a macro body.
	macro *macroScope
	// callback is the depth of funcState.callback that the scope belongs to.
	callback int
}

// variable is a scratch variable in scope.
type variable struct {
	v        *typed.Var
	slot     *slot
	decl     source.Span
	let      bool
	assigned bool
	read     bool
	callback int
	bounds   types.Int // of a loop over numbers, see operand
}

func (c *checker) pushScope() {
	c.fn.scope = &scope{parent: c.fn.scope, vars: map[string]*variable{}, callback: c.fn.callback}
}

func (c *checker) popScope() {
	c.warnUnused(c.fn.scope)
	c.fn.scope = c.fn.scope.parent
}

// lookup finds a variable in the enclosing blocks. The scope of a macro's
// caller is only seen by names that the macro body does not assign.
func (s *scope) lookup(name string) *variable {
	for ; s != nil; s = s.parent {
		if v := s.vars[name]; v != nil {
			return v
		}
	}
	return nil
}

// declare makes a variable in the innermost scope.
func (c *checker) declare(name string, at ast.Node, sp source.Span) *variable {
	v := &variable{
		v:        &typed.Var{Name: name, Span: sp},
		slot:     c.infer.variable(varKey{at, c.fn.inst}),
		decl:     sp,
		callback: c.fn.callback,
	}
	v.v.Type = v.slot.typeOf()
	c.fn.scope.vars[name] = v
	return v
}

// use is a reference to v.
func (c *checker) use(v *variable, sp source.Span) operand {
	v.read = true
	return operand{Expr: &typed.VarRef{Node: node(v.slot.typeOf(), sp), Var: c.touch(v)}, bounds: v.bounds}
}

// touch notes a use of v from within a loop body that v is declared outside of.
func (c *checker) touch(v *variable) *typed.Var {
	if v.callback < c.fn.callback {
		v.v.Captured = true
	}
	return v.v
}

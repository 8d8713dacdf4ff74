package build

import (
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// Loops with up to maxTurns turns and maxInline instructions in sum, times the
// ways through a turn, are walked by the verifier; others become callbacks.
const (
	maxTurns  = 128
	maxInline = 4000
	// maxOldInline is the limit on kernels without bpf_loop; their verifier
	// looks at a million instructions.
	maxOldInline = 400_000
	// turnSize is what a turn takes besides its body: to count and to compare.
	turnSize = 2
)

// maxSSAVars is how many variables of a function are kept in SSA form; the
// others live in memory, so that the spills of one function stay within the
// stack.
const maxSSAVars = 20

// scope is a function to generate: the program, or a callback within it.
type scope struct {
	parent *scope
	depth  int
	vars   []*typed.Var // that live in it, in order of appearance
}

// change is an assignment to a variable, or an increment, by code of a scope.
type change struct {
	v  *typed.Var
	in *scope
}

// plan says which loops become callbacks and which function each variable
// belongs to: the innermost one that has all its uses.
type plan struct {
	g     *program
	root  *scope
	loops map[typed.Stmt]*scope // the callbacks
	owner map[*typed.Var]*scope
	// shared are the variables that a callback of their owner uses too.
	shared map[*typed.Var]bool
	order  []*typed.Var
	// tracked are the variables that hold pointers which the verifier follows:
	// all that they are assigned are such.
	tracked map[*typed.Var]bool
	assigns []*typed.Assign
	foreign map[*typed.Var]bool // get numbers from elsewhere than an Assign
	changes []change

	// returned and result tell the main function that a callback has left the
	// probe, and with what.
	returned, result *typed.Var
}

func newPlan(g *program, body *typed.Block) *plan {
	p := &plan{
		g: g, root: &scope{}, loops: map[typed.Stmt]*scope{},
		tracked: map[*typed.Var]bool{}, foreign: map[*typed.Var]bool{},
		owner: map[*typed.Var]*scope{}, shared: map[*typed.Var]bool{},
		returned: &typed.Var{Name: "returned", Type: types.Int{Bits: 64}},
		result:   &typed.Var{Name: "result", Type: types.Int{Bits: 64, Signed: true}},
	}
	uses := map[*typed.Var][]*scope{}
	p.walk(body, p.root, uses)
	p.findTracked()
	for _, v := range p.order {
		for _, s := range uses[v] {
			if s != p.owner[v] {
				p.shared[v] = true
			}
		}
		owner := p.owner[v]
		owner.vars = append(owner.vars, v)
	}
	return p
}

// walk enters the uses of variables in b, which belongs to s.
func (p *plan) walk(b *typed.Block, s *scope, uses map[*typed.Var][]*scope) {
	use := func(v *typed.Var, at *scope) {
		if v == nil {
			return
		}
		if o, ok := p.owner[v]; ok {
			p.owner[v] = common(o, at)
		} else {
			p.owner[v] = at
			p.tracked[v] = tracked(v.Type)
			p.order = append(p.order, v)
		}
		uses[v] = append(uses[v], at)
	}
	var v visitor
	v.expr = func(e typed.Expr) bool {
		use(exprVar(e), s)
		p.untrackable(e, s)
		return true
	}
	v.stmt = func(st typed.Stmt) bool {
		if a, ok := st.(*typed.Assign); ok {
			p.assigns = append(p.assigns, a)
			p.changes = append(p.changes, change{a.Var, s})
		}
		body, cond, bounds := p.callback(st)
		if body == nil {
			use(stmtVar(st), s)
			return true
		}
		inner := &scope{parent: s, depth: s.depth + 1}
		p.loops[st] = inner
		v.exprs(bounds...)
		use(stmtVar(st), inner)
		p.walk(&typed.Block{Stmts: []typed.Stmt{&typed.Eval{X: cond}, body}}, inner, uses)
		if leaves(body) {
			use(p.returned, p.root)
			use(p.returned, inner)
			use(p.result, p.root)
			use(p.result, inner)
		}
		return false
	}
	v.block(b)
}

// callback returns the body of a loop that becomes a callback, the condition
// that is evaluated within it, and the expressions outside; else nil.
func (p *plan) callback(st typed.Stmt) (body *typed.Block, cond typed.Expr, bounds []typed.Expr) {
	switch st := st.(type) {
	case *typed.ForMap:
		return st.Body, nil, nil
	case *typed.While:
		if p.g.opt.Features.BPFLoop {
			return st.Body, st.Cond, nil
		}
	case *typed.ForRange:
		if !p.inline(st) {
			return st.Body, nil, []typed.Expr{st.Lo, st.Hi}
		}
	}
	return nil, nil, nil
}

// inline reports whether the verifier walks the turns of a loop.
func (p *plan) inline(st *typed.ForRange) bool {
	turns, ok := constTurns(st)
	if !ok {
		return false
	}
	limit := int64(maxOldInline)
	if p.g.opt.Features.BPFLoop {
		if turns > maxTurns {
			return false
		}
		limit = maxInline / int64(1+choices(st.Body))
	}
	// The product may be too large for 64 bits.
	return turns <= limit/(turnSize+int64(size(st.Body)))
}

func common(a, b *scope) *scope {
	for a != b {
		if a.depth >= b.depth {
			a = a.parent
		} else {
			b = b.parent
		}
	}
	return a
}

// untrackable marks the variables that expressions change in ways which make
// numbers of pointers.
func (p *plan) untrackable(e typed.Expr, in *scope) {
	switch e := e.(type) {
	case *typed.MapFind:
		p.foreign[e.Var] = true
	case *typed.IncDec:
		if e.Var != nil && !isLocal(e.Var.Type) {
			p.foreign[e.Var] = true
		}
		p.changes = append(p.changes, change{e.Var, in})
	case *typed.AddrOf:
		if e.Var != nil {
			p.foreign[e.Var] = true
		}
	}
}

func isLocal(t types.Type) bool {
	p, ok := t.(types.Pointer)
	return ok && p.Space == types.Local
}

// findTracked leaves only those variables tracked that are assigned nothing but
// tracked pointers, and no address on the stack by a callback: the kernel lets
// none be stored in the frame of a caller. Each round removes one at least.
func (p *plan) findTracked() {
	for v := range p.foreign {
		p.tracked[v] = false
	}
	for _, c := range p.changes {
		if c.v != nil && c.in != p.owner[c.v] && isLocal(c.v.Type) {
			p.tracked[c.v] = false
		}
	}
	for changed := true; changed; {
		changed = false
		for _, a := range p.assigns {
			if p.tracked[a.Var] && !p.pointer(a.X) && !isNull(a.X) {
				p.tracked[a.Var] = false
				changed = true
			}
		}
	}
}

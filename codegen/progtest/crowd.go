package progtest

import "fmt"

// crowdEvery: the scripts of one in so many seeds have a crowd of variables, but
// not on kernels without bpf_loop, which also forget the bounds of a number that
// is spilled, and so refuse some of these scripts.
const crowdEvery = 23

// crowd declares more variables than the stack has room for, and returns what
// puts all of them to use at the end of the body.
func (g *gen) crowd(body *Block) (last []*Stmt) {
	first := len(g.vars)
	for range 40 + g.IntN(80) {
		s := &Stmt{Op: Let, Name: g.name(), X: []*Expr{
			{Op: Cast, To: int64Type(), Kids: []*Expr{operation(g.argument(), "^", &Expr{Op: Lit, N: g.Uint64N(1000)})}},
		}}
		body.Stmts = append(body.Stmts, s)
		g.vars = append(g.vars, &variable{name: s.Name, t: int64Type()})
	}
	const together = 10
	for at := first; at < len(g.vars); at += together {
		vars := g.vars[at:min(at+together, len(g.vars))]
		sum := &Expr{Op: Var, Name: vars[0].name}
		for _, v := range vars[1:] {
			sum = operation(sum, "+", &Expr{Op: Var, Name: v.name})
		}
		last = append(last, &Stmt{Op: Printf, Text: fmt.Sprintf("p%d %%d", g.count), X: []*Expr{sum}})
		g.count++
	}
	return last
}

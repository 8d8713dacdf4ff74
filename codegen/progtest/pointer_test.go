package progtest

import "testing"

// TestPointer reads through a pointer before and after what it points to
// changes; the map that held the address is empty at the end.
func TestPointer(t *testing.T) {
	x, p := &Expr{Op: Var, Name: "x"}, &Expr{Op: Var, Name: "p"}
	held := &Expr{Op: MapRead, Name: "q"}
	behind := func(y *Expr) *Expr { return &Expr{Op: Deref, Kids: []*Expr{y}} }
	first := &Expr{Op: Cast, To: ptrType(intType(8, true)), Kids: []*Expr{p}}
	set := func(to, y *Expr) *Stmt { return &Stmt{Op: Assign, Text: "=", X: []*Expr{to, y}} }
	stmts := []*Stmt{
		{Op: Let, Name: "x", X: []*Expr{{Op: Lit, N: 5}}},
		{Op: Let, Name: "p", X: []*Expr{{Op: AddrVar, Name: "x"}}},
		set(held, p),
		{Op: Let, Name: "y", X: []*Expr{behind(p)}},
		set(x, &Expr{Op: Lit, N: 259}), // also widens x
		{Op: Printf, Text: "p", X: []*Expr{{Op: Var, Name: "y"}, behind(p), behind(held), behind(first)}},
		{Op: Discard, X: []*Expr{{Op: Delete, Name: "q"}}},
	}
	s := &Script{Probes: []*Probe{{Body: &Block{Stmts: stmts}}}}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(make([]Input, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "results [0]\nprintf p | 5 | 259 | 259 | 3\n"; got != want {
		t.Errorf("%s\ngot  %q\nwant %q", s, got, want)
	}
}

// TestPointerSeen has addresses that stay in a map, and pointers to what is no
// longer there.
func TestPointerSeen(t *testing.T) {
	let := func(name string, x *Expr) *Stmt { return &Stmt{Op: Let, Name: name, X: []*Expr{x}} }
	held := &Expr{Op: MapRead, Name: "q"}
	inner := &Block{Stmts: []*Stmt{
		let("x", &Expr{Op: Lit, N: 5}),
		{Op: Assign, Text: "=", X: []*Expr{held, {Op: AddrVar, Name: "x"}}},
	}}
	discard := func(op Op, x ...*Expr) *Stmt {
		return &Stmt{Op: Discard, X: []*Expr{{Op: op, Name: "q", Kids: x}}}
	}
	for _, rest := range [][]*Stmt{nil, {discard(Deref, held), discard(Delete)}} {
		s := &Script{Probes: []*Probe{{Body: &Block{Stmts: append([]*Stmt{{Op: Scope, Blocks: []*Block{inner}}}, rest...)}}}}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(make([]Input, 1)); err != errUnspecified {
			t.Errorf("%s\nerror %v", s, err)
		}
	}
}

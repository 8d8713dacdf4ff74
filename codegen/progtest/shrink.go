package progtest

import "time"

// Shrink makes s small: it takes away statements and parts of expressions as
// long as fails reports true for what is left, until nothing more can go or
// limit has passed. Candidates have been checked, and the model runs them.
func Shrink(s *Script, inputs []Input, limit time.Duration, fails func(*Script) bool) *Script {
	end := time.Now().Add(limit)
	for progress := true; progress; {
		progress = false
		for i := 0; time.Now().Before(end); {
			c := s.Clone()
			m := &mutation{left: i}
			if !m.script(c) {
				break
			}
			if usable(c, inputs) && fails(c) {
				s, progress = c, true
			} else {
				i++
			}
		}
	}
	if err := s.Check(); err != nil { // restores the types
		panic(err)
	}
	return s
}

func usable(s *Script, inputs []Input) bool {
	if s.Check() != nil {
		return false
	}
	_, err := s.Run(inputs)
	return err == nil
}

// mutation applies one simplification: that which comes when left have passed.
type mutation struct {
	left int
	done bool
}

// here reports whether the simplification at hand is the one.
func (m *mutation) here() bool {
	if m.done {
		return false
	}
	m.left--
	m.done = m.left < 0
	return m.done
}

func (m *mutation) script(s *Script) bool {
	for i, p := range s.Probes {
		switch {
		case len(s.Probes) > 1 && m.here():
			s.Probes = append(s.Probes[:i:i], s.Probes[i+1:]...)
			return true
		case p.Predicate != nil && m.here():
			p.Predicate = nil
		case p.Predicate != nil && m.expr(&p.Predicate):
		case m.block(p.Body):
		}
		if m.done {
			return true
		}
	}
	if s.Strlen > 0 && m.here() {
		s.Strlen = 0
	}
	return m.done
}

func (m *mutation) block(b *Block) bool {
	for n := len(b.Stmts); n > 1; n /= 2 { // runs of statements, long ones first
		for i := 0; i+n <= len(b.Stmts); i += n {
			if m.here() {
				b.Stmts = append(b.Stmts[:i:i], b.Stmts[i+n:]...)
				return true
			}
		}
	}
	for i, s := range b.Stmts {
		if m.here() {
			b.Stmts = append(b.Stmts[:i:i], b.Stmts[i+1:]...)
			return true
		}
		for _, inner := range s.Blocks {
			if m.here() {
				b.Stmts = append(append(b.Stmts[:i:i], inner.Stmts...), b.Stmts[i+1:]...)
				return true
			}
		}
		if m.stmt(s) {
			return true
		}
	}
	return false
}

func (m *mutation) stmt(s *Stmt) bool {
	if len(s.Blocks) == 2 && m.here() {
		s.Blocks = s.Blocks[:1]
		return true
	}
	for i := range s.X {
		if s.Op == Printf && m.here() {
			s.X = append(s.X[:i:i], s.X[i+1:]...)
			s.Text = "p"
			for range s.X {
				s.Text += " %s"
			}
			return true
		}
		first := i == 0 && (s.Op == Assign || s.Op == Agg)
		if first && m.inside(s.X[i]) || !first && m.expr(&s.X[i]) {
			return true
		}
	}
	for _, b := range s.Blocks {
		if m.block(b) {
			return true
		}
	}
	return false
}

// expr replaces *x by something simpler: a small value or a part of it.
func (m *mutation) expr(x **Expr) bool {
	for _, y := range simpler(*x) {
		if m.here() {
			*x = y
			return true
		}
	}
	return m.inside(*x)
}

// simpler lists what may stand for x.
func simpler(x *Expr) []*Expr {
	var out []*Expr
	if x.Op != Lit && x.Op != BoolLit && x.Op != StrLit {
		out = append(out, &Expr{Op: Lit, N: 1}, &Expr{Op: StrLit}, &Expr{Op: BoolLit})
		if x.Op != Arg && x.Op != MakeTuple {
			out = append(out, &Expr{Op: Arg, N: 7})
		}
	}
	if x.Op == Lit && (x.N > 1 || x.Text != "") {
		out = append(out, &Expr{Op: Lit, N: 1}, &Expr{Op: Lit, N: x.N / 2, Text: x.Text})
	}
	if x.Op == StrLit && x.Text != "" {
		out = append(out, &Expr{Op: StrLit, Text: x.Text[1:]})
	}
	return append(out, x.Kids...)
}

// inside simplifies a part of x.
func (m *mutation) inside(x *Expr) bool {
	if x.Body != nil && m.block(x.Body) {
		return true
	}
	for i := range x.Kids {
		if x.Op == IncDec && m.inside(x.Kids[i]) || x.Op != IncDec && m.expr(&x.Kids[i]) {
			return true
		}
	}
	return false
}

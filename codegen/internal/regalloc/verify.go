package regalloc

import (
	"fmt"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Verify checks an allocation without knowing how it was made: it follows which
// values each register and spill slot holds along all paths, and reports the
// first operand that does not find its value, the first result that breaks a
// constraint, and calls that keep what they lose. It does not look at values
// that are recomputed other than by who reads them.
func Verify(a *ir.Alloc) error {
	c := &checker{a: a, in: make([]contents, a.Func.NumBlocks())}
	entry := c.blank()
	for i, p := range a.Func.Blocks[0].Params {
		entry[i+1] = []*ir.Value{p}
	}
	c.in[a.Func.Blocks[0].ID] = entry
	order := ir.RPO(a.Func)
	for changed := true; changed; {
		changed = false
		for _, b := range order {
			if c.in[b.ID] == nil {
				continue
			}
			out, err := c.block(b, false)
			if err != nil {
				return err
			}
			for _, e := range b.Term.Succs {
				changed = c.join(e, out) || changed
			}
		}
	}
	for _, b := range order {
		if _, err := c.block(b, true); err != nil {
			return fmt.Errorf("func %s, block b%d: %w", a.Func.Name, b.ID, err)
		}
	}
	return nil
}

// contents has the values that are known to be in each place: R0 to R10, then
// from ir.SpillLoc on the spill slots.
type contents [][]*ir.Value

type checker struct {
	a  *ir.Alloc
	in []contents // by block ID; nil where no path is known yet
}

func (c *checker) blank() contents { return make(contents, int(ir.SpillLoc)+c.a.Spills) }

// block follows the steps of b and returns what holds at its end. Complaints
// are final only once the contents at the start are.
func (c *checker) block(b *ir.Block, complain bool) (contents, error) {
	s := slices.Clone(c.in[b.ID])
	var done []*ir.Value
	for i, st := range c.a.Blocks[b.ID].Steps {
		if !st.Move {
			done = append(done, st.Value)
		}
		if err := c.step(s, st); err != nil && complain {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	if !complain {
		return s, nil
	}
	if err := complete(b, done); err != nil {
		return nil, err
	}
	return s, c.terminator(s, b)
}

// complete checks that the operations of b are all there, in order.
func complete(b *ir.Block, done []*ir.Value) error {
	var want []*ir.Value
	for _, v := range b.Values {
		if !v.Remat() && v != b.Fused() {
			want = append(want, v)
		}
	}
	if !slices.Equal(want, done) {
		return fmt.Errorf("%d operations, want %d in their order", len(done), len(want))
	}
	return nil
}

func (c *checker) step(s contents, st ir.Step) error {
	if !st.Move {
		return c.operation(s, st)
	}
	if st.Dst < 0 || int(st.Dst) >= len(s) || st.Dst == 10 {
		return fmt.Errorf("move to place %d", st.Dst)
	}
	if !st.Dst.IsReg() && st.Src != ir.NoLoc && !st.Src.IsReg() {
		return fmt.Errorf("move from memory to memory")
	}
	if st.Src == ir.NoLoc {
		if v := st.Value; !st.Dst.IsReg() && (v.Op != ir.OpConst || !ir.Fits32(v.Imm)) {
			return fmt.Errorf("v%d can not be stored as an immediate", v.ID)
		}
		s[st.Dst] = []*ir.Value{st.Value}
		if !st.Value.Remat() {
			return fmt.Errorf("v%d can not be recomputed", st.Value.ID)
		}
		return nil
	}
	s[st.Dst] = s[st.Src]
	if st.Value == nil {
		return nil
	}
	return holds(s, st.Src, st.Value)
}

func holds(s contents, l ir.Loc, v *ir.Value) error {
	if l < 0 || int(l) >= len(s) || !slices.Contains(s[l], v) {
		return fmt.Errorf("place %d does not hold v%d (%s)", l, v.ID, v.Op)
	}
	return nil
}

// operation checks the operands and the result of one operation.
func (c *checker) operation(s contents, st ir.Step) error {
	v := st.Value
	err := c.operands(s, v, st.Args[:])
	call := v.Constraint() == ir.CallRegs
	for i := range v.Args {
		if call && st.Args[i] != ir.Loc(i+1) {
			err = fmt.Errorf("operand %d of a call is in place %d", i, st.Args[i])
		}
	}
	if call {
		for r := range firstSaved {
			s[r] = nil
		}
	}
	if v.Type == ir.Void {
		return err
	}
	if !st.Dst.IsReg() || st.Dst >= numRegs || call && st.Dst != 0 {
		return fmt.Errorf("result of v%d in place %d", v.ID, st.Dst)
	}
	if clash(v, st) {
		err = fmt.Errorf("result of v%d (%s) destroys an operand", v.ID, v.Op)
	}
	// In a loop, copies from the round before are stale from here on.
	for l, vs := range s {
		if slices.Contains(vs, v) {
			s[l] = slices.DeleteFunc(slices.Clone(vs), func(x *ir.Value) bool { return x == v })
		}
	}
	s[st.Dst] = []*ir.Value{v}
	return err
}

func (c *checker) operands(s contents, v *ir.Value, args []ir.Loc) error {
	for i, x := range v.Args {
		if v.Folded(i) {
			continue
		}
		if !args[i].IsReg() {
			return fmt.Errorf("operand %d of v%d is in place %d", i, v.ID, args[i])
		}
		if err := holds(s, args[i], x); err != nil {
			return err
		}
	}
	return nil
}

// clash reports whether the result of v overwrites an operand before it is read.
func clash(v *ir.Value, st ir.Step) bool {
	a, b := st.Args[0], st.Args[1]
	switch v.Constraint() {
	case ir.Tied:
		return st.Dst == b && a != b
	case ir.TiedSecond:
		return st.Dst == a && a != b
	case ir.Distinct:
		return st.Dst == a || st.Dst == b
	}
	return false
}

func (c *checker) terminator(s contents, b *ir.Block) error {
	term := c.a.Blocks[b.ID].Term
	fused := b.Fused()
	switch {
	case fused != nil:
		return c.operands(s, fused, term[:])
	case b.Term.Kind == ir.Return && term[0] != 0:
		return fmt.Errorf("result of the function in place %d", term[0])
	case b.Term.Cond != nil:
		return holds(s, term[0], b.Term.Cond)
	}
	return nil
}

// join intersects what holds at the start of e.To with s, in which parameters
// are what e passes for them. It reports whether that is news.
func (c *checker) join(e ir.Edge, s contents) bool {
	next := c.blank()
	for l, vs := range s {
		for _, v := range vs {
			if v.Op == ir.OpParam && slices.Contains(e.To.Params, v) {
				continue // a value of the round before
			}
			next[l] = append(next[l], v)
		}
		for i, x := range e.Args {
			if slices.Contains(vs, x) {
				next[l] = append(next[l], e.To.Params[i])
			}
		}
	}
	old := c.in[e.To.ID]
	if old == nil {
		c.in[e.To.ID] = next
		return true
	}
	changed := false
	for l := range old {
		kept := slices.DeleteFunc(slices.Clone(old[l]), func(v *ir.Value) bool { return !slices.Contains(next[l], v) })
		changed = changed || len(kept) != len(old[l])
		old[l] = kept
	}
	return changed
}

package ir

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Verify returns an error that names the first place where f breaks an
// invariant of the package. Blocks that no path reaches are allowed; what they
// use need not dominate them.
func Verify(f *Func) error {
	if f == nil {
		return errors.New("no function")
	}
	v := &verifier{f: f}
	if err := v.run(); err != nil {
		return fmt.Errorf("func %s: %w", name(f.Name), err)
	}
	return nil
}

// VerifyProgram verifies the functions of p and that they only call each other.
func VerifyProgram(p *Program) error {
	if p.Main == nil {
		return errors.New("program without a main function")
	}
	funcs := map[*Func]bool{}
	names := map[string]bool{}
	for _, f := range p.Funcs() {
		if err := Verify(f); err != nil {
			return err
		}
		if names[f.Name] {
			return fmt.Errorf("func %s is defined twice", name(f.Name))
		}
		funcs[f], names[f.Name] = true, true
	}
	for _, f := range p.Funcs() {
		for _, b := range f.Blocks {
			for _, v := range b.Values {
				if callee, ok := v.Aux.(*Func); ok && !funcs[callee] {
					return fmt.Errorf("func %s: %s: the function is not part of the program", name(f.Name), v)
				}
			}
		}
	}
	return verifyMaps(p)
}

// verifyMaps checks that a name stands for one map.
func verifyMaps(p *Program) error {
	maps := map[string]*Map{}
	for _, m := range usedMaps(p.Funcs()...) {
		if other := maps[m.Name]; other != nil && other != m {
			return fmt.Errorf("two maps are called %s", name(m.Name))
		}
		maps[m.Name] = m
	}
	return nil
}

type verifier struct {
	f      *Func
	blocks []*Block // by ID
	defs   []*Value // by ID
	order  []int    // by ID of a value: position in its block, 0 for parameters
	slots  map[*Slot]bool
}

func (v *verifier) run() error {
	for _, step := range []func() error{v.collectSlots, v.collectBlocks, v.collectValues, v.checkEdges, v.checkPreds, v.checkUses} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) collectSlots() error {
	v.slots = map[*Slot]bool{}
	ids := map[int]bool{}
	for _, s := range v.f.Slots {
		switch {
		case s == nil || ids[s.ID]:
			return errors.New("slot is nil or its ID is used twice")
		case s.Size < 0 || s.Align < 0 || s.Align&(s.Align-1) != 0:
			return fmt.Errorf("%s: bad size or alignment", slotName(s))
		}
		ids[s.ID], v.slots[s] = true, true
	}
	return nil
}

func (v *verifier) collectBlocks() error {
	if len(v.f.Blocks) == 0 {
		return errors.New("no blocks")
	}
	v.blocks = make([]*Block, v.f.NumBlocks())
	for _, b := range v.f.Blocks {
		switch {
		case b == nil || b.Func != v.f:
			return errors.New("block is nil or belongs to another function")
		case b.ID < 0 || b.ID >= len(v.blocks) || v.blocks[b.ID] != nil:
			return fmt.Errorf("%s: the ID is out of range or used twice", blockName(b))
		}
		v.blocks[b.ID] = b
	}
	return nil
}

func (v *verifier) collectValues() error {
	v.defs = make([]*Value, v.f.NumValues())
	v.order = make([]int, v.f.NumValues())
	for _, b := range v.f.Blocks {
		for _, x := range b.Params {
			if err := v.collectValue(b, x, 0); err != nil {
				return err
			}
			if x.Op != OpParam || x.Type != I64 && x.Type != Ptr {
				return fmt.Errorf("%s: %s is no parameter", blockName(b), valueName(x))
			}
		}
		for i, x := range b.Values {
			if err := v.collectValue(b, x, i+1); err != nil {
				return err
			}
			if err := v.checkValue(x); err != nil {
				return fmt.Errorf("%s: %s: %w", blockName(b), x, err)
			}
		}
	}
	return nil
}

func (v *verifier) collectValue(b *Block, x *Value, order int) error {
	switch {
	case x == nil:
		return fmt.Errorf("%s: nil value", blockName(b))
	case x.ID < 0 || x.ID >= len(v.defs) || v.defs[x.ID] != nil:
		return fmt.Errorf("%s: %s: the ID is out of range or used twice", blockName(b), x)
	case x.Block != b:
		return fmt.Errorf("%s: %s: Block is %s", blockName(b), x, blockName(x.Block))
	}
	v.defs[x.ID], v.order[x.ID] = x, order
	return nil
}

func (v *verifier) checkEdges() error {
	for _, b := range v.f.Blocks {
		cond, succs := b.Term.Cond != nil, len(b.Term.Succs)
		switch k := b.Term.Kind; {
		case k == Jump && !cond && succs == 1:
		case k == Branch && cond && succs == 2 && b.Term.Cond.Type != Void:
		case k == Return && cond && succs == 0 && b.Term.Cond.Type == I64:
		default:
			return fmt.Errorf("%s: missing or bad terminator", blockName(b))
		}
		for _, e := range b.Term.Succs {
			if err := v.checkEdge(e); err != nil {
				return fmt.Errorf("%s: edge to %s: %w", blockName(b), blockName(e.To), err)
			}
		}
	}
	return nil
}

func (v *verifier) checkEdge(e Edge) error {
	switch {
	case e.To == nil || e.To.Func != v.f || v.blocks[e.To.ID] != e.To:
		return errors.New("the block is not part of the function")
	case e.To == v.f.Blocks[0]:
		return errors.New("the entry block has no predecessors")
	case len(e.Args) != len(e.To.Params):
		return fmt.Errorf("%d arguments for %d parameters", len(e.Args), len(e.To.Params))
	}
	for i, p := range e.To.Params {
		if a := e.Args[i]; a == nil || a.Type != p.Type {
			return fmt.Errorf("argument %s for parameter %s has another type", valueName(a), valueName(p))
		}
	}
	return nil
}

func (v *verifier) checkPreds() error {
	preds := make([][]*Block, len(v.blocks)) // in the order of f.Blocks
	for _, b := range v.f.Blocks {
		for _, e := range b.Term.Succs {
			preds[e.To.ID] = append(preds[e.To.ID], b)
		}
	}
	byID := func(a, b *Block) int { return cmp.Compare(a.ID, b.ID) }
	for _, b := range v.f.Blocks {
		if slices.Contains(b.Preds, nil) {
			return fmt.Errorf("%s: nil predecessor", blockName(b))
		}
		slices.SortFunc(preds[b.ID], byID)
		if !slices.Equal(preds[b.ID], slices.SortedFunc(slices.Values(b.Preds), byID)) {
			return fmt.Errorf("%s: the predecessor list does not match the edges", blockName(b))
		}
	}
	return nil
}

// checkUses checks that what reachable code uses is defined on every path.
func (v *verifier) checkUses() error {
	d := Dominators(v.f)
	for _, b := range v.f.Blocks {
		for i, x := range b.Values {
			for _, a := range x.Args {
				if err := v.checkUse(d, b, i+1, a); err != nil {
					return fmt.Errorf("%s: %s: %w", blockName(b), x, err)
				}
			}
		}
		end := len(b.Values) + 1
		if b.Term.Cond != nil {
			if err := v.checkUse(d, b, end, b.Term.Cond); err != nil {
				return fmt.Errorf("%s: terminator: %w", blockName(b), err)
			}
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				if err := v.checkUse(d, b, end, a); err != nil {
					return fmt.Errorf("%s: edge to %s: %w", blockName(b), blockName(e.To), err)
				}
			}
		}
	}
	return nil
}

func (v *verifier) checkUse(d *Dom, b *Block, order int, a *Value) error {
	if a.ID < 0 || a.ID >= len(v.defs) || v.defs[a.ID] != a {
		return fmt.Errorf("%s is in no block of the function", valueName(a))
	}
	if !d.Reachable(b) {
		return nil
	}
	if a.Block == b && v.order[a.ID] < order || a.Block != b && d.Dominates(a.Block, b) {
		return nil
	}
	return fmt.Errorf("%s is used before it is defined", valueName(a))
}

// operandKind is what an operand may be.
type operandKind uint8

const (
	integer operandKind = iota
	pointer
	either
)

func (k operandKind) allows(t Type) bool {
	return t == I64 && k != pointer || t == Ptr && k != integer
}

// operandKinds returns the kinds of the first and second operand. Orders and
// equality of pointers are what null checks and packet bounds are made of.
func operandKinds(op Op) [2]operandKind {
	switch op {
	case OpAdd, OpSub:
		return [2]operandKind{either, integer}
	case OpEq, OpNe, OpULt, OpULe:
		return [2]operandKind{either, either}
	case OpStore:
		return [2]operandKind{pointer, either}
	case OpLoad, OpAtomicAdd, OpAtomicFetchAdd, OpZero, OpMapLookup, OpMapDelete:
		return [2]operandKind{pointer, integer}
	case OpCopy, OpMapUpdate:
		return [2]operandKind{pointer, pointer}
	}
	return [2]operandKind{integer, integer}
}

func (v *verifier) checkValue(x *Value) error {
	if x.Op <= OpParam || x.Op >= NumOps {
		return errors.New("no such operation")
	}
	for _, a := range x.Args {
		if a == nil {
			return errors.New("nil operand")
		}
	}
	if n := x.Op.Info().Args; n >= 0 {
		if len(x.Args) != n {
			return fmt.Errorf("%d operands, not %d", len(x.Args), n)
		}
		kinds := operandKinds(x.Op)
		for i, a := range x.Args {
			if !kinds[i].allows(a.Type) {
				return fmt.Errorf("operand %s must not be %s", valueName(a), a.Type)
			}
		}
	}
	if !v.resultAllowed(x) {
		return fmt.Errorf("the result must not be %s", x.Type)
	}
	if x.Size < 0 {
		return errors.New("negative size")
	}
	if !widthAllowed(x) {
		return fmt.Errorf("bad width %d", x.Width)
	}
	return v.checkAux(x)
}

func (v *verifier) resultAllowed(x *Value) bool {
	switch x.Op {
	case OpAdd, OpSub:
		return x.Type == x.Args[0].Type
	case OpConst:
		return x.Type == I64 || x.Type == Ptr && x.Imm == 0
	case OpLoad:
		return x.Type == I64 || x.Type == Ptr && x.Width == 8
	case OpCall:
		h, ok := x.Aux.(*Helper)
		return ok && h != nil && x.Type == h.Result
	}
	return x.Type == x.Op.Info().Result
}

func widthAllowed(x *Value) bool {
	w := x.Width
	switch x.Op {
	case OpLoad:
		return w == 1 || w == 2 || w == 4 || w == 8
	case OpStore:
		return (w == 1 || w == 2 || w == 4 || w == 8) && (w == 8 || x.Args[1].Type == I64)
	case OpAtomicAdd, OpAtomicFetchAdd:
		return w == 4 || w == 8
	case OpSExt, OpZExt:
		return w >= 1 && w <= 64
	case OpBSwap:
		return w == 16 || w == 32 || w == 64
	}
	return true
}

func (v *verifier) checkAux(x *Value) error {
	ok := false
	switch kind := opForm(x.Op).aux; kind {
	case auxSlot:
		s, _ := x.Aux.(*Slot)
		ok = v.slots[s]
	case auxMap:
		m, _ := x.Aux.(*Map)
		ok = m != nil
	case auxFunc:
		f, _ := x.Aux.(*Func)
		ok = f != nil && len(f.Blocks) > 0
	case auxHelper:
		return checkCall(x, x.Aux.(*Helper))
	default:
		ok = x.Aux == nil
	}
	if !ok {
		return errors.New("it refers to something else than its operation needs")
	}
	return nil
}

func checkCall(x *Value, h *Helper) error {
	if len(x.Args) > maxCallArgs {
		return fmt.Errorf("%d arguments are more than a call can pass", len(x.Args))
	}
	for _, a := range x.Args {
		if a.Type == Void {
			return fmt.Errorf("operand %s must not be void", valueName(a))
		}
	}
	switch n := len(x.Args); {
	case h.Writes >= n || h.Writes >= 0 && x.Args[h.Writes].Type != Ptr:
		return fmt.Errorf("helper %s fills argument %d, which is no pointer", name(h.Name), h.Writes+1)
	case h.SizeArg >= n || h.SizeArg >= 0 && x.Args[h.SizeArg].Type != I64:
		return fmt.Errorf("helper %s takes a size in argument %d, which is no integer", name(h.Name), h.SizeArg+1)
	}
	return nil
}

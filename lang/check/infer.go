package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// unknown is the type of what no pass has found a type for yet, and of
// expressions with an error. It goes with every type, so that one fault is
// reported once.
type unknown struct{}

func (unknown) Size() int      { return 0 }
func (unknown) Align() int     { return 1 }
func (unknown) String() string { return "unknown" }

func isUnknown(t types.Type) bool {
	_, ok := t.(unknown)
	return ok || t == nil
}

// slot is the inferred type of a variable, a map's key or a map's value.
type slot struct {
	typ types.Type // nil: nothing assigned yet
	// flex tells that only non-negative literals have been assigned: the type
	// takes the sign of what comes next.
	flex  bool
	fixed bool // declared with a type
	first source.Span
	// mixed is where integers of 64 bits of different signs met.
	mixed source.Span
	// source is the first expression that gave a type. What of it are addresses in
	// the program's own memory follows that expression: what lies there may widen.
	source source.Span
}

// varKey names a variable over all passes: the node that declares it and the
// instance (probe target, macro call) that it belongs to.
type varKey struct {
	node ast.Node
	inst int
}

// instKey names an instance: what it is made in, and by which node.
type instKey struct {
	parent int
	node   any
	n      int
}

// inference is what the passes have found out.
type inference struct {
	vars    map[varKey]*slot
	keys    map[string]*slot
	values  map[string]*slot
	forms   map[string]mapForm
	insts   map[instKey]int
	changed bool
	last    source.Span // where a type was last found or widened
	// waiting tells that this pass met a choice (c ? x : y) of which only one side
	// has a type yet. It has no type either then: a type once joined stays, and
	// that of one side may be another one than that of both.
	waiting bool
	// oneSided is set once nothing changes any more but choices wait, as in
	// `@m = c ? @m : 1`: these take the type of the side that has one.
	oneSided bool
	// settled is set once nothing changes any more but maps without any
	// assignment: these become int8.
	settled bool
}

func newInference() *inference {
	return &inference{
		vars:   map[varKey]*slot{},
		keys:   map[string]*slot{},
		values: map[string]*slot{},
		forms:  map[string]mapForm{},
		insts:  map[instKey]int{},
	}
}

// instance returns the number of an instance, the same in every pass.
func (in *inference) instance(k instKey) int {
	n, ok := in.insts[k]
	if !ok {
		n = len(in.insts) + 1
		in.insts[k] = n
	}
	return n
}

func (in *inference) variable(k varKey) *slot { return getSlot(in.vars, k) }
func (in *inference) key(m string) *slot      { return getSlot(in.keys, m) }
func (in *inference) value(m string) *slot    { return getSlot(in.values, m) }

func getSlot[K comparable](m map[K]*slot, k K) *slot {
	s := m[k]
	if s == nil {
		s = &slot{}
		m[k] = s
	}
	return s
}

// typeOf returns the type of the slot, unknown if there is none yet.
func (s *slot) typeOf() types.Type {
	if s.typ == nil {
		return unknown{}
	}
	return s.typ
}

// join widens s so that it holds values of x's type too. It reports false, and
// leaves s alone, if no type holds both.
func (in *inference) join(s *slot, x operand) bool {
	t := x.Type()
	if isUnknown(t) || s.fixed {
		return true
	}
	if s.typ == nil {
		s.typ, s.flex, s.first, s.source = t, x.flex, x.Pos(), x.Pos()
		in.changed, in.last = true, x.Pos()
		return true
	}
	if s.source == x.Pos() {
		if now := follow(s.typ, t); !identical(s.typ, now) {
			s.typ = now
			in.changed, in.last = true, x.Pos()
		}
	}
	j, ok := joinTypes(s.typ, s.flex, t, x.flex)
	if !ok {
		return false
	}
	if a, ok := s.typ.(types.Int); ok && !s.mixed.IsValid() && !s.flex && !x.flex {
		if b, ok := t.(types.Int); ok && a.Signed != b.Signed && (isUint64(a) || isUint64(b)) {
			s.mixed = x.Pos()
		}
	}
	flex := s.flex && x.flex
	if !identical(j, s.typ) {
		s.typ = j
		in.changed, in.last = true, x.Pos()
	}
	if flex != s.flex {
		s.flex = flex
		in.changed = true
	}
	return true
}

// follow returns the type old with the addresses in the program's own memory that
// the new type has in their places.
func follow(old, new types.Type) types.Type {
	if isLocal(old) && isLocal(new) {
		_, untyped := new.(types.Pointer).Elem.(types.Void)
		if untyped && !isUnknown(old.(types.Pointer).Elem) {
			return old // which another address may have given a target
		}
		return new
	}
	x, ok := old.(*types.Struct)
	y, same := new.(*types.Struct)
	if !ok || !same || !x.IsTuple() || x.Kind != y.Kind || len(x.Fields()) != len(y.Fields()) {
		return old
	}
	var names []string
	elems := make([]types.Type, len(x.Fields()))
	for i, f := range x.Fields() {
		g := y.Fields()[i]
		if x.Kind == types.RecordKind {
			names = append(names, f.Name)
			if g, ok = y.Lookup(f.Name); !ok {
				return old
			}
		}
		elems[i] = follow(f.Type, g.Type)
	}
	return types.NewTuple(names, elems)
}

// isLocal reports whether t is the type of an address in the program's own
// memory.
func isLocal(t types.Type) bool {
	p, ok := t.(types.Pointer)
	return ok && p.Space == types.Local
}

// identical is types.Equal that also minds what Equal overlooks: the
// truncation mark of strings and the address space of pointers.
func identical(a, b types.Type) bool {
	if x, ok := a.(types.String); ok {
		return x == b
	}
	if x, ok := a.(types.Pointer); ok {
		y, ok := b.(types.Pointer)
		return ok && x.Space == y.Space && x.BTF == y.BTF && identical(x.Elem, y.Elem)
	}
	return types.Equal(a, b)
}

// joinTypes returns the type that holds values of both a and b.
func joinTypes(a types.Type, aFlex bool, b types.Type, bFlex bool) (types.Type, bool) {
	if isUnknown(a) {
		return b, true
	}
	if isUnknown(b) {
		return a, true
	}
	switch x := a.(type) {
	case types.Int:
		if y, ok := b.(types.Int); ok {
			return joinInts(x, aFlex, y, bFlex), true
		}
		if e, ok := b.(*types.Enum); ok {
			return joinInts(x, aFlex, enumInt(e), false), true
		}
	case *types.Enum:
		if y, ok := b.(types.Int); ok {
			return joinInts(enumInt(x), false, y, bFlex), true
		}
		if y, ok := b.(*types.Enum); ok && !types.Equal(x, y) {
			return joinInts(enumInt(x), false, enumInt(y), false), true
		}
	case types.String:
		if y, ok := b.(types.String); ok {
			return types.String{Cap: max(x.Cap, y.Cap), Trunc: x.Trunc || y.Trunc}, true
		}
	case types.Buffer:
		if y, ok := b.(types.Buffer); ok {
			return types.Buffer{Cap: max(x.Cap, y.Cap)}, true
		}
	case types.Pointer:
		if y, ok := b.(types.Pointer); ok {
			return joinPointers(x, y)
		}
	case types.Stack:
		if y, ok := b.(types.Stack); ok && x.User == y.User && x.Mode == y.Mode {
			x.Limit = max(x.Limit, y.Limit)
			return x, true
		}
		return nil, false
	case *types.Struct:
		if y, ok := b.(*types.Struct); ok && x.IsTuple() && x.Kind == y.Kind {
			return joinTuples(x, y)
		}
	}
	if types.Equal(a, b) {
		return a, true
	}
	return nil, false
}

// joinInts follows the table of the language reference, section 4.3.
func joinInts(a types.Int, aFlex bool, b types.Int, bFlex bool) types.Int {
	switch {
	case a.Signed == b.Signed:
		return types.Int{Bits: max(a.Bits, b.Bits), Signed: a.Signed}
	case a.Signed && aFlex:
		return types.Int{Bits: max(a.Bits, b.Bits)}
	case b.Signed && bFlex:
		return types.Int{Bits: max(a.Bits, b.Bits)}
	}
	s, u := a, b
	if b.Signed {
		s, u = b, a
	}
	if s.Bits > u.Bits {
		return s
	}
	return types.Int{Bits: min(64, 2*u.Bits), Signed: true}
}

func enumInt(e *types.Enum) types.Int { return types.Int{Bits: 8 * e.Bytes, Signed: e.Signed} }

func joinPointers(x, y types.Pointer) (types.Type, bool) {
	_, xv := x.Elem.(types.Void)
	_, yv := y.Elem.(types.Void)
	out := x
	switch {
	case types.Equal(x.Elem, y.Elem):
	case xv:
		out = y
	case yv:
	default:
		return nil, false
	}
	if x.Space != y.Space {
		out.Space = types.ByAddress
	}
	out.BTF = x.BTF && y.BTF
	return out, true
}

// joinTuples joins element by element, those of records by name; the order is
// that of x.
func joinTuples(x, y *types.Struct) (types.Type, bool) {
	xf, yf := x.Fields(), y.Fields()
	if len(xf) != len(yf) {
		return nil, false
	}
	var names []string
	elems := make([]types.Type, len(xf))
	for i, f := range xf {
		g := yf[i]
		if x.Kind == types.RecordKind {
			names = append(names, f.Name)
			var ok bool
			if g, ok = y.Lookup(f.Name); !ok {
				return nil, false
			}
		}
		j, ok := joinTypes(f.Type, false, g.Type, false)
		if !ok {
			return nil, false
		}
		elems[i] = j
	}
	return types.NewTuple(names, elems), true
}

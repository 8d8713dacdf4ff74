package progtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Features tells which constructs the kernel has; the zero value is Linux 5.10.
type Features struct {
	BPFLoop        bool // loops with any number of turns, 5.17
	ForEachMapElem bool // loops over maps and their length, 5.13
	PerCPULookup   bool // reading an aggregation, 5.18
	LongKeys       bool // keys above maxOldKey bytes, 5.11
}

// maxOldKey is how many bytes a key may have before Linux 5.11.
const maxOldKey = 512

// maxTries bounds the attempts to make a script that needs few steps.
const maxTries = 100

// Generate returns the script that belongs to a seed, checked, and the inputs
// for its runs in the task t. The runs take no longer than Script.Run allows.
func Generate(seed uint64, f Features, t Task) (*Script, []Input, error) {
	for try := range uint64(maxTries) {
		g := &gen{Rand: rand.New(rand.NewPCG(seed, try)), feat: f, s: &Script{Seed: seed}}
		g.script()
		if err := g.s.Check(); errors.Is(err, errCircular) {
			continue
		} else if err != nil {
			return nil, nil, fmt.Errorf("seed %d: %w\n%s", seed, err, g.s)
		}
		if !f.LongKeys && g.s.longestKey() > maxOldKey {
			continue
		}
		inputs := g.inputs(t)
		_, err := g.s.Run(inputs)
		if err == nil {
			return g.s, inputs, nil
		}
		if !errors.Is(err, ErrLimit) {
			return nil, nil, fmt.Errorf("seed %d: %w\n%s", seed, err, g.s)
		}
	}
	return nil, nil, fmt.Errorf("seed %d: %w", seed, ErrLimit)
}

// longestKey bounds the size in bytes of the keys of the script's maps.
func (s *Script) longestKey() int {
	n := 0
	for _, m := range s.maps {
		if m.key.t != nil {
			n = max(n, m.key.t.room())
		}
	}
	return n
}

// gen makes one script.
type gen struct {
	*rand.Rand
	feat  Features
	s     *Script
	vars  []*variable // visible ones that are no pointers
	ptrs  []*pointer  // visible ones
	maps  []*mapVar
	count int // of names
	left  int // statements
	depth int

	inFor   int     // bodies of for: no arguments of the event, no exit
	loops   []bool  // enclosing loops that break works in; false: unroll
	pure    int     // expressions without effects
	keys    int     // keys around what is being made
	ordered int     // bodies that depend on the order of elements are not allowed
	updated *mapVar // aggregation whose argument is being made
	held    int     // blocks around that must be left at their end: a map holds an address
}

// maxKeys bounds keys in keys: where they are tuples that read maps, each makes
// more than one on average, without end.
const maxKeys = 4

// variable is a variable that can be seen.
type variable struct {
	name   string
	t      *Type
	locked bool // not to be changed
	fixed  bool // has type t, not one that goes with it
}

// mapVar is a map of the script. key is nil in a scalar map.
type mapVar struct {
	name     string
	key, val *Type
	agg      string
	params   []uint64
	assigned bool
	locked   int // loops over it
}

// script makes one or two probes.
func (g *gen) script() {
	if g.IntN(3) > 0 {
		g.s.Strlen = []int{16, 32, 64, 100, 200}[g.IntN(5)]
	}
	g.maps = []*mapVar{{name: "n", val: int64Type(), assigned: true}}
	for range 1 + g.IntN(5) {
		g.newMap()
	}
	for i := range 1 + g.IntN(2) {
		p := &Probe{}
		if g.IntN(4) == 0 {
			p.Predicate = g.boolean(2)
		}
		p.Body = &Block{}
		if i == 0 {
			p.Body.Stmts = append(p.Body.Stmts, &Stmt{Op: Assign, Text: "=", X: []*Expr{{Op: MapRead, Name: "n"}, g.argument()}})
		}
		g.left = 4 + g.IntN(24)
		g.scoped(func() {
			var last []*Stmt
			if g.feat.BPFLoop && g.s.Seed%crowdEvery == 0 {
				last = g.crowd(p.Body)
			}
			body := g.statements()
			p.Body.Stmts = append(append(p.Body.Stmts, body.Stmts...), last...)
		})
		g.s.Probes = append(g.s.Probes, p)
	}
	g.assignAll()
}

// assignAll assigns a definite value to the maps that nothing has been assigned
// to yet, and to some others: where all that is assigned to a map depends on
// the map, it has no type.
func (g *gen) assignAll() {
	p := g.s.Probes[0]
	for _, m := range g.maps[1:] {
		if m.assigned && m.agg != "" {
			continue
		}
		s := &Stmt{Op: Assign, Text: "=", X: []*Expr{{Op: MapRead, Name: m.name}, g.definite(m.val)}}
		if m.key != nil {
			s.X[0].Kids = []*Expr{g.definite(m.key)}
		}
		if m.agg != "" {
			s.Op, s.Text, s.Params = Agg, m.agg, m.params
			if m.agg == "count" {
				s.X = s.X[:1]
			}
		}
		if g.IntN(2) == 0 {
			p.Body.Stmts = append([]*Stmt{s}, p.Body.Stmts...)
		} else {
			p.Body.Stmts = append(p.Body.Stmts, s)
		}
	}
}

// definite is a value that depends on nothing.
func (g *gen) definite(t *Type) *Expr {
	x := &Expr{Op: Lit, N: g.Uint64N(4)}
	switch t.Kind {
	case Int:
		return &Expr{Op: Cast, To: t, Kids: []*Expr{x}}
	case Bool:
		return &Expr{Op: BoolLit, N: x.N & 1}
	case Str:
		return &Expr{Op: StrLit, Text: g.text(t.Cap - 1)}
	case Array:
		return &Expr{Op: Cast, To: t, Kids: []*Expr{{Op: Cast, To: intType(8*t.size(), false), Kids: []*Expr{{Op: Arg, N: x.N}}}}}
	}
	out := &Expr{Op: MakeTuple, Names: t.Names}
	for _, e := range t.Elems {
		out.Kids = append(out.Kids, g.definite(e))
	}
	return out
}

func (g *gen) newMap() {
	m := &mapVar{name: g.name()}
	if g.IntN(4) > 0 {
		m.key = g.keyType()
	}
	if g.IntN(3) == 0 {
		m.agg = pick(g, "count", "sum", "min", "max", "avg", "stats", "hist", "lhist")
		m.val = int64Type()
		switch m.agg {
		case "hist":
			if g.IntN(2) == 0 {
				m.params = []uint64{g.Uint64N(6)}
			}
		case "lhist":
			low, step := g.Uint64N(50), 1+g.Uint64N(20)
			m.params = []uint64{low, low + step + g.Uint64N(200), step}
		}
	} else {
		m.val = g.valueType(2)
	}
	g.maps = append(g.maps, m)
}

func (g *gen) name() string {
	g.count++
	return fmt.Sprintf("%c%d", 'a'+byte(g.count%26), g.count)
}

func pick[T any](g *gen, xs ...T) T { return xs[g.IntN(len(xs))] }

func (g *gen) intType() *Type { return intType(8<<g.IntN(4), g.IntN(2) == 0) }

func (g *gen) keyType() *Type {
	switch g.IntN(8) {
	case 0:
		return strType(1 + g.IntN(20))
	case 1:
		return boolType()
	case 2, 3:
		return g.tupleType(2)
	case 4:
		return g.arrayType()
	}
	return g.intType()
}

// valueType is a type for a variable or map value; nested at most depth deep.
func (g *gen) valueType(depth int) *Type {
	switch g.IntN(12) {
	case 0:
		return boolType()
	case 1, 2:
		return strType(2 + g.IntN(30))
	case 3:
		return g.arrayType()
	case 4, 5:
		if depth > 0 {
			return g.tupleType(depth)
		}
	}
	return g.intType()
}

func (g *gen) arrayType() *Type {
	elem := g.intType()
	return arrayType(elem, max(1, 8>>g.IntN(3)/elem.size()))
}

func (g *gen) tupleType(depth int) *Type {
	t := tupleType(nil, nil)
	record := g.IntN(3) == 0
	for i := range 1 + g.IntN(4) {
		t.Elems = append(t.Elems, g.valueType(depth-1))
		if record {
			t.Names = append(t.Names, fmt.Sprintf("f%d", i))
		}
	}
	return t
}

// inputs makes the arguments of two to four runs, among them extremes.
func (g *gen) inputs(t Task) []Input {
	in := make([]Input, 2+g.IntN(3))
	for i := range in {
		in[i].Task = t
		for j := range in[i].Args {
			in[i].Args[j] = g.number()
		}
	}
	if g.IntN(3) == 0 { // a run that repeats
		in[len(in)-1] = in[0]
	}
	return in
}

// number is a number of any size, often at the edge of a type.
func (g *gen) number() uint64 {
	switch g.IntN(6) {
	case 0:
		return g.Uint64()
	case 1:
		return g.Uint64() >> g.IntN(64)
	case 2:
		n := uint64(1)<<g.IntN(64) + g.Uint64N(3) - 1
		return pick(g, n, -n)
	case 3:
		return pick(g, uint64(0), 1, 2, ^uint64(0))
	}
	return g.Uint64N(100)
}

// scoped runs f in a scope of its own.
func (g *gen) scoped(f func()) {
	n, ptrs := len(g.vars), len(g.ptrs)
	f()
	g.vars, g.ptrs = g.vars[:n], g.ptrs[:ptrs]
}

// visible returns a visible variable that ok accepts, or nil.
func (g *gen) visible(ok func(*variable) bool) *variable {
	var list []*variable
	for _, v := range g.vars {
		if ok(v) {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[g.IntN(len(list))]
}

// mapWith returns a map that ok accepts, or nil.
func (g *gen) mapWith(ok func(*mapVar) bool) *mapVar {
	var list []*mapVar
	for _, m := range g.maps {
		if ok(m) {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[g.IntN(len(list))]
}

// matches reports whether a value of type have can be used where want is
// wanted: integers go with one another.
func matches(have, want *Type) bool {
	switch {
	case have.Kind != want.Kind:
		return false
	case have.Kind == Tuple:
		return slices.Equal(have.Names, want.Names) && slices.EqualFunc(have.Elems, want.Elems, matches)
	case have.Kind == Array:
		return sameType(have, want)
	}
	return true
}

// readable reports whether the value of an element of m can be computed with.
func (g *gen) readable(m *mapVar) bool {
	if g.ordered > 0 || m == g.updated {
		return false
	}
	switch m.agg {
	case "":
		return true
	case "hist", "lhist", "stats":
		return false
	}
	return g.feat.PerCPULookup
}

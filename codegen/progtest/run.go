package progtest

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Input is what a run of a probe sees.
type Input struct {
	Args [MaxArgs]uint64
	Task
}

// Task is the thread in which a script runs.
type Task struct {
	Comm     string
	Pid, Tid uint32
}

// Transcript is all that can be seen of a series of runs, as text: two
// executions of a script agree if and only if their transcripts are equal.
type Transcript struct {
	Results []uint32 // of each run: what the program returned
	Events  []string // records in order, without run-time warnings
	Maps    []string // elements of all maps, in order
}

// String returns the transcript, a line for each item.
func (t *Transcript) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "results %v\n", t.Results)
	for _, list := range [][]string{t.Events, t.Maps} {
		for _, line := range list {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// ErrLimit is the error of Run for scripts that take too long.
var ErrLimit = errors.New("the script takes too many steps")

// errUnspecified is the error for scripts that do what the language leaves open.
var errUnspecified = errors.New("the language does not say what the script does")

// maxSteps bounds a run; generated scripts that need more are not used, as the
// verifier walks bounded loops turn by turn on old kernels.
const maxSteps = 20000

// Run runs every probe once on each input, in order. The script must have been
// checked.
func (s *Script) Run(inputs []Input) (*Transcript, error) {
	m := &machine{s: s, maps: map[string]*table{}}
	out := &Transcript{}
	for name, t := range s.maps {
		m.maps[name] = &table{t: t, elems: map[string]*elem{}}
	}
	for i := range inputs {
		for _, p := range s.Probes {
			m.in, m.vars, m.visible, m.result = &inputs[i], map[string]*place{}, nil, 0
			if p.Predicate == nil || m.eval(p.Predicate).N != 0 {
				m.block(p.Body)
			}
			if m.err != nil {
				return nil, m.err
			}
			out.Results = append(out.Results, uint32(m.result))
		}
	}
	out.Events = m.events
	out.Maps = m.elements()
	return out, m.err
}

// machine is the state of a run.
type machine struct {
	s       *Script
	in      *Input
	vars    map[string]*place
	visible []string // names of vars in the order in which they were declared
	maps    map[string]*table
	events  []string
	result  uint64
	steps   int
	err     error
}

// table is a map; scalar maps have the key "".
type table struct {
	t     *mapType
	elems map[string]*elem
}

type elem struct {
	key, val Value
	agg      aggregate
}

// flow tells how a statement ended.
type flow uint8

const (
	next flow = iota
	breaks
	continues
	returns
)

func (m *machine) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *machine) block(b *Block) flow {
	defer m.leave(len(m.visible))
	return m.statements(b)
}

func (m *machine) statements(b *Block) flow {
	for _, s := range b.Stmts {
		if m.steps++; m.steps > maxSteps {
			m.fail(ErrLimit)
		}
		if m.err != nil {
			return returns
		}
		if f := m.stmt(s); f != next {
			return f
		}
	}
	return next
}

func (m *machine) stmt(s *Stmt) flow {
	switch s.Op {
	case Let:
		m.let(s)
	case Assign:
		m.assign(s)
	case Agg:
		m.aggregate(s)
	case Discard, Eval:
		m.eval(s.X[0])
	case Printf, Print, MapEvent:
		m.emit(s)
	case Break:
		return breaks
	case Continue:
		return continues
	case Return:
		for _, x := range s.X {
			m.result = m.eval(x).N
		}
		return returns
	case Exit:
		m.emit(s)
		return returns
	case If:
		if m.eval(s.X[0]).N != 0 {
			return m.block(s.Blocks[0])
		}
		if len(s.Blocks) > 1 {
			return m.block(s.Blocks[1])
		}
	case Scope:
		return m.block(s.Blocks[0])
	default:
		return m.loop(s)
	}
	return next
}

func (m *machine) loop(s *Stmt) flow {
	switch s.Op {
	case Unroll:
		for range s.N {
			if f := m.block(s.Blocks[0]); f != next {
				return f
			}
		}
	case ForRange:
		lo, hi := int64(m.eval(s.X[0]).N), int64(m.eval(s.X[1]).N)
		for i := lo; i < hi && m.err == nil; i++ {
			if f := m.turn(s, Value{N: uint64(i)}); f == breaks || f == returns {
				return left(f)
			}
		}
	case While:
		for m.eval(s.X[0]).N != 0 && m.err == nil {
			if f := m.block(s.Blocks[0]); f == breaks || f == returns {
				return left(f)
			}
			if m.steps++; m.steps > maxSteps {
				m.fail(ErrLimit)
			}
		}
	case ForMap:
		return m.eachElement(s)
	}
	return next
}

// turn runs the body of a for loop with a value of its variable.
func (m *machine) turn(s *Stmt, v Value) flow {
	defer m.leave(len(m.visible))
	m.set(s.Name, v)
	return m.block(s.Blocks[0])
}

// left is how a loop ends that was left by f.
func left(f flow) flow {
	if f == breaks {
		return next
	}
	return f
}

// eachElement goes through a map in the order of its keys' texts; what the
// script does must not depend on it.
func (m *machine) eachElement(s *Stmt) flow {
	t := m.maps[s.Text]
	for _, k := range t.keys() {
		e := t.elems[k]
		if e == nil {
			continue
		}
		if f := m.turn(s, Value{L: []Value{e.key, t.number(e)}}); f == breaks || f == returns {
			m.fail(errUnspecified)
			return returns
		}
	}
	return next
}

func (t *table) keys() []string {
	var keys []string
	for k := range t.elems {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (m *machine) let(s *Stmt) {
	t := m.s.vars[s.Name].t
	if len(s.X) == 0 {
		m.set(s.Name, zero(t))
		return
	}
	m.set(s.Name, convert(m.eval(s.X[0]), s.X[0].info.t, t))
}

func (m *machine) assign(s *Stmt) {
	to, x := s.X[0], s.X[1]
	if to.Op == Var {
		var old Value
		if s.Text != "=" {
			old = m.variable(to.Name).v
		}
		m.set(to.Name, m.combine(s, old, x, m.s.vars[to.Name].t))
		return
	}
	t := m.maps[to.Name]
	e := t.find(m.key(t, to))
	old := zero(t.t.val.t)
	if e != nil {
		old = e.val
	}
	v := m.combine(s, old, x, t.t.val.t)
	t.insert(m.key(t, to)).val = v
}

// combine is the value that an assignment gives a place of type t.
func (m *machine) combine(s *Stmt, old Value, x *Expr, t *Type) Value {
	v := m.eval(x)
	if s.Text == "=" {
		return convert(v, x.info.t, t)
	}
	return convert(Value{N: m.compute(strings.TrimSuffix(s.Text, "="), old.N, v.N)}, int64Type(), t)
}

// compute is the run-time arithmetic of 4.4.
func (m *machine) compute(op string, a, b uint64) uint64 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		if b == 0 {
			return 1
		}
		return a / b
	case "%":
		if b == 0 {
			return 1
		}
		return a % b
	case "&":
		return a & b
	case "|":
		return a | b
	case "^":
		return a ^ b
	}
	if b >= 64 {
		m.fail(errUnspecified)
	}
	if op == "<<" {
		return a << b
	}
	return a >> b
}

// key evaluates the key of an access to t.
func (m *machine) key(t *table, x *Expr) Value {
	switch len(x.Kids) {
	case 0:
		return Value{}
	case 1:
		return convert(m.eval(x.Kids[0]), x.Kids[0].info.t, t.t.key.t)
	}
	parts, from := Value{}, tupleType(nil, nil)
	for _, k := range x.Kids {
		parts.L = append(parts.L, m.eval(k))
		from.Elems = append(from.Elems, k.info.t)
	}
	return convert(parts, from, t.t.key.t)
}

func (t *table) text(key Value) string {
	if t.t.scalar {
		return ""
	}
	return text(key, t.t.key.t)
}

func (t *table) find(key Value) *elem { return t.elems[t.text(key)] }

func (t *table) insert(key Value) *elem {
	k := t.text(key)
	e := t.elems[k]
	if e == nil {
		e = &elem{key: key}
		if t.t.agg == "" {
			e.val = zero(t.t.val.t)
		}
		t.elems[k] = e
	}
	return e
}

func (m *machine) emit(s *Stmt) {
	switch s.Op {
	case MapEvent:
		m.event(s.Text, "@"+s.Name)
	case Exit:
		code := uint64(0)
		for _, x := range s.X {
			code = m.eval(x).N
		}
		m.event("exit", fmt.Sprint(int64(code)))
	default:
		parts := []string{}
		for _, x := range s.X {
			parts = append(parts, text(m.eval(x), x.info.t))
		}
		if s.Op == Print {
			m.event("print", parts...)
		} else {
			m.event("printf "+s.Text, parts...)
		}
	}
}

func (m *machine) event(name string, parts ...string) {
	m.events = append(m.events, EventText(name, parts))
}

// EventText is the form of an event in a transcript.
func EventText(name string, args []string) string {
	return strings.Join(append([]string{name}, args...), " | ")
}

// elements lists the contents of all maps.
func (m *machine) elements() []string {
	var out []string
	for name, t := range m.maps {
		for k, e := range t.elems {
			if e.val.P != nil { // differs from run to run
				m.fail(errUnspecified)
				continue
			}
			value := e.agg.text(t.t)
			if t.t.agg == "" {
				value = text(e.val, t.t.val.t)
			}
			out = append(out, ElementText("@"+name, k, value))
		}
	}
	slices.Sort(out)
	return out
}

// ElementText is the form of an element of a map in a transcript.
func ElementText(name, key, value string) string {
	return fmt.Sprintf("%s[%s]: %s", name, key, value)
}

func bswap(n uint64, width int) uint64 { return bits.ReverseBytes64(n) >> (64 - uint(width)) }

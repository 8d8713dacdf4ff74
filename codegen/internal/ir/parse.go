package ir

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxID bounds the IDs in a text, so that tables indexed by them stay small.
const maxID = 1 << 20

// maxCallArgs is how many registers a call passes, R1 to R5.
const maxCallArgs = 5

// Parse reads the text form of a program. A text without a "program" line is a
// program without a name; its first function is the main one. helpers returns
// the helper of a name, or nil. The result satisfies VerifyProgram.
func Parse(text string, helpers func(name string) *Helper) (*Program, error) {
	p := &parser{
		prog:    &Program{},
		lookup:  helpers,
		helpers: map[string]*Helper{},
		maps:    map[string]*Map{},
		funcs:   map[string]*Func{},
	}
	if err := p.lines(text); err != nil {
		return nil, err
	}
	if err := VerifyProgram(p.prog); err != nil {
		return nil, err
	}
	return p.prog, nil
}

// ParseFunc reads a text that holds one function.
func ParseFunc(text string, helpers func(name string) *Helper) (*Func, error) {
	p, err := Parse(text, helpers)
	if err != nil {
		return nil, err
	}
	if len(p.Subs) > 0 {
		return nil, fmt.Errorf("func %s: only one function is expected", name(p.Subs[0].Name))
	}
	return p.Main, nil
}

type parser struct {
	lexer
	prog    *Program
	lookup  func(string) *Helper
	helpers map[string]*Helper // one for each name, whatever lookup gives
	maps    map[string]*Map
	funcs   map[string]*Func // those with a nil Blocks are not defined yet
	fn      *funcParser      // nil between functions
}

// funcParser holds what the lines of one function have named so far.
type funcParser struct {
	f      *Func
	cur    *Block
	slots  map[string]*Slot
	values map[string]*Value // not defined yet where Op is OpInvalid
	blocks map[string]*Block // not defined yet where Func is nil
	voids  []*Value          // get their IDs last
}

func (p *parser) lines(text string) error {
	no := 0
	for line := range strings.Lines(text) {
		no++
		p.reset(line)
		if p.at(tokEnd) {
			continue
		}
		err := p.line()
		if err == nil && p.err == nil && !p.at(tokEnd) {
			p.fail("end of line")
		}
		if p.err != nil {
			err = p.err
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", no, err)
		}
	}
	if p.fn != nil {
		return fmt.Errorf("func %s: missing }", name(p.fn.f.Name))
	}
	if p.prog.Main == nil {
		return errors.New("no function")
	}
	for _, ref := range slices.Sorted(maps.Keys(p.funcs)) {
		if p.funcs[ref].Blocks == nil {
			return fmt.Errorf("func %s is not defined", name(ref))
		}
	}
	return nil
}

func (p *parser) line() error {
	if p.fn != nil {
		return p.funcLine()
	}
	switch word := p.word(); word {
	case "program":
		p.prog.Name = p.word()
	case "map":
		return p.mapLine()
	case "scratch":
		return p.scratchLine()
	case "func":
		return p.funcHead()
	default:
		return fmt.Errorf("unexpected %q outside of a function", word)
	}
	return nil
}

func (p *parser) mapLine() error {
	m := &Map{Name: p.word()}
	m.KeySize = int(p.field("key"))
	m.ValueSize = int(p.field("value"))
	if p.maps[m.Name] != nil {
		return fmt.Errorf("map %s is declared twice", name(m.Name))
	}
	p.maps[m.Name] = m
	return nil
}

func (p *parser) scratchLine() error {
	m, err := p.mapRef()
	if err != nil {
		return err
	}
	p.prog.Scratch = m
	p.prog.ScratchKey = p.field("key")
	p.prog.ScratchSize = int(p.field("size"))
	return nil
}

func (p *parser) mapRef() (*Map, error) {
	w := p.word()
	if m := p.maps[w]; m != nil || p.err != nil {
		return m, nil
	}
	return nil, fmt.Errorf("map %s is not declared", name(w))
}

// funcRef returns the function of a name, which may be defined later.
func (p *parser) funcRef() *Func {
	w := p.word()
	f := p.funcs[w]
	if f == nil {
		f = &Func{Name: w}
		p.funcs[w] = f
	}
	return f
}

func (p *parser) funcHead() error {
	f := p.funcRef()
	if f.Blocks != nil {
		return fmt.Errorf("func %s is defined twice", name(f.Name))
	}
	f.Callback = p.accept("callback")
	f.Context = p.accept("context")
	if p.peekWord("depth") {
		f.Depth = int(p.field("depth"))
	}
	p.punct("{")
	if p.prog.Main == nil {
		p.prog.Main = f
	} else {
		p.prog.Subs = append(p.prog.Subs, f)
	}
	f.Blocks = []*Block{}
	p.fn = &funcParser{
		f:      f,
		slots:  map[string]*Slot{},
		values: map[string]*Value{},
		blocks: map[string]*Block{},
	}
	return nil
}

func (p *parser) funcLine() error {
	if p.atPunct("}") {
		p.next()
		err := p.fn.finish()
		p.fn = nil
		return err
	}
	first := p.word()
	switch {
	case p.err != nil:
		return nil
	case first == "slot" && p.fn.cur == nil:
		return p.slotLine()
	case p.atPunct("(") && strings.HasPrefix(first, "b"):
		return p.blockLine(first)
	case p.fn.cur == nil || p.fn.cur.Term.Kind != NoTerm:
		return fmt.Errorf("%s is in no block", first)
	}
	switch first {
	case "jump", "branch", "return":
		return p.termLine(first)
	}
	return p.valueLine(first)
}

func (p *parser) slotLine() error {
	ref := p.word()
	id, err := parseID("s", ref)
	if err != nil || p.err != nil {
		return err
	}
	if p.fn.slots[ref] != nil {
		return fmt.Errorf("slot %s is declared twice", ref)
	}
	s := &Slot{ID: id, Name: p.word(), Size: p.field("size"), Align: p.field("align")}
	s.OnStack = p.accept("stack")
	p.fn.slots[ref] = s
	p.fn.f.Slots = append(p.fn.f.Slots, s)
	return nil
}

func (p *parser) blockLine(ref string) error {
	b, err := p.fn.block(ref)
	if err != nil {
		return err
	}
	if b.Func != nil {
		return fmt.Errorf("block %s is defined twice", ref)
	}
	b.Func = p.fn.f
	p.fn.cur = b
	p.fn.f.Blocks = append(p.fn.f.Blocks, b)
	p.punct("(")
	for p.err == nil && !p.atPunct(")") {
		if len(b.Params) > 0 {
			p.punct(",")
		}
		v, err := p.fn.define(p.word(), OpParam, p.typ())
		if err != nil {
			return err
		}
		v.Block = b
		b.Params = append(b.Params, v)
	}
	p.punct(")")
	p.punct(":")
	return nil
}

func (p *parser) typ() Type {
	switch p.word() {
	case "i64":
		return I64
	case "ptr":
		return Ptr
	}
	p.fail("i64 or ptr")
	return Void
}

func (p *parser) termLine(kind string) error {
	t := Term{Kind: Return}
	edges := 0
	switch kind {
	case "jump":
		t.Kind, edges = Jump, 1
	case "branch":
		t.Kind, edges = Branch, 2
	}
	var err error
	if t.Kind != Jump {
		if t.Cond, err = p.operand(); err != nil {
			return err
		}
	}
	if t.Kind == Branch {
		p.punct("->")
	}
	for i := range edges {
		if i > 0 {
			p.punct(",")
		}
		to, err := p.fn.block(p.word())
		if err != nil {
			return err
		}
		args, err := p.list()
		if err != nil {
			return err
		}
		t.Succs = append(t.Succs, Edge{To: to, Args: args})
	}
	switch {
	case t.Kind == Branch && p.accept("likely"):
		p.fn.cur.Likely = 1
	case t.Kind == Branch && p.accept("unlikely"):
		p.fn.cur.Likely = -1
	}
	p.fn.cur.SetTerm(t)
	return nil
}

func (p *parser) operand() (*Value, error) { return p.fn.value(p.word()) }

// list reads operands in parentheses.
func (p *parser) list() ([]*Value, error) {
	var args []*Value
	p.punct("(")
	for p.err == nil && !p.atPunct(")") {
		if len(args) > 0 {
			p.punct(",")
		}
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	p.punct(")")
	return args, nil
}

// valueLine reads an operation; first is its result or its name.
func (p *parser) valueLine(first string) error {
	ref, typ := "", Void
	if p.atPunct("=") || p.peekWord("i64") || p.peekWord("ptr") {
		ref, typ = first, I64
		if !p.atPunct("=") {
			typ = p.typ()
		}
		p.punct("=")
		first = p.word()
	}
	if p.err != nil {
		return nil
	}
	op, width, err := parseOp(first)
	if err != nil {
		return err
	}
	v := &Value{Op: op}
	if ref != "" {
		if v, err = p.fn.define(ref, op, typ); err != nil {
			return err
		}
	} else {
		p.fn.voids = append(p.fn.voids, v)
	}
	v.Width = width
	p.fn.cur.Append(v)
	return p.operands(v, opForm(op))
}

// parseOp splits name.width.
func parseOp(s string) (Op, uint8, error) {
	word, suffix, dotted := strings.Cut(s, ".")
	for op := OpConst; op < NumOps; op++ {
		if op.String() != word || opForm(op).width != dotted {
			continue
		}
		if !dotted {
			return op, 0, nil
		}
		width, err := strconv.ParseUint(suffix, 10, 8)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: bad width", s)
		}
		return op, uint8(width), nil
	}
	return 0, 0, fmt.Errorf("unknown operation %q", s)
}

// operands is the reverse of printer.operands.
func (p *parser) operands(v *Value, form form) (err error) {
	first := true
	switch form.aux {
	case auxImm:
		v.Imm = p.number()
		return nil
	case auxHelper:
		if v.Aux, err = p.auxRef(form.aux); err != nil {
			return err
		}
		v.Args, err = p.list()
		return err
	case auxNone:
	default:
		if v.Aux, err = p.auxRef(form.aux); err != nil {
			return err
		}
		if p.at(tokNumber) {
			v.Imm = p.number()
		}
		first = false
	}
	for i := 0; i < v.Op.Info().Args; i++ {
		if !first {
			p.punct(",")
		}
		first = false
		a, err := p.operand()
		if err != nil {
			return err
		}
		v.Args = append(v.Args, a)
		if i < form.offsets {
			*[]*int64{&v.Imm, &v.Imm2}[i] = p.number()
		}
	}
	if form.size {
		p.punct(",")
		v.Size = p.number()
	}
	return nil
}

func (p *parser) auxRef(kind auxKind) (Aux, error) {
	switch kind {
	case auxSlot:
		w := p.word()
		if s := p.fn.slots[w]; s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("slot %s is not declared", w)
	case auxMap:
		return p.mapRef()
	case auxHelper:
		return p.helperRef()
	}
	return p.funcRef(), nil
}

func (p *parser) helperRef() (Aux, error) {
	w := p.word()
	h := p.helpers[w]
	if h == nil {
		h = p.lookup(w)
	}
	if h == nil {
		return nil, fmt.Errorf("unknown helper %s", name(w))
	}
	p.helpers[w] = h
	return h, nil
}

func (fp *funcParser) value(ref string) (*Value, error) {
	if v := fp.values[ref]; v != nil {
		return v, nil
	}
	id, err := parseID("v", ref)
	if err != nil {
		return nil, err
	}
	v := &Value{ID: id}
	fp.values[ref] = v
	fp.f.nextValue = max(fp.f.nextValue, id+1)
	return v, nil
}

func (fp *funcParser) define(ref string, op Op, t Type) (*Value, error) {
	v, err := fp.value(ref)
	if err != nil {
		return nil, err
	}
	if v.Op != OpInvalid {
		return nil, fmt.Errorf("%s is defined twice", ref)
	}
	v.Op, v.Type = op, t
	return v, nil
}

func (fp *funcParser) block(ref string) (*Block, error) {
	if b := fp.blocks[ref]; b != nil {
		return b, nil
	}
	id, err := parseID("b", ref)
	if err != nil {
		return nil, err
	}
	b := &Block{ID: id}
	fp.blocks[ref] = b
	fp.f.nextBlock = max(fp.f.nextBlock, id+1)
	return b, nil
}

// finish checks that all names are defined and numbers the values that the
// text gives no name.
func (fp *funcParser) finish() error {
	for _, ref := range slices.Sorted(maps.Keys(fp.values)) {
		if fp.values[ref].Op == OpInvalid {
			return fmt.Errorf("func %s: %s is not defined", name(fp.f.Name), ref)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(fp.blocks)) {
		if fp.blocks[ref].Func == nil {
			return fmt.Errorf("func %s: %s is not defined", name(fp.f.Name), ref)
		}
	}
	for _, v := range fp.voids {
		v.ID = fp.f.nextValue
		fp.f.nextValue++
	}
	return nil
}

// parseID reads the number after prefix; it is written without leading zeros,
// so that a name and an ID stand for each other.
func parseID(prefix, ref string) (int, error) {
	digits, ok := strings.CutPrefix(ref, prefix)
	id, err := strconv.Atoi(digits)
	if !ok || err != nil || id < 0 || strconv.Itoa(id) != digits {
		return 0, fmt.Errorf("%q is not a name like %s1", ref, prefix)
	}
	if id >= maxID {
		return 0, fmt.Errorf("%s: number too big", ref)
	}
	return id, nil
}

package ir

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The text form of a program is line-based; ";" starts a comment:
//
//	program NAME
//	map NAME key 8 value 16
//	scratch NAME key 0 size 64
//	func NAME callback context depth 1 {
//	slot s0 NAME size 16 align 8 stack
//	b0(v0 ptr, v1 i64):
//		v2 ptr = slot s0
//		v3 = load.4 v0+16
//		store.8 v2+8, v3
//		zero v2+0, 8
//		copy v2+0, v0-8, 8
//		v4 ptr = map_lookup NAME, v2
//		v5 = map_update NAME+1, v2, v2
//		v6 = call NAME(v0, v1)
//		branch v4 -> b1(v3), b2() likely
//	}
//
// Names that are not plain words are quoted as in Go. The type of a value is
// left out where it is i64. The text has everything but spans and the IDs of
// values without a result.

// String returns the text form of the program with the maps that it uses.
func (p *Program) String() string {
	w := &printer{}
	if p.Name != "" {
		w.put("program ", name(p.Name), "\n")
	}
	funcs := p.Funcs()
	w.maps(append(usedMaps(funcs...), p.Scratch))
	if p.Scratch != nil {
		w.put("scratch ", name(p.Scratch.Name), " key ", num(p.ScratchKey), " size ", num(int64(p.ScratchSize)), "\n")
	}
	for _, f := range funcs {
		w.fn(f)
	}
	return w.String()
}

// String returns the text form of the function after that of the maps it uses.
func (f *Func) String() string {
	w := &printer{}
	w.maps(usedMaps(f))
	w.fn(f)
	return w.String()
}

// String returns the text form of v without its place in a block.
func (v *Value) String() string {
	w := &printer{}
	w.value(v)
	return w.String()
}

// Funcs returns the functions of the program, the main one first.
func (p *Program) Funcs() []*Func {
	if p.Main == nil {
		return p.Subs
	}
	return append([]*Func{p.Main}, p.Subs...)
}

// String returns the word for t in the text form.
func (t Type) String() string {
	switch t {
	case I64:
		return "i64"
	case Ptr:
		return "ptr"
	}
	return "void"
}

type printer struct{ strings.Builder }

func (w *printer) put(parts ...string) {
	for _, s := range parts {
		w.WriteString(s)
	}
}

func usedMaps(funcs ...*Func) []*Map {
	var maps []*Map
	for _, f := range funcs {
		for _, b := range f.Blocks {
			for _, v := range b.Values {
				if m, ok := v.Aux.(*Map); ok {
					maps = append(maps, m)
				}
			}
		}
	}
	return maps
}

func (w *printer) maps(maps []*Map) {
	maps = slices.DeleteFunc(maps, func(m *Map) bool { return m == nil })
	slices.SortFunc(maps, func(a, b *Map) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range slices.Compact(maps) {
		w.put("map ", name(m.Name), " key ", strconv.Itoa(m.KeySize), " value ", strconv.Itoa(m.ValueSize), "\n")
	}
}

func (w *printer) fn(f *Func) {
	w.put("func ", name(f.Name))
	if f.Callback {
		w.put(" callback")
	}
	if f.Context {
		w.put(" context")
	}
	if f.Depth != 0 {
		w.put(" depth ", strconv.Itoa(f.Depth))
	}
	w.put(" {\n")
	for _, s := range f.Slots {
		w.put("slot ", slotName(s), " ", name(s.Name), " size ", num(s.Size), " align ", num(s.Align))
		if s.OnStack {
			w.put(" stack")
		}
		w.put("\n")
	}
	for _, b := range f.Blocks {
		w.block(b)
	}
	w.put("}\n")
}

func (w *printer) block(b *Block) {
	w.put(blockName(b), "(")
	for i, p := range b.Params {
		if i > 0 {
			w.put(", ")
		}
		w.put(valueName(p), " ", p.Type.String())
	}
	w.put("):\n")
	for _, v := range b.Values {
		w.put("\t")
		w.value(v)
		w.put("\n")
	}
	w.term(b)
}

func (w *printer) term(b *Block) {
	switch b.Term.Kind {
	case Jump:
		w.put("\tjump ")
	case Branch:
		w.put("\tbranch ", valueName(b.Term.Cond), " -> ")
	case Return:
		w.put("\treturn ", valueName(b.Term.Cond))
	default:
		return
	}
	for i, e := range b.Term.Succs {
		if i > 0 {
			w.put(", ")
		}
		w.put(blockName(e.To))
		w.list(e.Args)
	}
	if b.Term.Kind == Branch && b.Likely > 0 {
		w.put(" likely")
	}
	if b.Term.Kind == Branch && b.Likely < 0 {
		w.put(" unlikely")
	}
	w.put("\n")
}

func (w *printer) list(args []*Value) {
	w.put("(")
	for i, a := range args {
		if i > 0 {
			w.put(", ")
		}
		w.put(valueName(a))
	}
	w.put(")")
}

func (w *printer) value(v *Value) {
	if v.Type != Void {
		w.put(valueName(v))
		if v.Type != I64 {
			w.put(" ", v.Type.String())
		}
		w.put(" = ")
	}
	if v.Op >= NumOps {
		w.put("op", strconv.Itoa(int(v.Op)))
		return
	}
	w.put(v.Op.String())
	form := opForm(v.Op)
	if form.width {
		w.put(".", strconv.Itoa(int(v.Width)))
	}
	w.operands(v, form)
}

// operands prints what follows the name of the operation.
func (w *printer) operands(v *Value, form form) {
	sep := " "
	switch form.aux {
	case auxImm:
		w.put(sep, num(v.Imm))
		return
	case auxHelper:
		w.put(sep, auxName(v.Aux))
		w.list(v.Args)
		return
	case auxNone:
	default:
		w.put(sep, auxName(v.Aux))
		if v.Imm != 0 {
			w.put(signed(v.Imm))
		}
		sep = ", "
	}
	for i, a := range v.Args {
		w.put(sep, valueName(a))
		if i < form.offsets {
			w.put(signed([]int64{v.Imm, v.Imm2}[i]))
		}
		sep = ", "
	}
	if form.size {
		w.put(sep, num(v.Size))
	}
}

// auxKind is what an operation names besides its operands.
type auxKind uint8

const (
	auxNone   auxKind = iota
	auxImm            // no operands, only the number Imm
	auxSlot           // a slot
	auxMap            // a map, then Imm unless it is 0
	auxFunc           // a function
	auxHelper         // a helper, then operands in parentheses
)

// form says how the fields of an operation are written.
type form struct {
	aux     auxKind
	width   bool // name.Width
	offsets int  // the first operands have Imm and Imm2 as byte offsets
	size    bool // Size comes last
}

func opForm(op Op) form {
	switch op {
	case OpConst:
		return form{aux: auxImm}
	case OpSExt, OpZExt, OpBSwap:
		return form{width: true}
	case OpLoad, OpStore, OpAtomicAdd, OpAtomicFetchAdd:
		return form{width: true, offsets: 1}
	case OpZero:
		return form{offsets: 1, size: true}
	case OpCopy:
		return form{offsets: 2, size: true}
	case OpSlotAddr:
		return form{aux: auxSlot}
	case OpMapPtr, OpMapValue, OpMapLookup, OpMapUpdate, OpMapDelete:
		return form{aux: auxMap}
	case OpFuncAddr:
		return form{aux: auxFunc}
	case OpCall:
		return form{aux: auxHelper}
	}
	return form{}
}

func auxName(a Aux) string {
	switch a := a.(type) {
	case *Slot:
		if a != nil {
			return slotName(a)
		}
	case *Map:
		if a != nil {
			return name(a.Name)
		}
	case *Helper:
		if a != nil {
			return name(a.Name)
		}
	case *Func:
		if a != nil {
			return name(a.Name)
		}
	}
	return "?"
}

func valueName(v *Value) string {
	if v == nil {
		return "?"
	}
	return "v" + strconv.Itoa(v.ID)
}

func blockName(b *Block) string {
	if b == nil {
		return "?"
	}
	return "b" + strconv.Itoa(b.ID)
}

func slotName(s *Slot) string { return "s" + strconv.Itoa(s.ID) }

func num(n int64) string { return strconv.FormatInt(n, 10) }

func signed(n int64) string {
	if n < 0 {
		return num(n)
	}
	return "+" + num(n)
}

// name quotes s unless it is a plain word.
func name(s string) string {
	for i := 0; i < len(s); i++ {
		if !isWord(s[i]) || i == 0 && isDigit(s[i]) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '@' || c == '$' || c == '.'
}

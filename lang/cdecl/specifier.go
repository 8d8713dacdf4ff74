package cdecl

import (
	"github.com/gotrace/gotrace/lang/types"
)

// specified is what stands in front of the declarators.
type specified struct {
	typ       ctype
	isTypedef bool
	attr      attributes
}

// words counts the words of a base type: unsigned long long int.
type words struct {
	long, n                                      int
	char, short, signed, unsigned, float, double bool
	void, boolean, int128                        bool
}

func isBaseWord(s string) bool {
	var w words
	return w.add(s)
}

// add counts a word, false if it is none.
func (w *words) add(s string) bool {
	switch s {
	case "char":
		w.char = true
	case "short":
		w.short = true
	case "int":
	case "long":
		w.long++
	case "signed", "__signed__", "__signed":
		w.signed = true
	case "unsigned":
		w.unsigned = true
	case "float", "_Float32":
		w.float = true
	case "double", "_Float64":
		w.double = true
	case "void":
		w.void = true
	case "_Bool":
		w.boolean = true
	case "__int128":
		w.int128 = true
	default:
		return false
	}
	w.n++
	return true
}

// typ returns the type that the words name. Plain char is signed, as the
// scripts' C compiler has it.
func (w *words) typ() ctype {
	switch {
	case w.void:
		return voidType
	case w.boolean:
		return number(types.Bool{})
	case w.char:
		return &basic{types.Int{Bits: 8, Signed: !w.unsigned}, 1, 1, !w.signed && !w.unsigned}
	case w.short:
		return number(types.Int{Bits: 16, Signed: !w.unsigned})
	case w.float:
		return bytesOf(4)
	case w.double && w.long > 0, w.int128:
		return bytesOf(16)
	case w.double:
		return bytesOf(8)
	case w.long > 0:
		return number(types.Int{Bits: 64, Signed: !w.unsigned})
	}
	return number(types.Int{Bits: 32, Signed: !w.unsigned})
}

// specifiers reads a type with its qualifiers and storage class.
func (p *parser) specifiers() (specified, *failure) {
	var s specified
	var w words
	for {
		t := p.peek()
		done, err := p.specifier(&s, &w, t)
		if err != nil {
			return s, err
		}
		if done {
			break
		}
	}
	switch {
	case s.typ == nil && w.n == 0:
		if t := p.peek(); t.kind == tIdent {
			return s, p.fail("unknown type " + quoted(t.text))
		}
		return s, p.unexpected("where a type is expected")
	case s.typ == nil:
		s.typ = w.typ()
	}
	return s, nil
}

// specifier reads one word; done when it belongs to the declarator.
func (p *parser) specifier(s *specified, w *words, t token) (done bool, err *failure) {
	if t.kind != tIdent {
		return true, nil
	}
	if s.typ == nil && w.add(t.text) {
		p.pos++
		return false, nil
	}
	switch t.text {
	case "typedef":
		s.isTypedef = true
		p.pos++
		return false, nil
	case "struct", "union":
		s.typ, err = p.structOrUnion()
		return false, err
	case "enum":
		s.typ, err = p.enum()
		return false, err
	case "typeof", "__typeof__", "_Atomic":
		return false, p.fail(t.text + " is not supported in definitions")
	case "__attribute__", "__attribute", "_Alignas", "alignas":
		s.attr, err = p.attributes(s.attr)
		return false, err
	}
	if isQualifier(t.text) {
		p.pos++
		return false, nil
	}
	if s.typ != nil || w.n > 0 {
		return true, nil
	}
	named, ok := p.unit.named(t.text)
	if !ok {
		return true, nil
	}
	s.typ = named
	p.pos++
	return false, nil
}

// isQualifier reports whether a word does not change what a declaration means
// here.
func isQualifier(s string) bool {
	switch s {
	case "const", "__const", "__const__", "volatile", "__volatile__", "restrict", "__restrict", "__restrict__",
		"static", "extern", "inline", "__inline", "__inline__", "register", "_Noreturn", "__extension__",
		"_Thread_local", "__thread", "auto":
		return true
	}
	return false
}

// qualifiers passes qualifiers and attributes of a pointer.
func (p *parser) qualifiers() *failure {
	for {
		switch t := p.peek(); {
		case t.kind == tIdent && isQualifier(t.text):
			p.pos++
		case t.is("__attribute__"):
			if _, err := p.attributes(attributes{}); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// attributes reads any number of attributes and adds them to a.
func (p *parser) attributes(a attributes) (attributes, *failure) {
	for {
		t := p.peek()
		switch {
		case t.is("__attribute__"), t.is("__attribute"):
			p.pos++
			if err := p.attributeList(&a); err != nil {
				return a, err
			}
		case t.is("_Alignas"), t.is("alignas"):
			p.pos++
			if err := p.alignment(&a, t); err != nil {
				return a, err
			}
		case t.is("__asm__"), t.is("asm"): // the name of the symbol
			p.pos++
			if p.accept("(") {
				p.skipTo(")")
			}
		default:
			return a, nil
		}
	}
}

// attributeList reads ((packed, aligned(8), …)).
func (p *parser) attributeList(a *attributes) *failure {
	if err := p.expect("("); err != nil {
		return err
	}
	if err := p.expect("("); err != nil {
		return err
	}
	for !p.accept(")") {
		t := p.peek()
		if t.kind != tIdent && !t.is(",") {
			return p.unexpected("in an attribute")
		}
		p.pos++
		if err := p.attribute(a, t); err != nil {
			return err
		}
	}
	return p.expect(")")
}

func (p *parser) attribute(a *attributes, t token) *failure {
	switch t.text {
	case "packed", "__packed__":
		a.packed = true
	case "aligned", "__aligned__":
		if p.peek().is("(") {
			return p.alignment(a, t)
		}
		a.aligned = max(a.aligned, 16)
	case "mode", "__mode__", "vector_size", "__vector_size__", "ms_struct", "__ms_struct__", "scalar_storage_order",
		"__scalar_storage_order__":
		return &failure{span: t.span, msg: "the attribute " + t.text + " is not supported"}
	default: // does not change layouts
		if p.accept("(") {
			p.skipTo(")")
		}
	}
	return nil
}

// alignment reads the operand of aligned and _Alignas.
func (p *parser) alignment(a *attributes, t token) *failure {
	if err := p.expect("("); err != nil {
		return err
	}
	var n int64
	if p.startsType() {
		typ, err := p.typeName()
		if err != nil {
			return err
		}
		_, align, _ := typ.layout()
		n = int64(align)
	} else {
		v, err := p.expr()
		if err != nil {
			return err
		}
		n = v.v
	}
	if !isPowerOf2(n) || n > 1<<20 {
		return &failure{span: t.span, msg: "the alignment is no power of two"}
	}
	a.aligned = max(a.aligned, int(n))
	return p.expect(")")
}

package progtest

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is a kind of Type.
type Kind uint8

// The kinds of types.
const (
	Int Kind = iota
	Bool
	Str
	Tuple // also records
	Array // of integers
	Ptr   // to a variable or to the value of a scalar map
)

// Type is a type of the language. Types are not changed once made.
type Type struct {
	Kind   Kind
	Bits   int  // Int
	Signed bool // Int
	Cap    int  // Str: bytes, the zero byte included
	Names  []string
	Elems  []*Type // Tuple; of an Array or Ptr one
	Len    int     // Array
}

func intType(bits int, signed bool) *Type { return &Type{Kind: Int, Bits: bits, Signed: signed} }
func boolType() *Type                     { return &Type{Kind: Bool} }
func strType(size int) *Type              { return &Type{Kind: Str, Cap: size} }
func tupleType(names []string, elems []*Type) *Type {
	return &Type{Kind: Tuple, Names: names, Elems: elems}
}
func arrayType(elem *Type, n int) *Type { return &Type{Kind: Array, Elems: []*Type{elem}, Len: n} }
func ptrType(elem *Type) *Type          { return &Type{Kind: Ptr, Elems: []*Type{elem}} }
func int64Type() *Type                  { return intType(64, true) }
func uint64Type() *Type                 { return intType(64, false) }

// String returns the type as the language spells it.
func (t *Type) String() string {
	switch t.Kind {
	case Int:
		if t.Signed {
			return fmt.Sprintf("int%d", t.Bits)
		}
		return fmt.Sprintf("uint%d", t.Bits)
	case Bool:
		return "bool"
	case Str:
		return fmt.Sprintf("string[%d]", t.Cap)
	case Array:
		return fmt.Sprintf("%s[%d]", t.Elems[0], t.Len)
	case Ptr:
		return t.Elems[0].String() + "*"
	}
	var parts []string
	for _, e := range t.Elems {
		parts = append(parts, e.String())
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// size is the number of bytes of an integer, boolean or array.
func (t *Type) size() int {
	switch t.Kind {
	case Int:
		return t.Bits / 8
	case Array:
		return t.Len * t.Elems[0].size()
	}
	return 1
}

// room bounds the number of bytes of any type, padding included.
func (t *Type) room() int {
	switch t.Kind {
	case Str:
		return t.Cap
	case Tuple:
		n := 0
		for _, e := range t.Elems {
			n += (e.room() + 7) &^ 7
		}
		return n
	}
	return t.size()
}

func sameType(a, b *Type) bool {
	return a.Kind == b.Kind && a.Bits == b.Bits && a.Signed == b.Signed && a.Cap == b.Cap && a.Len == b.Len &&
		slices.Equal(a.Names, b.Names) && slices.EqualFunc(a.Elems, b.Elems, sameType)
}

// join returns the type that holds values of both, or nil: the table of 4.3.
// aFlex and bFlex tell non-negative literals.
func join(a *Type, aFlex bool, b *Type, bFlex bool) *Type {
	if a.Kind != b.Kind {
		return nil
	}
	switch a.Kind {
	case Int:
		return joinInts(a, aFlex, b, bFlex)
	case Str:
		return strType(max(a.Cap, b.Cap))
	case Tuple:
		if !slices.Equal(a.Names, b.Names) || len(a.Elems) != len(b.Elems) {
			return nil
		}
		elems := make([]*Type, len(a.Elems))
		for i := range elems {
			if elems[i] = join(a.Elems[i], false, b.Elems[i], false); elems[i] == nil {
				return nil
			}
		}
		return tupleType(a.Names, elems)
	}
	if sameType(a, b) {
		return a
	}
	return nil
}

func joinInts(a *Type, aFlex bool, b *Type, bFlex bool) *Type {
	if a.Signed == b.Signed {
		return intType(max(a.Bits, b.Bits), a.Signed)
	}
	s, u, flex := a, b, aFlex
	if b.Signed {
		s, u, flex = b, a, bFlex
	}
	switch {
	case flex:
		return intType(max(s.Bits, u.Bits), false)
	case s.Bits > u.Bits:
		return s
	}
	return intType(min(64, 2*u.Bits), true)
}

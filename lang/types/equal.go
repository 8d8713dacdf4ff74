package types

// Equal reports whether a and b are the same type. Structs of C are the same
// when kind and tag are; tuples and records when their elements are, in order.
func Equal(a, b Type) bool {
	switch x := a.(type) {
	case Pointer:
		y, ok := b.(Pointer)
		return ok && Equal(x.Elem, y.Elem)
	case Array:
		y, ok := b.(Array)
		return ok && x.Len == y.Len && Equal(x.Elem, y.Elem)
	case String:
		y, ok := b.(String)
		return ok && x.Cap == y.Cap
	case *Enum:
		y, ok := b.(*Enum)
		return ok && (x == y || x.Name == y.Name && x.Name != "")
	case *Struct:
		y, ok := b.(*Struct)
		return ok && equalStructs(x, y)
	}
	if _, ok := b.(Array); ok {
		return false
	}
	if _, ok := b.(Pointer); ok {
		return false
	}
	return a == b
}

func equalStructs(x, y *Struct) bool {
	if x == y {
		return true
	}
	if x.Kind != y.Kind || x.Name != y.Name || x.Bytes != y.Bytes {
		return false
	}
	if !x.IsTuple() {
		return x.Name != ""
	}
	if len(x.fields) != len(y.fields) {
		return false
	}
	for i := range x.fields {
		if x.fields[i].Name != y.fields[i].Name || !Equal(x.fields[i].Type, y.fields[i].Type) {
			return false
		}
	}
	return true
}

// IsScalar reports whether values of t fit a register: integers, booleans,
// enums and pointers.
func IsScalar(t Type) bool {
	switch t.(type) {
	case Int, Bool, *Enum, Pointer:
		return true
	}
	return false
}

// IsSigned reports whether a scalar of type t is extended by its sign.
func IsSigned(t Type) bool {
	switch t := t.(type) {
	case Int:
		return t.Signed
	case *Enum:
		return t.Signed
	}
	return false
}

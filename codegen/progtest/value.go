package progtest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Value is a value of a run. Which field counts depends on the type.
type Value struct {
	N uint64 // Int, extended to 64 bits by the sign of its type; Bool
	S string
	L []Value // Tuple, Array
	P *place  // Ptr, nil for null; N is then 0, otherwise 1
}

// extend keeps the low bits of n and extends them by the sign of t.
func extend(n uint64, t *Type) uint64 {
	shift := 64 - uint(t.Bits)
	if t.Signed {
		return uint64(int64(n<<shift) >> shift)
	}
	return n << shift >> shift
}

func truth(b bool) Value {
	if b {
		return Value{N: 1}
	}
	return Value{}
}

// zero is the value of what was never assigned.
func zero(t *Type) Value {
	var v Value
	switch t.Kind {
	case Tuple:
		for _, e := range t.Elems {
			v.L = append(v.L, zero(e))
		}
	case Array:
		v.L = make([]Value, t.Len)
	}
	return v
}

// convert turns a value of type from into one of type to.
func convert(v Value, from, to *Type) Value {
	switch {
	case from.Kind == Array && to.Kind == Int, from.Kind == Int && to.Kind == Array, from.Kind == Array && to.Kind == Array:
		return fromBytes(toBytes(v, from), to)
	case to.Kind == Bool && from.Kind == Str:
		return truth(v.S != "")
	case to.Kind == Bool:
		return truth(v.N != 0)
	case to.Kind == Int:
		return Value{N: extend(v.N, to)}
	case to.Kind == Str:
		return Value{S: v.S[:min(len(v.S), to.Cap-1)]}
	case to.Kind == Tuple:
		out := Value{}
		for i, e := range to.Elems {
			out.L = append(out.L, convert(v.L[i], from.Elems[i], e))
		}
		return out
	}
	return v
}

// toBytes returns a number or array of numbers as it lies in memory.
func toBytes(v Value, t *Type) []byte {
	if t.Kind == Int {
		return binary.NativeEndian.AppendUint64(nil, v.N)[:t.size()]
	}
	var out []byte
	for _, e := range v.L {
		out = append(out, toBytes(e, t.Elems[0])...)
	}
	return out
}

func fromBytes(b []byte, t *Type) Value {
	if t.Kind == Int {
		var word [8]byte
		copy(word[:], b)
		return Value{N: extend(binary.NativeEndian.Uint64(word[:]), t)}
	}
	var out Value
	for size := t.Elems[0].size(); len(b) >= size; b = b[size:] {
		out.L = append(out.L, fromBytes(b[:size], t.Elems[0]))
	}
	return out
}

func equal(a, b Value) bool {
	if a.N != b.N || a.S != b.S || len(a.L) != len(b.L) {
		return false
	}
	for i := range a.L {
		if !equal(a.L[i], b.L[i]) {
			return false
		}
	}
	return true
}

// text is the form in which values are compared with those of the kernel; see
// Transcript.
func text(v Value, t *Type) string {
	switch t.Kind {
	case Int:
		if t.Signed {
			return strconv.FormatInt(int64(v.N), 10)
		}
		return strconv.FormatUint(v.N, 10)
	case Bool:
		return strconv.FormatBool(v.N != 0)
	case Str:
		return strconv.Quote(v.S)
	case Array:
		var parts []string
		for _, e := range v.L {
			parts = append(parts, text(e, t.Elems[0]))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var parts []string
	for i, e := range v.L {
		part := text(e, t.Elems[i])
		if t.Names != nil {
			part = fmt.Sprintf(".%s=%s", t.Names[i], part)
		}
		parts = append(parts, part)
	}
	return "(" + strings.Join(parts, ",") + ")"
}

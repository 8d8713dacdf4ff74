package check

import (
	"strings"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// operand is a checked expression with what only the checker needs to know.
type operand struct {
	typed.Expr
	// lit: a literal, or folded from literals; its type is the smallest that
	// holds it.
	lit bool
	// flex: a non-negative integer literal, which takes the sign of what it
	// stands next to.
	flex bool
	// cast: a literal that was given a type, which counts as it does when run.
	cast bool
	// bounds is the type of the bounds of a loop over numbers, if this is its
	// variable, which is wider when run.
	bounds types.Int
	// elems are the operands of a tuple or record made here, whose literal
	// elements stay flexible.
	elems []operand
}

// written is the type of an integer as the script has it.
func (x operand) written() types.Int {
	if x.bounds.Bits != 0 {
		return x.bounds
	}
	t, _ := intOf(x.Type())
	return t
}

func (c *checker) bad(sp source.Span) operand {
	return operand{Expr: &typed.Zero{Node: typed.Node{T: unknown{}, Span: sp}}}
}

func node(t types.Type, sp source.Span) typed.Node { return typed.Node{T: t, Span: sp} }

func of(x typed.Expr) operand { return operand{Expr: x} }

// intLit makes a literal of the smallest signed type, uint64 above its range.
func intLit(n uint64, negative bool, sp source.Span) operand {
	t := types.Int{Bits: 64}
	if negative || int64(n) >= 0 {
		t = types.Int{Bits: signedBits(int64(n)), Signed: true}
	}
	return operand{Expr: &typed.Const{Node: node(t, sp), Value: n}, lit: true, flex: !negative}
}

// signedBits is the width of the smallest signed type that holds n.
func signedBits(n int64) int {
	for _, bits := range []int{8, 16, 32} {
		if n >= -1<<(bits-1) && n < 1<<(bits-1) {
			return bits
		}
	}
	return 64
}

func boolConst(b bool, sp source.Span) operand {
	v := uint64(0)
	if b {
		v = 1
	}
	return operand{Expr: &typed.Const{Node: node(types.Bool{}, sp), Value: v}, lit: true}
}

func strLit(s string, sp source.Span) operand {
	return operand{Expr: &typed.Str{Node: node(types.String{Cap: len(s) + 1}, sp), Value: s}, lit: true}
}

// untilZero cuts s at its zero byte, which ends a text.
func untilZero(s string) string {
	text, _, _ := strings.Cut(s, "\x00")
	return text
}

// constOf returns the number of a constant integer, bool, enum or pointer.
func constOf(x typed.Expr) (uint64, bool) {
	k, ok := x.(*typed.Const)
	if !ok {
		return 0, false
	}
	return k.Value, true
}

// litStr returns the text of a string literal.
func litStr(x operand) (string, bool) {
	if s, ok := x.Expr.(*typed.Str); ok {
		return s.Text(), true
	}
	return "", false
}

// litBytes returns the bytes of a string literal, those behind a zero byte, too.
func litBytes(x operand) (string, bool) {
	if s, ok := x.Expr.(*typed.Str); ok {
		return s.Value, true
	}
	return "", false
}

// isInt reports whether t is computed with as an integer: integers and enums.
func isInt(t types.Type) bool {
	switch t.(type) {
	case types.Int, *types.Enum:
		return true
	}
	return false
}

// intOf returns the integer type that a value of type t computes as.
func intOf(t types.Type) (types.Int, bool) {
	switch t := t.(type) {
	case types.Int:
		return t, true
	case *types.Enum:
		return enumInt(t), true
	case types.Bool:
		return types.Int{Bits: 8}, true
	case types.Pointer:
		return types.Int{Bits: 64}, true
	}
	return types.Int{}, false
}

// kindName is the word for a kind of type in messages.
func kindName(t types.Type) string {
	switch t := t.(type) {
	case types.Int, *types.Enum:
		return "integer"
	case types.Pointer:
		return "pointer"
	case types.String:
		return "string"
	case *types.Struct:
		switch t.Kind {
		case types.TupleKind:
			return "tuple"
		case types.RecordKind:
			return "record"
		}
		return "struct"
	case types.Array:
		return "array"
	case types.Void:
		return "none"
	}
	return t.String()
}

var (
	int64Type  = types.Int{Bits: 64, Signed: true}
	uint64Type = types.Int{Bits: 64}
)

// wide returns the 64-bit type of the given sign.
func wide(signed bool) types.Int { return types.Int{Bits: 64, Signed: signed} }

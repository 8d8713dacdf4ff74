package tracepoint

import (
	"strings"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/internal/tracefs"
)

// typist turns the C declarations of format files into types. Pointers lead to
// space.
type typist struct {
	kernel *ktypes.Kernel
	space  types.Space
}

// arg returns the type of a field and where it lies in the event's record.
func (y typist) arg(f *tracefs.Field) target.Arg {
	loc := target.Loc{Off: f.Offset, Size: f.Size}
	switch f.Loc {
	case tracefs.DataLoc:
		loc.Kind = target.LocDynamic
		return target.Arg{Name: f.Name, Type: types.Int{Bits: 64, Signed: true}, Loc: loc}
	case tracefs.RelLoc:
		loc.Kind = target.LocRelDyn
		return target.Arg{Name: f.Name, Type: types.Int{Bits: 64, Signed: true}, Loc: loc}
	}
	t := y.fieldType(f)
	loc.Kind = target.LocCtx
	switch t := t.(type) {
	case types.Int:
		loc.Signed = t.Signed
	case *types.Enum:
		loc.Signed = t.Signed
	case types.String, types.Array, *types.Struct:
		loc.Kind = target.LocCtxAddr
	}
	return target.Arg{Name: f.Name, Type: t, Loc: loc}
}

// fieldType is the type of a field that lies in the record itself. The size in
// the file decides over the declaration, as system call events widen all their
// arguments.
func (y typist) fieldType(f *tracefs.Field) types.Type {
	text := plain(f.Type)
	switch {
	case f.Elems >= 0:
		return y.array(f, text)
	case strings.HasSuffix(text, "*") && f.Size == 8:
		return y.pointer(text)
	case text == "bool" && f.Size == 1:
		return types.Bool{}
	case strings.HasPrefix(text, "enum "):
		if e, ok := y.kernel.Enum(text[len("enum "):]); ok && e.Bytes == f.Size {
			return e
		}
	case strings.HasPrefix(text, "struct "), strings.HasPrefix(text, "union "), !isWord(f.Size):
		if t, ok := y.composite(text); ok && t.Size() == f.Size {
			return t
		}
	}
	return number(f.Size, f.Signed)
}

func (y typist) array(f *tracefs.Field, text string) types.Type {
	if text == "char" {
		return types.String{Cap: f.Size}
	}
	elem, ok := y.named(text)
	if strings.HasSuffix(text, "*") {
		elem, ok = y.pointer(text), true
	}
	if f.Elems > 0 && f.Size%f.Elems == 0 && (!ok || elem.Size() != f.Size/f.Elems) {
		elem, ok = number(f.Size/f.Elems, f.Signed), true
	}
	if !ok || elem.Size() == 0 {
		elem = types.Int{Bits: 8}
	}
	return types.Array{Elem: elem, Len: f.Size / elem.Size()}
}

// pointer is the type of a declaration that ends with a star.
func (y typist) pointer(text string) types.Type {
	text = strings.TrimSpace(strings.TrimSuffix(text, "*"))
	if strings.HasSuffix(text, "*") {
		return types.Pointer{Elem: y.pointer(text), Space: y.space}
	}
	if elem, ok := y.named(text); ok {
		return types.Pointer{Elem: elem, Space: y.space}
	}
	return types.Pointer{Elem: types.Void{}, Space: y.space}
}

// named is the type of a declaration without stars.
func (y typist) named(text string) (types.Type, bool) {
	if t, ok := types.CName(text); ok {
		return t, true
	}
	if t, ok := words(text); ok {
		return t, true
	}
	return y.composite(text)
}

// words is the type of an integer spelt in several words, such as "unsigned
// long int"; their order is free in C.
func words(text string) (types.Type, bool) {
	t := types.Int{Bits: 32, Signed: true}
	for _, w := range strings.Fields(text) {
		switch w {
		case "unsigned":
			t.Signed = false
		case "long":
			t.Bits = 64
		case "short":
			t.Bits = 16
		case "char":
			t.Bits = 8
		case "int", "signed":
		default:
			return nil, false
		}
	}
	return t, text != ""
}

func (y typist) composite(text string) (types.Type, bool) {
	tag, name, tagged := strings.Cut(text, " ")
	if !tagged {
		return y.kernel.Named(text)
	}
	switch tag {
	case "struct":
		if s, ok := y.kernel.Struct(name); ok {
			return s, true
		}
	case "union":
		if s, ok := y.kernel.Union(name); ok {
			return s, true
		}
	case "enum":
		if e, ok := y.kernel.Enum(name); ok {
			return e, true
		}
	}
	return nil, false
}

// plain drops the words of a declaration that do not matter for its layout.
func plain(text string) string {
	text = strings.ReplaceAll(text, "*", " * ")
	words := strings.Fields(text)
	kept := words[:0]
	for _, w := range words {
		switch w {
		case "const", "volatile", "restrict", "__user", "__seg_gs", "__seg_fs", "__percpu", "__rcu":
		default:
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

func isWord(size int) bool { return size == 1 || size == 2 || size == 4 || size == 8 }

// number is an integer of a size, or the bytes when there is no such integer.
func number(size int, signed bool) types.Type {
	if !isWord(size) {
		return types.Array{Elem: types.Int{Bits: 8}, Len: size}
	}
	return types.Int{Bits: size * 8, Signed: signed}
}

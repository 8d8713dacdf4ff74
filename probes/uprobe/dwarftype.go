package uprobe

import (
	"debug/dwarf"
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/lang/types"
)

// maxNesting bounds how deep types nest; debug information may be malformed.
const maxNesting = 32

// resolve follows typedefs and qualifiers.
func resolve(t dwarf.Type) dwarf.Type {
	for range maxNesting {
		switch q := t.(type) {
		case *dwarf.TypedefType:
			t = q.Type
		case *dwarf.QualType:
			t = q.Type
		default:
			return t
		}
	}
	return nil
}

// convert turns a type of a traced program into one of the language. Enums keep
// their name but not those of their values: the values print as numbers.
func convert(t dwarf.Type, depth int) types.Type {
	t = resolve(t)
	if t == nil || depth == 0 {
		return types.Void{}
	}
	size := int(min(max(t.Size(), 0), 1<<30))
	switch t := t.(type) {
	case *dwarf.PtrType:
		return types.Pointer{Elem: convert(t.Type, depth-1), Space: types.User}
	case *dwarf.StructType:
		return composite(t, size)
	case *dwarf.ArrayType:
		return array(t, depth)
	case *dwarf.EnumType:
		if isWord(size) {
			return &types.Enum{Name: t.EnumName, Bytes: size, Signed: negative(t)}
		}
	case *dwarf.BoolType:
		if size == 1 {
			return types.Bool{}
		}
	case *dwarf.IntType, *dwarf.CharType:
		if isWord(size) {
			return types.Int{Bits: 8 * size, Signed: true}
		}
	case *dwarf.VoidType, *dwarf.FuncType:
		return types.Void{}
	}
	if isWord(size) {
		return types.Int{Bits: 8 * size}
	}
	return types.Array{Elem: types.Int{Bits: 8}, Len: size}
}

func isWord(size int) bool { return size == 1 || size == 2 || size == 4 || size == 8 }

func negative(t *dwarf.EnumType) bool {
	for _, v := range t.Val {
		if v.Val < 0 {
			return true
		}
	}
	return false
}

func array(t *dwarf.ArrayType, depth int) types.Type {
	count := int(min(max(t.Count, 0), 1<<24))
	switch elem := resolve(t.Type).(type) {
	case *dwarf.CharType, *dwarf.UcharType:
		if elem.Size() == 1 && count > 0 && elem.Common().Name == "char" {
			return types.String{Cap: count}
		}
	}
	return types.Array{Elem: convert(t.Type, depth-1), Len: count}
}

// composite converts a struct or union; its members are converted when they are
// asked for, as types may refer to one another in circles.
func composite(t *dwarf.StructType, size int) types.Type {
	kind := types.CStruct
	if t.Kind == "union" {
		kind = types.CUnion
	}
	return types.NewStruct(kind, t.StructName, size, alignment(t, maxNesting), func() []types.Field {
		var fields []types.Field
		for _, m := range t.Field {
			fields = append(fields, member(m))
		}
		return fields
	})
}

func member(m *dwarf.StructField) types.Field {
	f := types.Field{Name: m.Name, Type: convert(m.Type, maxNesting), Offset: int(m.ByteOffset)}
	width := 8 * f.Type.Size()
	if m.BitSize == 0 || width == 0 {
		return f
	}
	f.BitSize = int(m.BitSize)
	if m.ByteSize != 0 { // DWARF 2 and 3 count from the most significant bit
		f.BitOffset = int(m.ByteSize)*8 - int(m.BitOffset) - f.BitSize
		return f
	}
	f.Offset = int(m.DataBitOffset) / width * f.Type.Size()
	f.BitOffset = int(m.DataBitOffset) % width
	return f
}

// alignment is the largest alignment of a member, which debug information does
// not tell.
func alignment(t dwarf.Type, depth int) int {
	t = resolve(t)
	if t == nil || depth == 0 {
		return 1
	}
	align := 1
	switch t := t.(type) {
	case *dwarf.StructType:
		for _, m := range t.Field {
			align = max(align, alignment(m.Type, depth-1))
		}
	case *dwarf.ArrayType:
		return alignment(t.Type, depth-1)
	default:
		if size := int(t.Size()); isWord(size) {
			align = size
		}
	}
	return align
}

// ctext is the C text of a type.
func ctext(t dwarf.Type, depth int) string {
	if depth == 0 {
		return "?"
	}
	switch t := t.(type) {
	case nil, *dwarf.VoidType:
		return "void"
	case *dwarf.QualType:
		return t.Qual + " " + ctext(t.Type, depth-1)
	case *dwarf.PtrType:
		return ctext(t.Type, depth-1) + "*"
	case *dwarf.StructType:
		return strings.TrimSpace(t.Kind + " " + t.StructName)
	case *dwarf.EnumType:
		return "enum " + t.EnumName
	case *dwarf.ArrayType:
		return fmt.Sprintf("%s[%d]", ctext(t.Type, depth-1), t.Count)
	case *dwarf.FuncType:
		return "void"
	}
	return t.Common().Name
}

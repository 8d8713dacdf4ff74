// Package ctext writes kernel types as C declarations, for listings.
//
// Input is BTF, whose graphs may be cyclic or hostile; nesting is bounded.
package ctext

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/probes/provider"
)

// maxDepth bounds how deep types nest.
const maxDepth = 32

// Type is the text of a type, such as "const char *".
func Type(t btf.Type) string { return typeText(t, maxDepth) }

func typeText(t btf.Type, depth int) string {
	if depth == 0 {
		return "?"
	}
	sub := func(t btf.Type) string { return typeText(t, depth-1) }
	switch t := t.(type) {
	case nil, *btf.Void:
		return "void"
	case *btf.Const:
		return qualified("const", t.Type, sub(t.Type))
	case *btf.Volatile:
		return qualified("volatile", t.Type, sub(t.Type))
	case *btf.Restrict:
		return sub(t.Type)
	case *btf.TypeTag:
		return sub(t.Type)
	case *btf.Pointer:
		if proto, ok := t.Target.(*btf.FuncProto); ok {
			return fmt.Sprintf("%s (*)(%s)", sub(proto.Return), protoText(proto, depth-1))
		}
		return star(sub(t.Target))
	case *btf.Array:
		return fmt.Sprintf("%s[%d]", sub(t.Type), t.Nelems)
	case *btf.Struct:
		return tagged("struct", t.Name)
	case *btf.Union:
		return tagged("union", t.Name)
	case *btf.Enum:
		return tagged("enum", t.Name)
	case *btf.Fwd:
		return tagged(t.Kind.String(), t.Name)
	}
	return t.TypeName()
}

// qualified puts a qualifier in front of a type, but behind a pointer.
func qualified(word string, t btf.Type, text string) string {
	if _, ok := t.(*btf.Pointer); ok {
		return text + " " + word
	}
	return word + " " + text
}

// star appends a star, with a blank only in front of the first one.
func star(text string) string {
	if strings.HasSuffix(text, "*") {
		return text + "*"
	}
	return text + " *"
}

func tagged(tag, name string) string {
	if name == "" {
		return tag + " {...}"
	}
	return tag + " " + name
}

func protoText(proto *btf.FuncProto, depth int) string {
	if len(proto.Params) == 0 {
		return "void"
	}
	var parts []string
	for _, p := range proto.Params {
		parts = append(parts, typeText(p.Type, depth))
	}
	return strings.Join(parts, ", ")
}

// Params lists the parameters of a prototype from number skip on. Names that
// the prototype lacks are taken from names.
func Params(proto *btf.FuncProto, skip int, names func(i int) string) []provider.FieldText {
	var list []provider.FieldText
	for i, p := range proto.Params[min(skip, len(proto.Params)):] {
		name := p.Name
		if name == "" {
			name = names(i)
		}
		list = append(list, provider.FieldText{Type: Type(p.Type), Name: name})
	}
	return list
}

// Definition is the C definition of a struct, union or enum, with an empty line
// behind it.
func Definition(t btf.Type) string {
	d := definition{layouts: layouts{}}
	d.define(t, 0)
	d.text.WriteString(";\n")
	return d.text.String()
}

// definition is the text of a definition while it is made.
type definition struct {
	text    strings.Builder
	layouts layouts
}

// define writes the body of a type; anonymous members are written in place.
func (d *definition) define(t btf.Type, depth int) {
	indent := strings.Repeat("\t", min(depth, maxDepth)+1)
	end := indent[1:] + "}"
	head := func(tag, name string, empty bool) {
		d.text.WriteString(strings.TrimSuffix(tag+" "+name, " ") + " {")
		if empty {
			end = "}"
		} else {
			d.text.WriteByte('\n')
		}
	}
	switch t := t.(type) {
	case *btf.Struct:
		head("struct", t.Name, len(t.Members) == 0 && t.Size == 0)
		align, natural := d.layouts.members(t.Members, t.Size)
		if !natural {
			align = 1
			end += " __attribute__((packed))"
		}
		at := d.members(t.Members, natural, indent, depth)
		pad(&d.text, gap{from: at, to: 8 * int(t.Size), align: align}, indent)
	case *btf.Union:
		head("union", t.Name, len(t.Members) == 0 && t.Size == 0)
		d.members(t.Members, true, indent, depth)
	case *btf.Enum:
		head("enum", t.Name, len(t.Values) == 0)
		for _, v := range t.Values {
			if t.Signed {
				fmt.Fprintf(&d.text, "%s%s = %d,\n", indent, v.Name, int64(v.Value))
			} else {
				fmt.Fprintf(&d.text, "%s%s = %d,\n", indent, v.Name, v.Value)
			}
		}
		end += enumMode(t)
	}
	d.text.WriteString(end)
}

// enumMode is the attribute that gives an enum a size that its values do not ask
// for.
func enumMode(t *btf.Enum) string {
	switch t.Size {
	case 1:
		return " __attribute__((mode(byte)))"
	case 8:
		wide := func(v btf.EnumValue) bool {
			if t.Signed {
				return int64(v.Value) != int64(int32(v.Value))
			}
			return v.Value > math.MaxUint32
		}
		if !slices.ContainsFunc(t.Values, wide) {
			return " __attribute__((mode(word)))"
		}
	}
	return ""
}

// members writes members with the gaps between them and returns where the last
// one ends, in bits.
func (d *definition) members(list []btf.Member, natural bool, indent string, depth int) (end int) {
	bitfield := false
	for _, m := range list {
		before := gap{from: end, to: int(m.Offset), align: 1, bitfield: bitfield && m.BitfieldSize > 0}
		if natural {
			before.align = d.layouts.of(m.Type)
		}
		pad(&d.text, before, indent)
		d.text.WriteString(indent)
		if anonymous(m.Type) && depth < maxDepth {
			d.define(m.Type, depth+1)
			if m.Name != "" {
				d.text.WriteString(" " + m.Name)
			}
		} else {
			d.text.WriteString(declare(m.Type, m.Name))
		}
		if bitfield = m.BitfieldSize > 0; bitfield {
			fmt.Fprintf(&d.text, ": %d", m.BitfieldSize)
		}
		d.text.WriteString(";\n")
		end = int(m.Offset) + bits(m)
	}
	return end
}

func anonymous(t btf.Type) bool {
	switch t := t.(type) {
	case *btf.Struct:
		return t.Name == ""
	case *btf.Union:
		return t.Name == ""
	case *btf.Enum:
		return t.Name == ""
	}
	return false
}

// declare is the declaration of a member: the length of an array and the
// parameters of a function pointer stand behind the name.
func declare(t btf.Type, name string) string {
	suffix := ""
	for depth := 0; depth < maxDepth; depth++ {
		a, ok := t.(*btf.Array)
		if !ok {
			break
		}
		suffix += fmt.Sprintf("[%d]", a.Nelems)
		t = a.Type
	}
	if p, ok := t.(*btf.Pointer); ok {
		if proto, ok := p.Target.(*btf.FuncProto); ok {
			return fmt.Sprintf("%s (*%s%s)(%s)", Type(proto.Return), name, suffix, protoText(proto, maxDepth))
		}
	}
	text := Type(t)
	if !strings.HasSuffix(text, "*") {
		text += " "
	}
	return text + name + suffix
}

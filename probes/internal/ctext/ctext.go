// Package ctext writes kernel types as C declarations, for listings.
//
// Input is BTF, whose graphs may be cyclic or hostile; nesting is bounded.
package ctext

import (
	"fmt"
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
		return "const " + sub(t.Type)
	case *btf.Volatile:
		return "volatile " + sub(t.Type)
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

// Definition is the C definition of a struct, union or enum.
func Definition(t btf.Type) string {
	var b strings.Builder
	define(&b, t, 0)
	b.WriteByte(';')
	return b.String()
}

// define writes the body of a type; anonymous members are written in place.
func define(b *strings.Builder, t btf.Type, depth int) {
	indent := strings.Repeat("\t", min(depth, maxDepth)+1)
	head := func(tag, name string) {
		b.WriteString(strings.TrimSuffix(tag+" "+name, " ") + " {\n")
	}
	switch t := t.(type) {
	case *btf.Struct:
		head("struct", t.Name)
		members(b, t.Members, indent, depth)
	case *btf.Union:
		head("union", t.Name)
		members(b, t.Members, indent, depth)
	case *btf.Enum:
		head("enum", t.Name)
		for _, v := range t.Values {
			if t.Signed {
				fmt.Fprintf(b, "%s%s = %d,\n", indent, v.Name, int64(v.Value))
			} else {
				fmt.Fprintf(b, "%s%s = %d,\n", indent, v.Name, v.Value)
			}
		}
	}
	b.WriteString(indent[1:] + "}")
}

func members(b *strings.Builder, list []btf.Member, indent string, depth int) {
	for _, m := range list {
		b.WriteString(indent)
		if anonymous(m.Type) && depth < maxDepth {
			define(b, m.Type, depth+1)
			if m.Name != "" {
				b.WriteString(" " + m.Name)
			}
		} else {
			b.WriteString(declare(m.Type, m.Name))
		}
		if m.BitfieldSize > 0 {
			fmt.Fprintf(b, ": %d", m.BitfieldSize)
		}
		b.WriteString(";\n")
	}
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

package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// dumpWidth is the line length up to which Dump keeps a node on one line.
const dumpWidth = 100

// Dump returns the tree below n as an S-expression, without positions and
// comments: the same tree gives the same text. A node that does not fit a line
// has its children on lines of their own.
func Dump(n Node) string {
	var b strings.Builder
	dumpOf(n).write(&b, 0)
	b.WriteByte('\n')
	return b.String()
}

// sexpr is one list: an atom when it has no head.
type sexpr struct {
	atom string
	list []sexpr
	flat int // length on one line
}

func atom(s string) sexpr { return sexpr{atom: s, flat: len(s)} }

func list(head string, elems ...sexpr) sexpr {
	out := sexpr{atom: head, list: elems, flat: len(head) + 2}
	for _, e := range elems {
		out.flat += 1 + e.flat
	}
	return out
}

func (s sexpr) write(b *strings.Builder, indent int) {
	if s.list == nil {
		b.WriteString(s.atom)
		return
	}
	b.WriteByte('(')
	b.WriteString(s.atom)
	broken := indent+s.flat > dumpWidth
	for _, e := range s.list {
		if broken {
			b.WriteByte('\n')
			b.WriteString(strings.Repeat("  ", indent/2+1))
		} else {
			b.WriteByte(' ')
		}
		e.write(b, indent+2)
	}
	b.WriteByte(')')
}

func dumpOf(n Node) sexpr {
	if leaf := leafText(n); leaf != "" {
		return atom(leaf)
	}
	elems := attributes(n)
	var result Node
	if blk, ok := n.(*Block); ok && blk.Result != nil {
		result = blk.Result
	}
	Children(n, func(c Node) {
		if c == result {
			elems = append(elems, list("result", dumpOf(c)))
			return
		}
		elems = append(elems, dumpOf(c))
	})
	if f, ok := n.(*TupleField); ok {
		elems = append(elems, atom(strconv.Itoa(f.N)))
	}
	if elems == nil {
		return atom("(" + headOf(n) + ")")
	}
	return list(headOf(n), elems...)
}

// leafText is the text of a node without children, "" for other nodes.
func leafText(n Node) string {
	switch n := n.(type) {
	case *IntLit:
		return n.Text
	case *StrLit:
		return strconv.Quote(n.Value)
	case *BoolLit:
		return strconv.FormatBool(n.Value)
	case *VarRef:
		return "$" + n.Name
	case *MapRef:
		return n.Name
	case *Param:
		return "$" + strconv.Itoa(n.N)
	case *ParamCount:
		return "$#"
	case *Ident:
		return n.Name
	case *AttachPoint:
		return strconv.Quote(n.Text)
	}
	return ""
}

// attributes are the parts of a node that are no nodes and come first.
func attributes(n Node) []sexpr {
	switch n := n.(type) {
	case *Script:
		if n.Shebang != "" {
			return []sexpr{list("shebang", atom(strconv.Quote(n.Shebang)))}
		}
	case *CDef:
		return []sexpr{atom(strconv.Quote(n.Text))}
	case *TypeExpr:
		return typeAttributes(n)
	}
	return nil
}

// typeAttributes are the tag and the suffixes of a type; lengths follow among
// the children.
func typeAttributes(n *TypeExpr) []sexpr {
	var out []sexpr
	if n.Tag != "" {
		out = append(out, atom(n.Tag))
	}
	for _, s := range n.Suffixes {
		switch {
		case !s.Array:
			out = append(out, atom("*"))
		case s.Len == nil:
			out = append(out, atom("[]"))
		default:
			out = append(out, atom("[N]"))
		}
	}
	return out
}

// headOf names the node; operators name themselves.
func headOf(n Node) string {
	switch n := n.(type) {
	case *Assign:
		return n.Op
	case *Unary:
		return n.Op
	case *Binary:
		return n.Op
	case *IncDec:
		if n.Prefix {
			return n.Op + "x"
		}
		return "x" + n.Op
	case *Cond:
		if n.Then == nil {
			return "?:"
		}
		return "?"
	case *MapIndex:
		return "@[]"
	case *Index:
		return "[]"
	case *Field, *TupleField:
		return "."
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."))
}

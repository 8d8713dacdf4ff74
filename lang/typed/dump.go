package typed

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/lang/types"
)

// Dump returns the program as text, one statement a line, for the dump of the
// stage and for tests. It is deterministic.
func Dump(p *Program) string {
	d := &dumper{}
	for _, m := range p.Maps {
		d.line("map %s%s = %s, %d entries", m.Name, keyText(m), typeText(m.Value), m.Entries)
	}
	for _, probe := range p.Probes {
		d.line("probe %s {", probe.Name)
		d.indent++
		for _, t := range probe.Targets {
			d.line("target %s", t.Name)
		}
		d.stmts(probe.Body)
		d.indent--
		d.line("}")
	}
	return d.b.String()
}

func keyText(m *Map) string {
	if m.Key == nil {
		return ""
	}
	return "[" + typeText(m.Key) + "]"
}

func typeText(t types.Type) string {
	if t == nil {
		return "none"
	}
	return t.String()
}

type dumper struct {
	b      strings.Builder
	indent int
}

func (d *dumper) line(format string, args ...any) {
	d.b.WriteString(strings.Repeat("  ", d.indent))
	fmt.Fprintf(&d.b, format, args...)
	d.b.WriteByte('\n')
}

func (d *dumper) block(head string, b *Block) {
	d.line("%s {", head)
	d.stmts(b)
	d.line("}")
}

func (d *dumper) stmts(b *Block) {
	if b == nil {
		return
	}
	d.indent++
	for _, s := range b.Stmts {
		d.stmt(s)
	}
	d.indent--
}

func (d *dumper) stmt(s Stmt) {
	switch s := s.(type) {
	case *Block:
		d.block("block", s)
	case *Assign:
		d.line("$%s %s = %s", s.Var.Name, typeText(s.Var.Type), Text(s.X))
	case *MapSet:
		d.line("%s = %s", elemText(s.Map, s.Key), Text(s.X))
	case *AggUpdate:
		d.line("%s <- %s(%s)", elemText(s.Map, s.Key), typeText(s.Map.Value), Text(s.X))
	case *If:
		d.block("if "+Text(s.Cond), s.Then)
		if s.Else != nil {
			d.block("else", s.Else)
		}
	case *ForRange:
		d.block(fmt.Sprintf("for $%s in %s..%s", s.Var.Name, Text(s.Lo), Text(s.Hi)), s.Body)
	case *ForMap:
		d.block(fmt.Sprintf("for $%s in %s", s.Var.Name, s.Map.Name), s.Body)
	case *While:
		d.block("while "+Text(s.Cond), s.Body)
	case *Unroll:
		d.block(fmt.Sprintf("unroll %d", s.Count), s.Body)
	case *Break:
		d.line("break")
	case *Continue:
		d.line("continue")
	case *Return:
		d.line("return %s", Text(s.X))
	case *Eval:
		d.line("eval %s", Text(s.X))
	case *Emit:
		d.emit(s)
	}
}

func (d *dumper) emit(s *Emit) {
	what := fmt.Sprintf("emit %s", s.Action)
	if s.Map != nil {
		what += " " + s.Map.Name
	}
	d.line("%s %q(%s)", what, s.Format, list(s.Args))
}

func elemText(m *Map, key Expr) string {
	if key == nil {
		return m.Name
	}
	return m.Name + "[" + Text(key) + "]"
}

func list(xs []Expr) string {
	out := make([]string, len(xs))
	for i, x := range xs {
		out[i] = Text(x)
	}
	return strings.Join(out, ", ")
}

// Text returns an expression as text: operations as calls, types where they
// change.
func Text(x Expr) string {
	switch x := x.(type) {
	case nil:
		return ""
	case *Const:
		if types.IsSigned(x.T) {
			return fmt.Sprint(int64(x.Value))
		}
		return fmt.Sprint(x.Value)
	case *Str:
		return fmt.Sprintf("%q", x.Value)
	case *Bytes:
		return fmt.Sprintf("bytes(%x)", x.Value)
	case *Zero:
		return "zero " + typeText(x.T)
	case *VarRef:
		return "$" + x.Var.Name
	case *Convert:
		return fmt.Sprintf("%s(%s)", typeText(x.T), Text(x.X))
	case *Deref:
		return "*" + Text(x.X)
	case *Field:
		return fmt.Sprintf("%s.%s@%d", Text(x.X), x.F.Name, x.F.Offset)
	case *Index:
		return fmt.Sprintf("%s[%s]", Text(x.X), Text(x.I))
	case *Tuple:
		return "(" + list(x.Elems) + ")"
	case *Arg:
		return "arg " + x.Arg.Name
	case *Ctx:
		return "ctx"
	case *Call:
		return fmt.Sprintf("%s(%s)", x.Fn, list(x.Args))
	}
	return operatorText(x)
}

func operatorText(x Expr) string {
	ops := [...]string{"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "-", "~"}
	switch x := x.(type) {
	case *Unary:
		return ops[x.Op] + Text(x.X)
	case *Binary:
		return fmt.Sprintf("(%s %s %s)", Text(x.X), ops[x.Op], Text(x.Y))
	case *Logical:
		if x.Or {
			return fmt.Sprintf("(%s || %s)", Text(x.X), Text(x.Y))
		}
		return fmt.Sprintf("(%s && %s)", Text(x.X), Text(x.Y))
	case *NotBool:
		return "!" + Text(x.X)
	case *Cond:
		return fmt.Sprintf("(%s ? %s : %s)", Text(x.Cond), Text(x.Then), Text(x.Else))
	case *IncDec:
		if x.Var != nil {
			return fmt.Sprintf("inc($%s, %d)", x.Var.Name, x.Delta)
		}
		return fmt.Sprintf("inc(%s, %d)", elemText(x.Map, x.Key), x.Delta)
	case *MapGet:
		return elemText(x.Map, x.Key)
	case *MapHas:
		return "has " + elemText(x.Map, x.Key)
	case *MapFind:
		return fmt.Sprintf("find(%s, $%s)", elemText(x.Map, x.Key), x.Var.Name)
	case *MapDelete:
		return "delete " + elemText(x.Map, x.Key)
	case *MapLen:
		return "len " + x.Map.Name
	case *AddrOf:
		if x.Var != nil {
			return "&$" + x.Var.Name
		}
		return "&" + x.Map.Name
	case *AddrOfPlace:
		return "&" + Text(x.X)
	case *BlockExpr:
		return fmt.Sprintf("{%d statements; %s}", len(x.Block.Stmts), Text(x.Result))
	}
	return fmt.Sprintf("%T", x)
}

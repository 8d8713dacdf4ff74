package progtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Event returns the name of the event that probe i is attached to.
func Event(i int) string { return fmt.Sprintf("progtest%d", i) }

// String returns the text of the script.
func (s *Script) String() string {
	var p printer
	if s.Strlen > 0 {
		fmt.Fprintf(&p, "config = { max_strlen = %d }\n", s.Strlen)
	}
	for i, probe := range s.Probes {
		fmt.Fprintf(&p, "rawtracepoint:%s", Event(i))
		if probe.Predicate != nil {
			fmt.Fprintf(&p, " / %s /", expr(probe.Predicate))
		}
		p.WriteString(" ")
		p.block(probe.Body)
		p.WriteString("\n")
	}
	return p.String()
}

type printer struct {
	strings.Builder
	depth int
}

func (p *printer) line(format string, args ...any) {
	p.WriteString(strings.Repeat("  ", p.depth))
	fmt.Fprintf(p, format, args...)
}

func (p *printer) block(b *Block) {
	p.WriteString("{\n")
	p.depth++
	for _, s := range b.Stmts {
		p.stmt(s)
	}
	p.depth--
	p.line("}")
}

func (p *printer) stmt(s *Stmt) {
	if text, ok := simple(s); ok {
		p.line("%s;\n", text)
		return
	}
	switch s.Op {
	case If:
		p.line("if (%s) ", expr(s.X[0]))
	case ForRange:
		p.line("for ($%s : %s..%s) ", s.Name, primary(s.X[0]), primary(s.X[1]))
	case ForMap:
		p.line("for ($%s : @%s) ", s.Name, s.Text)
	case While:
		p.line("while (%s) ", expr(s.X[0]))
	case Unroll:
		p.line("unroll (%d) ", s.N)
	case Scope:
		p.line("")
	}
	p.block(s.Blocks[0])
	if len(s.Blocks) > 1 {
		p.WriteString(" else ")
		p.block(s.Blocks[1])
	}
	p.WriteString("\n")
}

// simple returns the text of a statement without blocks.
func simple(s *Stmt) (string, bool) {
	switch s.Op {
	case Let:
		return let(s), true
	case Assign:
		return fmt.Sprintf("%s %s %s", expr(s.X[0]), s.Text, expr(s.X[1])), true
	case Discard:
		return "_ = " + expr(s.X[0]), true
	case Eval:
		return expr(s.X[0]), true
	case Break:
		return "break", true
	case Continue:
		return "continue", true
	case Return:
		return strings.TrimSpace("return " + list(s.X)), true
	case Printf:
		return fmt.Sprintf("printf(%s)", strings.Join(append([]string{strconv.Quote(s.Text)}, texts(s.X)...), ", ")), true
	case Print:
		return fmt.Sprintf("print(%s)", expr(s.X[0])), true
	case MapEvent:
		return fmt.Sprintf("%s(@%s)", s.Text, s.Name), true
	case Exit:
		return fmt.Sprintf("exit(%s)", list(s.X)), true
	case Agg:
		args := texts(s.X[1:])
		for _, n := range s.Params {
			args = append(args, fmt.Sprint(n))
		}
		return fmt.Sprintf("%s = %s(%s)", expr(s.X[0]), s.Text, strings.Join(args, ", ")), true
	}
	return "", false
}

func let(s *Stmt) string {
	text := "let $" + s.Name
	if s.Type != nil {
		text += " : " + s.Type.String()
	}
	if len(s.X) > 0 {
		text += " = " + expr(s.X[0])
	}
	return text
}

func texts(xs []*Expr) []string {
	var out []string
	for _, x := range xs {
		out = append(out, expr(x))
	}
	return out
}

func list(xs []*Expr) string { return strings.Join(texts(xs), ", ") }

// primary returns the text of x as an operand: in parentheses unless it is a
// primary expression.
func primary(x *Expr) string {
	switch x.Op {
	case Lit:
		if x.Text == "" {
			return expr(x)
		}
	case BoolLit, StrLit, Var, Arg, ArgField, Builtin, MapRead, MakeTuple, Call, HasKey, Delete, Find, Len, AddrVar, AddrMap:
		return expr(x)
	}
	return "(" + expr(x) + ")"
}

func expr(x *Expr) string {
	switch x.Op {
	case Lit:
		return x.Text + fmt.Sprint(x.N)
	case BoolLit:
		return fmt.Sprint(x.N != 0)
	case StrLit:
		return strconv.Quote(x.Text)
	case Var:
		return "$" + x.Name
	case Arg:
		return fmt.Sprintf("arg%d", x.N)
	case ArgField:
		return "args." + x.Name
	case Builtin:
		return x.Name
	case MapRead:
		if len(x.Kids) == 0 {
			return "@" + x.Name
		}
		return fmt.Sprintf("@%s[%s]", x.Name, list(x.Kids))
	case AddrVar:
		return "&$" + x.Name
	case AddrMap:
		return "&@" + x.Name
	case MakeTuple:
		return tupleText(x)
	}
	return compound(x)
}

func tupleText(x *Expr) string {
	parts := texts(x.Kids)
	for i, n := range x.Names {
		parts[i] = n + "=" + parts[i]
	}
	if len(parts) == 1 && x.Names == nil {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func compound(x *Expr) string {
	switch x.Op {
	case Unary:
		return x.Text + primary(x.Kids[0])
	case Binary, Logical:
		return fmt.Sprintf("%s %s %s", primary(x.Kids[0]), x.Text, primary(x.Kids[1]))
	case Cond:
		return fmt.Sprintf("%s ? %s : %s", primary(x.Kids[0]), primary(x.Kids[1]), primary(x.Kids[2]))
	case Elvis:
		return fmt.Sprintf("%s ?: %s", primary(x.Kids[0]), primary(x.Kids[1]))
	case IfExpr:
		return fmt.Sprintf("if (%s) { %s } else { %s }", expr(x.Kids[0]), result(x.Kids[1]), result(x.Kids[2]))
	case BlockExpr:
		var p printer
		for _, s := range x.Body.Stmts {
			p.stmt(s)
		}
		return "{ " + strings.ReplaceAll(p.String(), "\n", " ") + result(x.Kids[0]) + " }"
	case Cast:
		return fmt.Sprintf("(%s)%s", x.To, primary(x.Kids[0]))
	case Field:
		if x.Name != "" {
			return primary(x.Kids[0]) + "." + x.Name
		}
		return fmt.Sprintf("%s.%d", primary(x.Kids[0]), x.N)
	case Index:
		return fmt.Sprintf("%s[%s]", primary(x.Kids[0]), expr(x.Kids[1]))
	case Deref:
		if x.N == 1 {
			return primary(x.Kids[0]) + "[0]"
		}
		return "*" + primary(x.Kids[0])
	case IncDec:
		if x.N == 1 {
			return x.Text + expr(x.Kids[0])
		}
		return expr(x.Kids[0]) + x.Text
	}
	return called(x)
}

// result returns the text of the value of a block: a statement that begins with
// a variable or map can not go on as a conditional expression.
func result(x *Expr) string {
	if x.Op == Cond || x.Op == Elvis {
		return primary(x)
	}
	return expr(x)
}

func called(x *Expr) string {
	switch x.Op {
	case HasKey:
		return fmt.Sprintf("has_key(@%s, %s)", x.Name, expr(x.Kids[0]))
	case Delete:
		if len(x.Kids) == 0 {
			return fmt.Sprintf("delete(@%s)", x.Name)
		}
		return fmt.Sprintf("delete(@%s, %s)", x.Name, expr(x.Kids[0]))
	case Find:
		return fmt.Sprintf("find(@%s, %s, $%s)", x.Name, expr(x.Kids[0]), x.Text)
	case Len:
		return fmt.Sprintf("len(@%s)", x.Name)
	}
	return fmt.Sprintf("%s(%s)", x.Name, list(x.Kids))
}

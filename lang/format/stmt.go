package format

import "github.com/gotrace/gotrace/lang/ast"

// nested writes lines between braces that end at end: comments behind the last
// line are among them.
func (p *printer) nested(end uint32, lines func()) {
	p.newline()
	p.indent += indentStep
	p.first = true
	lines()
	p.flush(end)
	p.indent -= indentStep
	p.end = max(p.end, end)
	p.first = false
	p.writeIndent()
}

// block writes a block over several lines, or {} when there is nothing in it.
func (p *printer) block(b *ast.Block) {
	p.write("{")
	if len(b.Stmts) > 0 || b.Result != nil || p.hasComment(b.Span.End) {
		p.nested(b.Span.End, func() { p.stmts(b) })
	}
	p.write("}")
}

func (p *printer) stmts(b *ast.Block) {
	for _, s := range b.Stmts {
		p.startLine(s.Pos().Start)
		p.stmt(s)
		p.endLine(s.Pos().End)
	}
	if b.Result != nil {
		p.startLine(b.Result.Pos().Start)
		p.leading(b.Result)
		p.endLine(b.Result.Pos().End)
	}
}

func (p *printer) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		p.exprStmt(s)
	case *ast.For:
		p.forLoop(s)
	case *ast.While:
		p.write("while ")
		p.loop(s.Cond, s.Body)
	case *ast.Unroll:
		p.write("unroll ")
		p.loop(s.Count, s.Body)
	case *ast.BadStmt:
		p.verbatim(s)
	default:
		p.simple(s)
		p.write(";")
	}
}

// simple writes a statement that ends with a semicolon, without it.
func (p *printer) simple(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.Let:
		p.let(s)
	case *ast.Assign:
		p.expr(s.Target)
		p.write(" " + s.Op + " ")
		p.aligned(s.Value)
	case *ast.Discard:
		p.write("_ = ")
		p.aligned(s.X)
	case *ast.Break:
		p.write("break")
	case *ast.Continue:
		p.write("continue")
	case *ast.Return:
		p.write("return")
		if s.Value != nil {
			p.write(" ")
			p.aligned(s.Value)
		}
	case *ast.ImportStmt:
		p.write("import " + s.Import.Path.Text)
	}
}

// aligned writes an expression whose further lines are set below its first
// byte.
func (p *printer) aligned(x ast.Expr) {
	indent := p.indent
	p.indent = p.column()
	p.expr(x)
	p.indent = indent
}

func (p *printer) let(s *ast.Let) {
	p.write("let $" + s.Var.Name)
	if s.Type != nil {
		p.write(" : ")
		p.typ(s.Type)
	}
	if s.Value != nil {
		p.write(" = ")
		p.expr(s.Value)
	}
}

func (p *printer) exprStmt(s *ast.ExprStmt) {
	switch x := s.X.(type) {
	case *ast.If:
		p.ifLines(x)
	case *ast.Block:
		p.block(x)
	default:
		p.leading(x)
		p.write(";")
	}
}

// leading writes an expression where a statement may begin. What would be
// taken for another kind of statement is put in parentheses.
func (p *printer) leading(x ast.Expr) {
	at := len(p.out)
	p.expr(x)
	if mistaken(string(p.out[at:]), x) {
		p.out = p.out[:at]
		p.write("(")
		p.expr(x)
		p.write(")")
	}
}

// mistaken reports whether the text of x begins as a statement does that is no
// expression: with a keyword, or with a variable before a `?`.
func mistaken(text string, x ast.Expr) bool {
	_, cond := x.(*ast.Cond)
	if cond && (text[0] == '$' && text[1] != '#' && (text[1] < '0' || text[1] > '9') || text[0] == '@') {
		return true
	}
	end := 0
	for end < len(text) && isWord(text[:end+1]) {
		end++
	}
	switch text[:end] {
	case "let", "for", "while", "unroll", "break", "continue", "return", "import":
		return true
	}
	return false
}

func (p *printer) forLoop(s *ast.For) {
	p.write("for $" + s.Var.Name + " : ")
	if s.Map != nil {
		p.write(s.Map.Name)
	} else {
		p.bound(s.Lo)
		p.write("..")
		p.bound(s.Hi)
	}
	p.write(" ")
	p.block(s.Body)
}

// bound writes one end of a range, in parentheses unless it is a plain value.
func (p *printer) bound(x ast.Expr) {
	switch x.(type) {
	case *ast.IntLit, *ast.VarRef, *ast.Param, *ast.ParamCount, *ast.Ident, *ast.StrLit, *ast.BoolLit:
		p.expr(x)
	default:
		p.parens(x)
	}
}

// loop writes the condition or count of a loop and its body.
func (p *printer) loop(cond ast.Expr, body *ast.Block) {
	p.parens(cond)
	p.write(" ")
	p.block(body)
}

// ifLines writes an if with each arm on lines of its own.
func (p *printer) ifLines(x *ast.If) {
	for {
		p.write("if ")
		if c, ok := x.Cond.(*ast.Comptime); ok {
			p.expr(c)
		} else {
			p.parens(x.Cond)
		}
		p.write(" ")
		p.block(x.Then)
		switch next := x.Else.(type) {
		case *ast.If:
			p.write(" else ")
			x = next
			continue
		case *ast.Block:
			p.write(" else ")
			p.block(next)
		}
		return
	}
}

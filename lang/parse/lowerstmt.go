package parse

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/source"
)

// lowerBlock makes a block. With value, its last expression is its result when
// no semicolon follows; otherwise every expression in it is a statement.
func (x *block) lowerBlock(b *builder, value bool) *ast.Block {
	out := &ast.Block{Base: ast.Base{Span: x.span()}}
	for i, s := range x.stmts {
		if value && i == len(x.stmts)-1 {
			if out.Result = result(b, s); out.Result != nil {
				break
			}
		}
		out.Stmts = append(out.Stmts, s.lowerStmt(b))
	}
	return out
}

// result makes the value of a block that ends with s, nil when s has none.
func result(b *builder, s stmt) ast.Expr {
	switch s := s.(type) {
	case *exprStmt:
		if !s.semi {
			return s.x
		}
	case *blockStmt:
		if !s.semi {
			return s.block.lowerBlock(b, true)
		}
	case *ifStmt:
		if !s.semi {
			return s.lower(b, true)
		}
	}
	return nil
}

func (s *letStmt) lowerStmt(b *builder) ast.Stmt {
	out := &ast.Let{Base: ast.Base{Span: s.span()}, Var: varOf(&s.Var), Type: b.typ(s.Type), Value: s.Value}
	if s.Star != nil {
		b.starBeforeEquals(out, tokenSpan(s.Star))
	}
	return out
}

// starBeforeEquals gives the type of a let, as in `let $p : T*= x`, the star
// that the lexer took for part of an operator.
func (b *builder) starBeforeEquals(n *ast.Let, at source.Span) {
	if n.Type == nil {
		b.fail(syntaxErrorf(at, "a declaration takes '=', not '*='"))
		return
	}
	star := source.Span{Start: at.Start, End: at.Start + 1}
	n.Type.Span = n.Type.Span.Cover(star)
	n.Type.Suffixes = append(n.Type.Suffixes, ast.TypeSuffix{Base: ast.Base{Span: star}})
}

func (s *discardStmt) lowerStmt(*builder) ast.Stmt {
	return &ast.Discard{Base: ast.Base{Span: s.span()}, X: s.X}
}

func (s *assignStmt) lowerStmt(*builder) ast.Stmt {
	return &ast.Assign{Base: ast.Base{Span: s.span()}, Target: s.target, Op: s.op, Value: s.value}
}

func (s *exprStmt) lowerStmt(*builder) ast.Stmt {
	return &ast.ExprStmt{Base: ast.Base{Span: s.x.Pos()}, X: s.x}
}

func (s *blockStmt) lowerStmt(b *builder) ast.Stmt {
	return &ast.ExprStmt{Base: ast.Base{Span: s.block.span()}, X: s.block.lowerBlock(b, false)}
}

func (s *ifStmt) lowerStmt(b *builder) ast.Stmt {
	return &ast.ExprStmt{Base: ast.Base{Span: s.span()}, X: s.lower(b, false)}
}

func (s *forStmt) lowerStmt(b *builder) ast.Stmt {
	out := &ast.For{Base: ast.Base{Span: s.span()}, Var: varOf(&s.Head.Var)}
	out.Body = b.bodyOf(s.Body, false)
	if !s.Head.Over.lowerRange(out) {
		b.fail(syntaxErrorf(out.Body.Span, "expected a map or a range with '..' to iterate over"))
	}
	return out
}

func (s *whileStmt) lowerStmt(b *builder) ast.Stmt {
	return &ast.While{Base: ast.Base{Span: s.span()}, Cond: s.Cond, Body: b.bodyOf(s.Body, false)}
}

func (s *unrollStmt) lowerStmt(b *builder) ast.Stmt {
	return &ast.Unroll{Base: ast.Base{Span: s.span()}, Count: s.Count, Body: b.bodyOf(s.Body, false)}
}

func (s *jumpStmt) lowerStmt(*builder) ast.Stmt {
	if s.Word == "break" {
		return &ast.Break{Base: ast.Base{Span: s.span()}}
	}
	return &ast.Continue{Base: ast.Base{Span: s.span()}}
}

func (s *returnStmt) lowerStmt(*builder) ast.Stmt {
	return &ast.Return{Base: ast.Base{Span: s.span()}, Value: s.Value}
}

func (s *importStmt) lowerStmt(b *builder) ast.Stmt {
	return &ast.ImportStmt{Base: ast.Base{Span: s.span()}, Import: b.imports(s.Tokens, &s.Path)}
}

func (s *badStmt) lowerStmt(b *builder) ast.Stmt {
	b.salvageStmt(s.part)
	b.fail(s.err)
	return &ast.BadStmt{Base: ast.Base{Span: s.span()}}
}

// salvageStmt keeps the errors in the blocks of a statement that failed behind
// them.
func (b *builder) salvageStmt(part stmt) {
	switch s := part.(type) {
	case *ifStmt:
		b.bodyOf(s.Then, false)
		for _, arm := range s.Else {
			b.bodyOf(arm.Body, false)
		}
	case *forStmt:
		b.bodyOf(s.Body, false)
	case *whileStmt:
		b.bodyOf(s.Body, false)
	case *unrollStmt:
		b.bodyOf(s.Body, false)
	case *blockStmt:
		s.block.lowerBlock(b, false)
	}
}

// lower makes an if of the chain of arms, which it builds from its end.
func (x *ifExpr) lower(b *builder, value bool) *ast.If {
	out := &ast.If{Base: ast.Base{Span: x.span()}, Cond: x.Cond, Then: b.bodyOf(x.Then, value)}
	if len(x.Else) > maxDepth {
		b.fail(syntaxErrorf(x.Else[maxDepth].span(), "if has more than %d arms", maxDepth))
		return out
	}
	at := out
	for i, arm := range x.Else {
		then := b.bodyOf(arm.Body, value)
		if arm.Cond == nil {
			at.Else = then
			if i < len(x.Else)-1 {
				b.fail(syntaxErrorf(x.Else[i+1].span(), "else behind the last else"))
			}
			return out
		}
		sp := arm.span()
		sp.End = x.span().End
		next := &ast.If{Base: ast.Base{Span: sp}, Cond: arm.Cond, Then: then}
		at.Else, at = next, next
	}
	return out
}

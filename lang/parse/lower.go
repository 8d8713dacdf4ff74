package parse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// builder makes the tree of what was parsed and gathers the errors.
type builder struct {
	file *source.File
	list *diag.List
	errs []*syntaxError
}

func (b *builder) fail(err error) { b.errs = append(b.errs, asSyntaxError(err)) }

// first returns the error that comes first in the text, or nil.
func (b *builder) first() error {
	if len(b.errs) == 0 {
		return nil
	}
	return slices.MinFunc(b.errs, func(x, y *syntaxError) int { return cmp.Compare(x.at.Start, y.at.Start) })
}

// report adds the first error of each line to the list.
func (b *builder) report() {
	slices.SortStableFunc(b.errs, func(x, y *syntaxError) int { return cmp.Compare(x.at.Start, y.at.Start) })
	line := 0
	for _, e := range b.errs {
		at := b.list.Files.Position(e.at.Start).Line
		if at == line && at != 0 {
			continue
		}
		if line = at; len(b.list.Diags) == maxErrors {
			return
		}
		d := b.list.Errorf(e.code, e.at, "%s", e.msg)
		if e.note != nil {
			d.Notes = append(d.Notes, *e.note)
		}
		if e.hint != "" {
			d.Hint("%s", e.hint)
		}
	}
}

// script sorts the items into the parts of a script and checks their order.
func (b *builder) script(s *script) *ast.Script {
	out := &ast.Script{File: b.file}
	out.Span = b.file.Span(0, len(b.file.Text))
	for _, it := range s.Items {
		switch it := it.(type) {
		case *cdefItem:
			sp := tokenSpan(&it.text)
			out.CDefs = append(out.CDefs, &ast.CDef{Base: ast.Base{Span: sp}, Text: it.text.Value})
			if out.Config != nil || len(out.Imports)+len(out.Items) > 0 {
				b.order(sp, "C definitions must appear before config, imports, probes and functions")
			}
		case *configItem:
			b.configOrder(out, it)
			out.Config = b.config(it)
		case *importItem:
			if len(out.Items) > 0 {
				b.order(tokenSpan(&it.Tokens[0]), "imports must appear before probes and functions")
			}
			out.Imports = append(out.Imports, b.imports(it.Tokens, &it.Path))
		default:
			out.Items = append(out.Items, b.item(it))
		}
	}
	return out
}

func (b *builder) order(sp source.Span, msg string) {
	b.errs = append(b.errs, newError(diag.PartOrder, sp, "%s", msg))
}

func (b *builder) configOrder(s *ast.Script, it *configItem) {
	at := tokenSpan(&it.Tokens[0])
	switch {
	case len(s.Items) > 0:
		b.order(at, "config must appear before probes and functions")
	case s.Config != nil:
		b.order(at, "there is a config block already")
	}
}

func (b *builder) config(it *configItem) *ast.Config {
	out := &ast.Config{Base: ast.Base{Span: it.span()}}
	for _, s := range it.Settings {
		value := b.setting(&s.Value.Token)
		name := identOf(&s.Name)
		base := ast.Base{Span: name.Span.Cover(value.Pos())}
		out.Settings = append(out.Settings, &ast.Setting{Base: base, Name: name, Value: value})
	}
	return out
}

// setting makes the value of a setting.
func (b *builder) setting(t *lexer.Token) ast.Expr {
	switch {
	case t.Type == tokString:
		return b.orBad(t)(orNil(strLit(t)))
	case t.Type == tokInt:
		return b.orBad(t)(orNil(intLit(t)))
	case t.Value == "true" || t.Value == "false":
		return &ast.BoolLit{Base: ast.Base{Span: tokenSpan(t)}, Value: t.Value == "true"}
	}
	return identOf(t)
}

// orBad gives x, or a BadExpr at t and notes the error.
func (b *builder) orBad(t *lexer.Token) func(ast.Expr, error) ast.Expr {
	return func(x ast.Expr, err error) ast.Expr {
		if err != nil {
			b.fail(err)
			return &ast.BadExpr{Base: ast.Base{Span: tokenSpan(t)}}
		}
		return x
	}
}

// imports makes an import, whose span leaves the semicolon out.
func (b *builder) imports(toks []lexer.Token, path *lexer.Token) *ast.Import {
	sp := tokenSpan(&toks[0]).Cover(tokenSpan(path))
	out := &ast.Import{Base: ast.Base{Span: sp}}
	lit, err := strLit(path)
	if err != nil {
		b.fail(err)
		lit = &ast.StrLit{Base: ast.Base{Span: tokenSpan(path)}, Text: path.Value}
	}
	out.Path = lit
	return out
}

// item makes an item that has no fixed place.
func (b *builder) item(it item) ast.Item {
	switch it := it.(type) {
	case *mapItem:
		return b.mapDecl(it)
	case *macroItem:
		return b.macro(it)
	case *fnItem:
		return b.fn(it)
	case *probeItem:
		return b.probe(it)
	}
	bad := it.(*badItem)
	b.salvage(bad.part)
	b.fail(bad.err)
	return &ast.BadItem{Base: ast.Base{Span: bad.span()}}
}

// salvage keeps the errors in the part of an item that was understood.
func (b *builder) salvage(part item) {
	switch it := part.(type) {
	case *macroItem:
		b.bodyOf(it.Body, true)
	case *fnItem:
		b.bodyOf(it.Body, false)
	case *probeItem:
		b.bodyOf(it.Body, false)
	}
}

// bodyOf makes a block, which may be missing after an error.
func (b *builder) bodyOf(x body, value bool) *ast.Block {
	if x == nil {
		return &ast.Block{}
	}
	return x.lowerBlock(b, value)
}

func (b *builder) mapDecl(it *mapItem) ast.Item {
	out := &ast.MapDecl{Base: ast.Base{Span: it.span()}, Map: mapOf(&it.Map), Kind: identOf(&it.Kind)}
	n, err := intLit(&it.Entries)
	if err != nil {
		b.fail(err)
		n = &ast.IntLit{Base: ast.Base{Span: tokenSpan(&it.Entries)}, Text: it.Entries.Value}
	}
	out.Entries = n
	return out
}

func (b *builder) macro(it *macroItem) ast.Item {
	out := &ast.Macro{Base: ast.Base{Span: it.span()}, Name: identOf(&it.Name)}
	for _, p := range it.Params {
		t := &p.Token
		switch t.Type {
		case tokVar:
			out.Params = append(out.Params, varOf(t))
		case tokMap:
			out.Params = append(out.Params, mapOf(t))
		default:
			if isKnownName(t.Value) {
				b.fail(syntaxErrorf(tokenSpan(t), "'%s' is a builtin and can not name a macro parameter", t.Value))
			}
			out.Params = append(out.Params, identOf(t))
		}
	}
	out.Body = b.bodyOf(it.Body, true)
	return out
}

func (b *builder) fn(it *fnItem) ast.Item {
	out := &ast.Fn{Base: ast.Base{Span: it.span()}, Name: identOf(&it.Name), Result: b.typ(it.Result)}
	for _, p := range it.Params {
		out.Params = append(out.Params, &ast.FnParam{Base: ast.Base{Span: p.span()}, Var: varOf(&p.Var), Type: b.typ(p.Type)})
	}
	out.Body = b.bodyOf(it.Body, false)
	return out
}

func (b *builder) typ(t *typeExpr) *ast.TypeExpr {
	if t == nil {
		return nil
	}
	out, err := t.lower()
	if err != nil {
		b.fail(err)
		return &ast.TypeExpr{Base: ast.Base{Span: t.span()}, Name: &ast.Ident{Base: ast.Base{Span: t.span()}}}
	}
	return out
}

func (b *builder) probe(it *probeItem) ast.Item {
	out := &ast.Probe{Base: ast.Base{Span: it.span()}, Pred: it.Pred}
	for _, t := range it.Attach.points() {
		if strings.ContainsRune(t.Value, 0) {
			b.fail(syntaxErrorf(tokenSpan(&t), "attach point with a zero byte"))
		}
		out.Attach = append(out.Attach, &ast.AttachPoint{Base: ast.Base{Span: tokenSpan(&t)}, Text: t.Value})
	}
	out.Body = b.bodyOf(it.Body, false)
	return out
}

// Package format prints a syntax tree in the canonical layout of section 17.2
// of the language reference.
//
// Input is a script that parsed without errors, output its text. The text has
// the same tree as the script (but for the strings of a config block that are
// plain words, which lose their quotes), and formatting it again does not
// change it. Literals, attach points and C definitions are copied. Comments are
// kept, each on lines of its own: a comment within a statement goes behind it.
package format

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
)

// width is the line length beyond which lists are broken.
const width = 80

// indentStep is the indentation of a block within its surroundings.
const indentStep = 2

// Source returns the formatted text of a script.
func Source(s *ast.Script) []byte {
	p := &printer{src: s, comments: s.Comments, first: true}
	if s.Shebang != "" {
		p.write(s.Shebang)
		p.endLine(s.Span.Start + uint32(len(s.Shebang)))
	}
	for _, n := range parts(s) {
		p.startLine(n.Pos().Start)
		p.part(n)
		p.endLine(n.Pos().End)
	}
	p.flush(s.Span.End + 1)
	return p.out
}

// parts returns the top-level parts of a script in source order.
func parts(s *ast.Script) []ast.Node {
	var out []ast.Node
	ast.Children(s, func(n ast.Node) { out = append(out, n) })
	slices.SortStableFunc(out, func(a, b ast.Node) int { return cmp.Compare(a.Pos().Start, b.Pos().Start) })
	return out
}

// printer writes the text. Lines are begun and ended by startLine and endLine,
// which put the comments and blank lines of the source between them.
type printer struct {
	src      *ast.Script
	out      []byte
	comments []*ast.Comment // those not written yet
	indent   int
	line     int    // where the last line of out begins
	end      uint32 // how far the source is written
	first    bool   // nothing is written in this block yet
	flat     *flatness
}

// flatness is set while text is measured: nothing may be broken then.
type flatness struct{ broken bool }

func (p *printer) write(s string) { p.out = append(p.out, s...) }

func (p *printer) newline() {
	p.out = append(p.out, '\n')
	p.line = len(p.out)
}

// column is the width of the line so far, or its indentation when nothing is
// written yet.
func (p *printer) column() int { return len(p.out) - p.line }

func (p *printer) writeIndent() { p.write(strings.Repeat(" ", p.indent)) }

// startLine begins the line of what stands at start in the source, behind the
// comments before it.
func (p *printer) startLine(start uint32) {
	p.flush(start)
	p.blankLines(start)
	p.writeIndent()
}

// endLine ends a line whose source ends at end.
func (p *printer) endLine(end uint32) {
	p.newline()
	p.end = max(p.end, end)
	p.first = false
}

// blankLines writes as many blank lines as the source has before start. The
// first line of a block has none.
func (p *printer) blankLines(start uint32) {
	if p.first || start <= p.end {
		return
	}
	base := p.src.Span.Start
	gap := p.src.File.Text[p.end-base : start-base]
	for n := strings.Count(gap, "\n"); n > 1; n-- {
		p.newline()
	}
}

// flush writes the comments that begin before the offset.
func (p *printer) flush(before uint32) {
	for p.hasComment(before) {
		c := p.comments[0]
		p.comments = p.comments[1:]
		p.blankLines(c.Span.Start)
		for _, line := range commentLines(c.Text) {
			p.writeIndent()
			p.write(strings.TrimRight("// "+line, " "))
			p.newline()
		}
		p.end = max(p.end, c.Span.End)
		p.first = false
	}
}

// hasComment reports whether a comment before the offset is not written yet.
func (p *printer) hasComment(before uint32) bool {
	return len(p.comments) > 0 && p.comments[0].Span.Start < before
}

// commentLines returns the lines of a comment without its delimiters.
func commentLines(text string) []string {
	if rest, ok := strings.CutPrefix(text, "//"); ok {
		return []string{strings.TrimRight(strings.TrimPrefix(rest, " "), " \t\r")}
	}
	lines := strings.Split(text[2:len(text)-2], "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if i > 0 || len(lines) > 1 {
			line = strings.TrimPrefix(strings.TrimPrefix(line, "*"), " ")
		}
		lines[i] = line
	}
	if len(lines) > 1 && lines[0] == "" {
		lines = lines[1:]
	}
	if n := len(lines) - 1; n > 0 && lines[n] == "" {
		lines = lines[:n]
	}
	return lines
}

// part writes one top-level part, without the end of its last line.
func (p *printer) part(n ast.Node) {
	switch n := n.(type) {
	case *ast.CDef:
		p.write(n.Text)
	case *ast.Config:
		p.config(n)
	case *ast.Import:
		p.write("import " + n.Path.Text + ";")
	case *ast.MapDecl:
		p.write("let " + n.Map.Name + " = " + n.Kind.Name + "(" + n.Entries.Text + ");")
	case *ast.Probe:
		p.probe(n)
	case *ast.Macro:
		p.write("macro " + n.Name.Name)
		p.exprList("(", ")", n.Params)
		p.body(n.Body)
	case *ast.Fn:
		p.fn(n)
	default:
		p.verbatim(n)
	}
}

// verbatim copies the source of what could not be parsed.
func (p *printer) verbatim(n ast.Node) { p.write(p.src.File.Slice(n.Pos())) }

func (p *printer) config(n *ast.Config) {
	p.write("config = {")
	if len(n.Settings) == 0 && !p.hasComment(n.Span.End) {
		p.write("}")
		return
	}
	p.nested(n.Span.End, func() {
		for _, s := range n.Settings {
			p.startLine(s.Span.Start)
			p.write(s.Name.Name + " = " + settingText(s.Value) + ";")
			p.endLine(s.Span.End)
		}
	})
	p.write("}")
}

// settingText is the text of a value. A string that is a plain word is written
// as one.
func settingText(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.IntLit:
		return x.Text
	case *ast.BoolLit:
		if x.Value {
			return "true"
		}
		return "false"
	case *ast.Ident:
		return x.Name
	case *ast.StrLit:
		if isWord(x.Value) && x.Value != "true" && x.Value != "false" {
			return x.Value
		}
		return x.Text
	}
	return ""
}

func isWord(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (p *printer) probe(n *ast.Probe) {
	for i, a := range n.Attach {
		if i > 0 {
			p.write(",")
			p.newline()
		}
		p.write(a.Text)
	}
	if n.Pred != nil {
		p.newline()
		p.write("/")
		at := len(p.out)
		p.expr(n.Pred)
		if c := p.out[at]; c == '*' || c == '/' { // would begin a comment
			p.out = slices.Insert(p.out, at, ' ')
		}
		p.write("/")
	}
	p.body(n.Body)
}

func (p *printer) fn(n *ast.Fn) {
	p.write("fn " + n.Name.Name)
	items := make([]func(), len(n.Params))
	for i, a := range n.Params {
		items[i] = func() {
			p.write("$" + a.Var.Name + " : ")
			p.typ(a.Type)
		}
	}
	p.list("(", ")", items)
	p.write(" : ")
	p.typ(n.Result)
	p.body(n.Body)
}

// body writes the block of an item, which begins on a line of its own.
func (p *printer) body(b *ast.Block) {
	p.newline()
	p.block(b)
}

package format

import (
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
)

// exprList writes expressions between brackets.
func (p *printer) exprList(open, shut string, list []ast.Expr) {
	items := make([]func(), len(list))
	for i, x := range list {
		items[i] = func() { p.expr(x) }
	}
	p.list(open, shut, items)
}

// list writes items between brackets, broken into lines when they do not fit
// one. The further lines are set behind the opening bracket. A line is ended
// where all that remains fits the next one, so that the last line is full.
func (p *printer) list(open, shut string, items []func()) {
	p.write(open)
	texts, ok := p.measure(items)
	rest := len(shut) + 1 // with the semicolon
	for _, t := range texts {
		rest += len(t) + 2
	}
	if !ok || p.flat != nil || p.column()+rest-2 <= width {
		p.flatList(items)
		p.write(shut)
		return
	}
	indent := p.indent
	p.indent = p.column()
	remaining := rest - len(shut) - 3
	last := false // on the last line
	for i, item := range items {
		if i > 0 {
			remaining -= len(texts[i-1]) + 2
			p.write(",")
			if !last && p.breakHere(len(texts[i]), remaining) {
				last = remaining <= width
				p.newline()
				p.writeIndent()
			} else {
				p.write(" ")
			}
		}
		item()
	}
	p.indent = indent
	p.write(shut)
}

// breakHere decides on a line end before an item of the given width, when so
// much remains with it.
func (p *printer) breakHere(item, remaining int) bool {
	if p.column()+1+remaining+2 <= width {
		return false
	}
	return remaining <= width || p.column()+1+item+1 > width
}

func (p *printer) flatList(items []func()) {
	for i, item := range items {
		if i > 0 {
			p.write(", ")
		}
		item()
	}
}

// measure returns what the items are on one line. It is false when one of them
// needs several lines.
func (p *printer) measure(items []func()) ([]string, bool) {
	if p.flat != nil {
		return nil, true
	}
	out, line := p.out, p.line
	p.flat = &flatness{}
	texts := make([]string, len(items))
	for i, item := range items {
		p.out, p.line = nil, 0
		item()
		texts[i] = string(p.out)
		if strings.IndexByte(texts[i], '\n') >= 0 {
			p.flat.broken = true
		}
	}
	ok := !p.flat.broken
	p.out, p.line, p.flat = out, line, nil
	return texts, ok
}

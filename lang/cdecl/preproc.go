package cdecl

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/lang/source"
)

// Bounds of the tokens that the expansion of macros can produce, and of those
// that are read: a token takes some 100 bytes, and a vmlinux.h has 700,000.
const (
	maxTokens = 1 << 19
	maxRead   = 1 << 21
)

// macro is a definition of the preprocessor. params is nil for object-like
// macros.
type macro struct {
	Macro
	name    source.Span
	params  []string
	body    []token
	builtin bool
}

// cond is an open #if.
type cond struct {
	span  source.Span
	outer bool // the code around it is read
	taken bool // a branch has been read
	live  bool // the current branch is read
	other bool // #else was seen
}

// preprocessor turns text into the tokens that the parser reads.
type preprocessor struct {
	u      *unit
	macros map[string]*macro
	conds  []cond
	out    []token
	work   int // tokens produced by macros
	size   int // bytes of headers read
	tokens int // tokens read
	packs  []int
	pack   int

	file
	seen      map[string]bool
	satisfied bool // a header was included that is not read
	kernelish bool // that header was one of the kernel
}

// file is what is being read.
type file struct {
	dir   string // where "…" includes start; unset in the script
	depth int
	sys   bool
}

func newPreprocessor(u *unit) *preprocessor {
	p := &preprocessor{u: u, macros: map[string]*macro{}, seen: map[string]bool{}}
	p.predefine(predefined(u.opts.Arch, u.opts.KernelVersion))
	return p
}

// predefine reads #define lines of gotrace itself.
func (p *preprocessor) predefine(lines string) {
	for line := range strings.Lines(lines) {
		toks, _ := lex(line, 0, maxRead)
		if len(toks) == 0 {
			continue
		}
		for i := range toks {
			toks[i].span = source.Span{}
		}
		m := &macro{Macro: Macro{Name: toks[0].text}, builtin: true}
		m.body, _ = m.takeParams(toks[1:])
		p.macros[m.Name] = m
	}
}

// chunk reads one definition or line of the script.
func (p *preprocessor) chunk(text string, base uint32) {
	p.text(text, base)
	if n := len(p.out); n > 0 && !p.out[n-1].is(";") {
		last := p.out[n-1]
		last.kind, last.text = tPunct, ";" // optional in a script
		p.out = append(p.out, last)
	}
}

// finish reports what is still open.
func (p *preprocessor) finish() { p.closeConds(0) }

func (p *preprocessor) closeConds(depth int) {
	for len(p.conds) > depth {
		last := len(p.conds) - 1
		p.u.report(&failure{span: p.conds[last].span, msg: "#if without #endif"}, p.sys)
		p.conds = p.conds[:last]
	}
}

// text reads C text: directives are obeyed, the rest is expanded and appended
// to the output.
func (p *preprocessor) text(text string, base uint32) {
	toks, all := lex(text, base, maxRead-p.tokens)
	p.tokens += len(toks)
	if !all {
		if len(toks) > 0 { // else it has been reported
			msg := fmt.Sprintf("the definitions and headers have more than %d tokens", maxRead)
			p.u.report(&failure{span: toks[len(toks)-1].span, msg: msg}, false)
		}
		return
	}
	for i := range toks {
		toks[i].sys = p.sys
	}
	for len(toks) > 0 {
		n := 0
		if toks[0].bol && toks[0].is("#") {
			n = lineLen(toks)
			p.directive(toks[1:n], toks[0], base, text)
		} else {
			for n < len(toks) && !(toks[n].bol && toks[n].is("#")) {
				toks[n].pack = p.pack
				n++
			}
			if p.live() {
				p.emit(toks[:n])
			}
		}
		toks = toks[n:]
	}
}

func lineLen(toks []token) int {
	n := 1
	for n < len(toks) && !toks[n].bol {
		n++
	}
	return n
}

func (p *preprocessor) live() bool {
	return len(p.conds) == 0 || p.conds[len(p.conds)-1].live
}

func (p *preprocessor) emit(toks []token) {
	list, err := p.expand(toks)
	if err != nil {
		p.u.report(err, p.sys)
		return
	}
	p.out = append(p.out, list...)
}

// directive obeys one line; hash is its #.
func (p *preprocessor) directive(line []token, hash token, base uint32, text string) {
	if len(line) == 0 {
		return
	}
	name, args := line[0], line[1:]
	if err := p.conditional(name, args); err != errNotMine {
		if err != nil {
			p.u.report(err, p.sys)
		}
		return
	}
	if !p.live() {
		return
	}
	var err *failure
	switch name.text {
	case "define":
		err = p.define(args, name, base, text)
	case "undef":
		if len(args) > 0 {
			delete(p.macros, args[0].text)
		}
	case "include", "import":
		err = p.include(args, hash.span.Cover(line[len(line)-1].span), base, text)
	case "error":
		err = &failure{span: hash.span.Cover(line[len(line)-1].span), msg: "#error " + joined(args, base, text)}
	case "pragma":
		err = p.pragma(args)
	case "warning", "line", "ident", "include_next":
	default:
		err = &failure{span: name.span, msg: "unknown preprocessor line #" + name.text}
	}
	if err != nil {
		p.u.report(err, p.sys)
	}
}

// define reads a macro.
func (p *preprocessor) define(args []token, at token, base uint32, text string) *failure {
	if len(args) == 0 || args[0].kind != tIdent {
		return &failure{span: at.span, msg: "#define without a name"}
	}
	name := args[0]
	if name.text == "defined" {
		return &failure{span: name.span, msg: "defined can not be a macro"}
	}
	m := &macro{Macro: Macro{Name: name.text}, name: name.span}
	body, err := m.takeParams(args[1:])
	if err != nil {
		return err
	}
	m.body = body
	if len(body) > 0 {
		m.Text = joined(body, base, text)
		m.Span = body[0].span.Cover(body[len(body)-1].span)
	}
	p.macros[m.Name] = m
	return nil
}

// takeParams reads the parameters of a function-like macro: a parenthesis
// right behind the name.
func (m *macro) takeParams(toks []token) ([]token, *failure) {
	if len(toks) == 0 || !toks[0].is("(") || !toks[0].glue {
		return toks, nil
	}
	m.params = []string{}
	for i := 1; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.is(")"):
			return toks[i+1:], nil
		case t.is("..."):
			m.params = append(m.params, "__VA_ARGS__")
		case t.kind == tIdent:
			m.params = append(m.params, t.text)
		case !t.is(","):
			return nil, &failure{span: t.span, msg: "malformed parameters of a macro"}
		}
	}
	return nil, &failure{span: toks[0].span, msg: "unclosed parameters of a macro"}
}

// joined returns the text of tokens that stand in one line: as written, unless
// comments or continuations lie between them.
func joined(toks []token, base uint32, text string) string {
	if len(toks) == 0 {
		return ""
	}
	raw := text[toks[0].span.Start-base : toks[len(toks)-1].span.End-base]
	if !strings.Contains(raw, "/*") && !strings.Contains(raw, "\n") {
		return raw
	}
	var b strings.Builder
	for i, t := range toks {
		if i > 0 && !t.glue {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// pragma obeys #pragma pack, which changes layouts; others do not matter here.
func (p *preprocessor) pragma(args []token) *failure {
	if len(args) == 0 || !args[0].is("pack") {
		return nil
	}
	for _, t := range args[1:] {
		switch {
		case t.is("push"):
			if len(p.packs) >= 1000 {
				return &failure{span: t.span, msg: "#pragma pack(push) nests too deeply"}
			}
			p.packs = append(p.packs, p.pack)
		case t.is("pop"):
			if n := len(p.packs); n > 0 {
				p.pack, p.packs = p.packs[n-1], p.packs[:n-1]
			}
		case t.kind == tNumber:
			v, ok := parseInt(t.text)
			if !ok || !isPowerOf2(v.v) || v.v > 16 {
				return &failure{span: t.span, msg: "#pragma pack takes 1, 2, 4, 8 or 16"}
			}
			p.pack = int(v.v)
		}
	}
	if len(args) == 3 { // pack()
		p.pack = 0
	}
	return nil
}

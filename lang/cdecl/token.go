package cdecl

import (
	"strings"

	"github.com/gotrace/gotrace/lang/source"
)

type tokenKind uint8

const (
	tEOF tokenKind = iota
	tIdent
	tNumber
	tString
	tChar
	tPunct
)

// token is a preprocessing token.
type token struct {
	kind tokenKind
	text string
	span source.Span
	bol  bool // first on its line
	glue bool // no blank in front of it
	sys  bool // from a header of the system
	dead bool // a macro's own name inside its expansion: never expanded again
	pack int  // #pragma pack in effect, 0: none
}

func (t token) is(text string) bool { return t.text == text && (t.kind == tPunct || t.kind == tIdent) }

// lexer splits C text into tokens. It knows no errors: what is no token is a
// punctuation mark of one byte.
type lexer struct {
	text string
	base uint32
	pos  int
	bol  bool
	glue bool
}

// lex returns the tokens of a text whose first byte lies at base, and whether
// they are all: there are no more than most.
func lex(text string, base uint32, most int) (toks []token, all bool) {
	l := &lexer{text: text, base: base, bol: true}
	for {
		t, ok := l.next()
		if !ok || len(toks) == most {
			return toks, !ok
		}
		toks = append(toks, t)
	}
}

func (l *lexer) next() (token, bool) {
	l.skip()
	if l.pos >= len(l.text) {
		return token{}, false
	}
	start := l.pos
	kind := l.scan()
	t := token{
		kind: kind, text: l.text[start:l.pos], bol: l.bol, glue: l.glue,
		span: source.Span{Start: l.base + uint32(start), End: l.base + uint32(l.pos)},
	}
	l.bol, l.glue = false, true
	return t, true
}

// skip passes blanks, comments and line continuations.
func (l *lexer) skip() {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch c := rest[0]; {
		case c == '\n':
			l.bol = true
			l.pos++
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			l.pos++
		case strings.HasPrefix(rest, "\\\n"):
			l.pos += 2
		case strings.HasPrefix(rest, "\\\r\n"):
			l.pos += 3
		case strings.HasPrefix(rest, "//"):
			l.pos = l.lineEnd(l.pos)
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				l.pos += i + 4
			} else {
				l.pos = len(l.text)
			}
		default:
			return
		}
		l.glue = false
	}
}

// lineEnd returns the end of the line at pos; a backslash before it continues
// the line.
func (l *lexer) lineEnd(pos int) int {
	for {
		i := strings.IndexByte(l.text[pos:], '\n')
		if i < 0 {
			return len(l.text)
		}
		pos += i
		if !strings.HasSuffix(strings.TrimSuffix(l.text[:pos], "\r"), "\\") {
			return pos
		}
		pos++
	}
}

func (l *lexer) scan() tokenKind {
	switch c := l.text[l.pos]; {
	case isLetter(c):
		for l.pos < len(l.text) && (isLetter(l.text[l.pos]) || isDigit(l.text[l.pos])) {
			l.pos++
		}
		return tIdent
	case isDigit(c):
		l.number()
		return tNumber
	case c == '"':
		l.quoted('"')
		return tString
	case c == '\'':
		l.quoted('\'')
		return tChar
	}
	l.pos += punctLen(l.text[l.pos:])
	return tPunct
}

// number passes a preprocessing number: digits, letters, dots, and a sign
// behind an exponent.
func (l *lexer) number() {
	hex := strings.HasPrefix(l.text[l.pos:], "0x") || strings.HasPrefix(l.text[l.pos:], "0X")
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		prev := byte(0)
		if l.pos > 0 {
			prev = l.text[l.pos-1] | 0x20
		}
		sign := (c == '+' || c == '-') && (prev == 'p' || prev == 'e' && !hex)
		if !isLetter(c) && !isDigit(c) && c != '.' && !sign {
			return
		}
		l.pos++
	}
}

// quoted passes a string or character constant; one that is not closed ends
// with its line.
func (l *lexer) quoted(quote byte) {
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch l.text[l.pos] {
		case quote:
			l.pos++
			return
		case '\n':
			return
		case '\\':
			if l.pos+1 < len(l.text) {
				l.pos++
			}
		}
	}
	l.pos = min(l.pos, len(l.text))
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// punctLen returns the length of the mark at the start of s.
func punctLen(s string) int {
	if strings.HasPrefix(s, "...") || strings.HasPrefix(s, "<<=") || strings.HasPrefix(s, ">>=") {
		return 3
	}
	if len(s) >= 2 {
		switch s[:2] {
		case "##", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "++", "--",
			"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=":
			return 2
		}
	}
	return 1
}

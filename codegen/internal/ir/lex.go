package ir

import (
	"fmt"
	"strconv"
	"strings"
)

type tokKind uint8

const (
	tokEnd tokKind = iota
	tokWord
	tokNumber
	tokPunct
)

type token struct {
	kind tokKind
	text string
}

// lexer splits one line of the text form. After the first error it stands
// still at the end of the line.
type lexer struct {
	rest string
	tok  token
	err  error
}

func (l *lexer) reset(line string) {
	l.rest, l.err = line, nil
	l.next()
}

func (l *lexer) at(k tokKind) bool { return l.tok.kind == k }

func (l *lexer) fail(want string) {
	if l.err == nil {
		got := l.tok.text
		if l.at(tokEnd) {
			got = "end of line"
		}
		l.err = fmt.Errorf("%q where %s is expected", got, want)
	}
	l.rest, l.tok = "", token{}
}

func (l *lexer) next() {
	l.rest = strings.TrimLeft(l.rest, " \t\r\n")
	switch s := l.rest; {
	case s == "" || s[0] == ';':
		l.tok, l.rest = token{}, ""
	case s[0] == '"':
		l.quoted()
	case strings.HasPrefix(s, "->"):
		l.take(tokPunct, 2)
	case isDigit(s[0]) || s[0] == '-' || s[0] == '+':
		n := 1
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		l.take(tokNumber, n)
	case isWord(s[0]):
		n := 1
		for n < len(s) && isWord(s[n]) {
			n++
		}
		l.take(tokWord, n)
	default:
		l.take(tokPunct, 1)
	}
}

func (l *lexer) take(k tokKind, n int) {
	l.tok, l.rest = token{k, l.rest[:n]}, l.rest[n:]
}

func (l *lexer) quoted() {
	q, err := strconv.QuotedPrefix(l.rest)
	if err != nil {
		l.fail("a quoted name")
		return
	}
	l.take(tokWord, len(q))
	l.tok.text, err = strconv.Unquote(q)
	if err != nil {
		l.fail("a quoted name")
	}
}

// word takes a word or a quoted name.
func (l *lexer) word() string {
	if !l.at(tokWord) {
		l.fail("a name")
		return ""
	}
	s := l.tok.text
	l.next()
	return s
}

func (l *lexer) peekWord(s string) bool { return l.at(tokWord) && l.tok.text == s }

// accept takes the word s if it is next.
func (l *lexer) accept(s string) bool {
	if !l.peekWord(s) {
		return false
	}
	l.next()
	return true
}

func (l *lexer) atPunct(s string) bool { return l.at(tokPunct) && l.tok.text == s }

func (l *lexer) punct(s string) {
	if !l.atPunct(s) {
		l.fail(strconv.Quote(s))
		return
	}
	l.next()
}

func (l *lexer) number() int64 {
	n, err := strconv.ParseInt(l.tok.text, 10, 64)
	if !l.at(tokNumber) || err != nil {
		l.fail("a number")
		return 0
	}
	l.next()
	return n
}

// field takes the word s and a number.
func (l *lexer) field(s string) int64 {
	if !l.accept(s) {
		l.fail(s)
	}
	return l.number()
}

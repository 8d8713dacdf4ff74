package parse

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// syntaxError is an error with its place. It is a participle.Error, so that
// participle hands it on as it is.
type syntaxError struct {
	code diag.Code
	at   source.Span
	msg  string
	note *diag.Note
	hint string // "": none
}

func (e *syntaxError) Error() string { return e.msg }

// Message returns the text, for participle.
func (e *syntaxError) Message() string { return e.msg }

// Position returns the offset, for participle.
func (e *syntaxError) Position() lexer.Position { return lexer.Position{Offset: int(e.at.Start)} }

var _ participle.Error = (*syntaxError)(nil)

func newError(code diag.Code, at source.Span, format string, args ...any) *syntaxError {
	return &syntaxError{code: code, at: at, msg: "syntax: " + fmt.Sprintf(format, args...)}
}

func syntaxErrorf(at source.Span, format string, args ...any) *syntaxError {
	return newError(diag.Syntax, at, format, args...)
}

// unexpected reports that another token was expected than t. What is no token
// at all is reported as such.
func unexpected(t *lexer.Token, want string) *syntaxError {
	at := tokenSpan(t)
	if t.Type == tokInvalid {
		return invalid(t.Value, at)
	}
	if want == "" {
		return syntaxErrorf(at, "unexpected %s", describe(t))
	}
	e := syntaxErrorf(at, "expected %s, got %s", want, describe(t))
	if isOp(t, "=") && (want == closesPred || want == "')'") {
		e.hint = "did you mean ==, which compares?"
	}
	return e
}

// closesPred is what a predicate is expected to end with.
const closesPred = "'/' that ends the predicate"

// notClosed reports a block without its end, with the place where it begins.
func notClosed(end, open *lexer.Token) *syntaxError {
	e := unexpected(end, "'}'")
	e.note = &diag.Note{Span: tokenSpan(open), Msg: "the block that is not closed begins here"}
	return e
}

// strayBrace reports a brace that closes nothing.
func strayBrace(t *lexer.Token) *syntaxError {
	at := tokenSpan(t)
	at.End = at.Start + 1
	return syntaxErrorf(at, "unexpected '}': no block is open here")
}

// notEnded reports a statement that goes on where it should end. What looks like
// an assignment to a bare name is meant to be one to a variable, what looks like
// an attach point is one behind a block without its end.
func notEnded(x ast.Expr, t *lexer.Token) *syntaxError {
	e := unexpected(t, "';'")
	name, ok := x.(*ast.Ident)
	switch {
	case ok && isAssignOp(t):
		e.hint = fmt.Sprintf("scratch variables start with $, as in $%s %s ...; maps start with @", clip(name.Name), t.Value)
	case ok && (isOp(t, ":") || isOp(t, "{")):
		e.hint = "if a probe begins here, the one before it lacks a '}'"
	}
	return e
}

func describe(t *lexer.Token) string {
	switch {
	case t.EOF():
		return "the end of the script"
	case t.Type == tokAttach:
		return "'" + clip(t.Value) + "', which could be an attach point"
	case t.Type == tokCText:
		return "a C definition"
	}
	return "'" + clip(t.Value) + "'"
}

// clip shortens the text of a token to what fits a message.
func clip(s string) string {
	const most = 40
	line, _, cut := strings.Cut(s, "\n")
	if len(line) > most {
		line, cut = strings.ToValidUTF8(line[:most], ""), true
	}
	if cut {
		return line + "…"
	}
	return line
}

// invalid explains text that the lexer could make no token of.
func invalid(text string, at source.Span) *syntaxError {
	switch text[0] {
	case '"':
		// Reported where the quote is missing, with the place where it opens.
		e := newError(diag.BadString, source.Span{Start: at.End, End: at.End}, "unterminated string")
		e.note = &diag.Note{Span: source.Span{Start: at.Start, End: at.Start + 1}, Msg: "the string begins here"}
		return e
	case '/':
		return syntaxErrorf(source.Span{Start: at.Start, End: at.Start + 2}, "unterminated comment")
	case '$':
		return syntaxErrorf(at, "expected a name after '$'")
	case 'i':
		return syntaxErrorf(at, "more than %d ifs in a row: put conditions in parentheses", maxBareIfs)
	case '(', '[', '{':
		return syntaxErrorf(at, "brackets are nested more than %d deep", maxBrackets)
	}
	return syntaxErrorf(at, "unexpected %q", clip(text))
}

// asSyntaxError turns an error of participle into one of ours.
func asSyntaxError(err error) *syntaxError {
	var own *syntaxError
	if errors.As(err, &own) {
		return own
	}
	var u *participle.UnexpectedTokenError
	if errors.As(err, &u) {
		return unexpected(&u.Unexpected, expectation(u.Message()))
	}
	var p participle.Error
	if errors.As(err, &p) {
		start := uint32(p.Position().Offset)
		return syntaxErrorf(source.Span{Start: start, End: start}, "%s", p.Message())
	}
	return newError(diag.Internal, source.Span{}, "%v", err)
}

// firstExpected finds the first symbol of a production in a message of
// participle, which gives it in EBNF: a literal, a token type or the name of a
// production.
const firstExpected = `\(expected [(]*(?:\("\w+" \| )*("(?:[^"\\]|\\.)*"|<\w+>|\w+)`

// expectation puts what participle expected into words.
func expectation(msg string) string {
	m := regexp.MustCompile(firstExpected).FindStringSubmatch(msg) // errors are rare: not kept
	if m == nil {
		return ""
	}
	switch sym := m[1]; sym {
	case "<ident>":
		return "a name"
	case "<var>":
		return "a variable"
	case "<map>":
		return "a map"
	case "<string>":
		return "a string"
	case "<int>":
		return "an integer"
	case "<pred>":
		return closesPred
	case "Body":
		return "'{'"
	case "TypeExpr", "TypeOrExpr":
		return "a type"
	case "ForHead", "ForRange":
		return "a map or range"
	case "MacroParam":
		return "a parameter"
	case "FnParam":
		return "a parameter"
	case "SettingValue":
		return "a value"
	default:
		if strings.HasPrefix(sym, `"`) {
			return "'" + strings.Trim(sym, `"`) + "'"
		}
		return "an expression"
	}
}

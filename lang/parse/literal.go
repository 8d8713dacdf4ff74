package parse

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// part is the span of bytes from and to of a token.
func part(t *lexer.Token, from, to int) source.Span {
	start := uint32(t.Pos.Offset)
	return source.Span{Start: start + uint32(from), End: start + uint32(to)}
}

func badLiteral(at source.Span, format string, args ...any) error {
	return newError(diag.BadLiteral, at, format, args...)
}

// intLit evaluates an integer literal, section 1.4 of the language reference.
func intLit(t *lexer.Token) (*ast.IntLit, error) {
	v, err := intValue(t)
	if err != nil {
		return nil, err
	}
	return &ast.IntLit{Base: ast.Base{Span: tokenSpan(t)}, Value: v, Text: t.Value}, nil
}

func intValue(t *lexer.Token) (uint64, error) {
	base, digits, end, err := intDigits(t)
	if err != nil {
		return 0, err
	}
	exp := uint64(0)
	if base == 10 && end < len(t.Value) && (t.Value[end] == 'e' || t.Value[end] == 'E') {
		if exp, end, err = exponent(t, digits, end); err != nil {
			return 0, err
		}
	}
	v, ok := scaled(digits, base, exp)
	if !ok {
		return 0, overflow(t, math.MaxUint64)
	}
	return withSuffix(t, v, base, end)
}

// intDigits finds the base of a number and its digits, without underscores, and
// where they end.
func intDigits(t *lexer.Token) (base int, digits string, end int, err error) {
	text := t.Value
	base, from := intBase(text)
	end = from
	for end < len(text) && isDigitOf(text[end], base) {
		end++
	}
	digits = strings.ReplaceAll(text[from:end], "_", "")
	switch {
	case strings.HasSuffix(text[:end], "_"):
		err = badLiteral(part(t, end-1, end), "an integer can not end with an underscore")
	case digits == "":
		err = badLiteral(tokenSpan(t), "invalid integer '%s'", clip(text))
	case base == 8 && end < len(text) && isDigit(text[end]):
		err = badLiteral(tokenSpan(t), "invalid digit '%c' in octal number '%s'", text[end], clip(text))
	}
	return base, digits, end, err
}

// intBase returns the base that a number begins with, and how long its mark is.
func intBase(text string) (base, from int) {
	switch {
	case strings.HasPrefix(text, "0x"), strings.HasPrefix(text, "0X"):
		return 16, 2
	case len(text) > 1 && text[0] == '0' && (isDigit(text[1]) || text[1] == '_'):
		return 8, 1
	}
	return 10, 0
}

// scaled returns digits times ten to the power of exp; ok is false if that is
// too large for 64 bits.
func scaled(digits string, base int, exp uint64) (v uint64, ok bool) {
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, false
	}
	for range exp {
		hi, lo := bits.Mul64(v, 10)
		if hi != 0 {
			return 0, false
		}
		v = lo
	}
	return v, true
}

func overflow(t *lexer.Token, limit uint64) error {
	return badLiteral(tokenSpan(t), "integer '%s' overflows, the largest value is %d", clip(t.Value), limit)
}

// isDigitOf reports whether c can be among the digits of a number.
func isDigitOf(c byte, base int) bool {
	switch {
	case c == '_':
		return true
	case isDigit(c):
		return int(c-'0') < base
	}
	return base == 16 && (('a' <= c && c <= 'f') || ('A' <= c && c <= 'F'))
}

// exponent reads the power of ten that begins at the letter e, and returns
// where it ends.
func exponent(t *lexer.Token, digits string, at int) (exp uint64, end int, err error) {
	text := t.Value
	end = at + 1
	for end < len(text) && isDigitOf(text[end], 10) {
		end++
	}
	power := strings.ReplaceAll(text[at+1:end], "_", "")
	switch {
	case power == "":
		return 0, 0, badLiteral(tokenSpan(t), "invalid exponent in literal '%s'", clip(text))
	case text[end-1] == '_':
		return 0, 0, badLiteral(part(t, end-1, end), "an integer can not end with an underscore")
	case len(digits) != 1 || digits == "0":
		return 0, 0, badLiteral(tokenSpan(t), "coefficient of scientific literal '%s' must be 1 to 9", clip(text))
	}
	exp, err = strconv.ParseUint(power, 10, 64)
	if err != nil || exp > 19 { // 1e19 is the largest power of ten below 2^64
		return 0, 0, overflow(t, math.MaxUint64)
	}
	return exp, end, nil
}

// withSuffix applies the letters behind the digits: a unit of time multiplies,
// a C suffix bounds the value.
func withSuffix(t *lexer.Token, v uint64, base, at int) (uint64, error) {
	suffix := t.Value[at:]
	if suffix == "" {
		return v, nil
	}
	scale, limit := unit(suffix), cLimit(suffix)
	switch {
	case base == 16 || scale == 0 && limit == 0:
		return 0, badLiteral(part(t, at, len(t.Value)), "invalid integer suffix '%s'", clip(suffix))
	case limit != 0:
		if v > limit {
			return 0, overflow(t, limit)
		}
		return v, nil
	}
	hi, lo := bits.Mul64(v, scale)
	if hi != 0 {
		return 0, overflow(t, math.MaxUint64)
	}
	return lo, nil
}

// unit is the number of nanoseconds in a unit of time, 0 if suffix is none.
func unit(suffix string) uint64 {
	switch suffix {
	case "ns":
		return 1
	case "us":
		return 1e3
	case "ms":
		return 1e6
	case "s":
		return 1e9
	case "m":
		return 60e9
	case "h":
		return 3600e9
	case "d":
		return 86400e9
	}
	return 0
}

// cLimit is the largest value that a C suffix allows, 0 if suffix is none.
func cLimit(suffix string) uint64 {
	switch suffix {
	case "u":
		return math.MaxUint32
	case "l", "ll":
		return math.MaxInt64
	case "ul", "ull":
		return math.MaxUint64
	}
	return 0
}

// tupleIndex evaluates the number behind a dot.
func tupleIndex(t *lexer.Token) (int, error) {
	n, err := strconv.ParseInt(t.Value, 10, 32)
	if err != nil {
		return 0, badLiteral(tokenSpan(t), "invalid tuple index '%s'", clip(t.Value))
	}
	return int(n), nil
}

// strLit resolves the escapes of a string.
func strLit(t *lexer.Token) (*ast.StrLit, error) {
	out := &ast.StrLit{Base: ast.Base{Span: tokenSpan(t)}, Text: t.Value}
	text := t.Value[:len(t.Value)-1]
	if strings.IndexByte(text, '\\') < 0 {
		out.Value = text[1:]
		return out, nil
	}
	buf := make([]byte, 0, len(text))
	for i := 1; i < len(text); {
		if text[i] != '\\' {
			buf = append(buf, text[i])
			i++
			continue
		}
		c, n, err := escape(t, text, i)
		if err != nil {
			return nil, err
		}
		buf = append(buf, c)
		i += n
	}
	out.Value = string(buf)
	return out, nil
}

// escape resolves the escape at i, which takes n bytes.
func escape(t *lexer.Token, text string, i int) (c byte, n int, err error) {
	switch c := text[i+1]; c {
	case 'n':
		return '\n', 2, nil
	case 't':
		return '\t', 2, nil
	case 'r':
		return '\r', 2, nil
	case '"', '\\':
		return c, 2, nil
	case 'x', 'X':
		return hexEscape(t, text, i)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		end := i + 1
		for end < len(text) && end < i+4 && isDigitOf(text[end], 8) && text[end] != '_' {
			end++
		}
		v, err := strconv.ParseUint(text[i+1:end], 8, 8)
		if err != nil {
			return 0, 0, newError(diag.BadString, part(t, i, end), "octal escape '%s' is above 255", text[i:end])
		}
		return byte(v), end - i, nil
	}
	return 0, 0, newError(diag.BadString, part(t, i, i+2), "unknown escape '%s' in string", strings.ToValidUTF8(text[i:i+2], "?"))
}

func hexEscape(t *lexer.Token, text string, i int) (c byte, n int, err error) {
	end := i + 2
	for end < len(text) && end < i+4 && isDigitOf(text[end], 16) && text[end] != '_' {
		end++
	}
	v, err := strconv.ParseUint(text[i+2:end], 16, 8)
	if err != nil {
		return 0, 0, newError(diag.BadString, part(t, end, end+1), "expected hex digits after '%s'", text[i:i+2])
	}
	return byte(v), end - i, nil
}

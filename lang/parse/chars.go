package parse

import "strings"

func isBlank(c byte) bool  { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// identEnd returns the end of the run of letters and digits at pos.
func identEnd(text string, pos int) int {
	for pos < len(text) && (isLetter(text[pos]) || isDigit(text[pos])) {
		pos++
	}
	return pos
}

// stringEnd returns the end of the string that opens at pos. A string that is
// not closed on its line ends behind the line end, with false.
func stringEnd(text string, pos int) (int, bool) {
	for i := pos + 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1, true
		case '\n':
			return i + 1, false
		case '\\':
			if i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		}
	}
	return len(text), false
}

// directiveEnd returns the end of the preprocessor line at pos, with its
// continuation lines.
func directiveEnd(text string, pos int) int {
	for {
		i := strings.IndexByte(text[pos:], '\n')
		if i < 0 {
			return len(text)
		}
		line := strings.TrimSuffix(text[pos:pos+i], "\r")
		if !strings.HasSuffix(line, `\`) {
			return pos + len(line)
		}
		pos += i + 1
	}
}

// lineEnd returns the length of the first line, without its line end.
func lineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return len(strings.TrimSuffix(text[:i], "\r"))
	}
	return len(text)
}

// definitionEnd returns the end of the C definition whose keyword ends at pos:
// its closing brace, attributes, and semicolon. It is 0 when there is none.
func definitionEnd(text string, pos int) int {
	end := balanced(text, pos, '{', '}')
	if end == 0 {
		return 0
	}
	for {
		next := skipBlankC(text, end)
		switch {
		case next < len(text) && text[next] == ';':
			return next + 1
		case strings.HasPrefix(text[next:], "__attribute__"):
			after := balanced(text, next+len("__attribute__"), '(', ')')
			if after == 0 {
				return end
			}
			end = after
		default:
			return end
		}
	}
}

// balanced returns the position behind the bracket that closes the first open
// one behind pos, 0 if there is none before a semicolon. Strings and comments
// are passed over.
func balanced(text string, pos int, open, shut byte) int {
	depth := 0
	for i := pos; i < len(text); i++ {
		if end := commentEnd(text, i); end > 0 {
			i = end - 1
			continue
		} else if end < 0 {
			return 0
		}
		switch c := text[i]; {
		case c == '"':
			end, _ := stringEnd(text, i)
			i = end - 1
		case c == open:
			depth++
		case c == shut:
			if depth--; depth <= 0 {
				return i + 1
			}
		case c == ';' && depth == 0:
			return 0
		}
	}
	return 0
}

// skipBlankC returns the position of the next byte that is neither blank nor
// comment.
func skipBlankC(text string, pos int) int {
	for pos < len(text) {
		end := commentEnd(text, pos)
		switch {
		case isBlank(text[pos]):
			pos++
		case end > 0:
			pos = end
		default:
			return pos
		}
	}
	return pos
}

// punctLen returns the length of the operator or bracket at the start of s, 0
// if there is none.
func punctLen(s string) int {
	if strings.HasPrefix(s, "<<=") || strings.HasPrefix(s, ">>=") {
		return 3
	}
	if len(s) >= 2 {
		switch s[:2] {
		case "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>",
			"&&", "||", "==", "!=", "<=", ">=", "->", "..":
			return 2
		}
	}
	if strings.IndexByte("+-*/%&|^~!=<>?:.[](){},;", s[0]) >= 0 {
		return 1
	}
	return 0
}

package main_test

import (
	"errors"
	"strings"
)

// splitShellWords splits a line as a POSIX shell does, without expansions:
// blanks separate words, a backslash quotes one character, single quotes quote
// all, and within double quotes a backslash quotes only itself and the quote.
// Libraries for this drop the backslash before $ within double quotes, which
// regular expressions and the tracer's programs need.
func splitShellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open := false // a word has begun, possibly an empty quoted one
	for i := 0; i < len(line); i++ {
		ch := line[i]
		switch ch {
		case ' ', '\t', '\n', '\r':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
			continue
		case '\'', '"':
			n, err := quotedWord(&word, line[i:])
			if err != nil {
				return nil, err
			}
			i += n - 1
		case '\\':
			if i++; i == len(line) {
				return nil, errors.New("backslash at the end")
			}
			word.WriteByte(line[i])
		default:
			word.WriteByte(ch)
		}
		open = true
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// quotedWord appends the text within the quotes that s starts with, and
// returns how many bytes it took, quotes included.
func quotedWord(word *strings.Builder, s string) (int, error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1, nil
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		word.WriteByte(s[i])
	}
	return 0, errors.New("quote is not closed")
}

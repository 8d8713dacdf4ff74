package parse

import (
	"io"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/source"
)

// The token types. Names and punctuation are told apart by value in the
// grammar; everything whose extent depends on the place has a type of its own.
const (
	tokAttach  lexer.TokenType = iota + 1 // raw text of one attach point
	tokCText                              // one C definition or preprocessor line
	tokKeyword                            // config, import, let, macro, fn where an item may start
	tokPred                               // the slashes around a predicate
	tokIdent
	tokInt
	tokString
	tokVar   // $name
	tokMap   // @name, @
	tokParam // $1, $#
	tokPunct
	tokInvalid // what is no token: the parser reports it by its text
)

// maxBrackets bounds how deep brackets nest, so that neither the parser nor
// any walk over the tree can run out of stack.
const maxBrackets = 200

// maxBareIfs bounds the ifs that follow one another with no bracket between
// them, as in `if if a`: each is the condition of the one before.
const maxBareIfs = 8

// maxTokens bounds the tokens of one file, which take some 400 bytes each while
// they are parsed. A script that a person or a program writes for a purpose has
// a hundredth of that.
const maxTokens = 1 << 20

// definition is the lexer as participle sees it. Its tokens carry offsets in
// the space of a source.Set, without line and column.
type definition struct{}

// Symbols names the token types for the grammar's tags.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Attach": tokAttach, "CText": tokCText, "Keyword": tokKeyword,
		"Pred": tokPred, "Ident": tokIdent, "Int": tokInt, "String": tokString, "Var": tokVar,
		"Map": tokMap, "Param": tokParam, "Punct": tokPunct, "Invalid": tokInvalid,
	}
}

// Lex reads a whole script; offsets count from 1, as in a Set's first file.
func (definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return &scanner{text: string(text), base: 1}, nil
}

// mode says what the next bytes may be. The language can not be split into
// tokens without it: `/` divides or ends a predicate, and an attach point is
// raw text.
type mode uint8

const (
	modeItem   mode = iota // an item may start here
	modeAttach             // behind an attach point
	modePred               // in a predicate
	modeCode               // in a block, or in the head of a keyword item
	modeTail               // an optional semicolon ends the item
)

// scanner splits a script into tokens. It never fails: what is no token
// becomes one of type tokInvalid, so that errors before it are reported first.
type scanner struct {
	text     string
	base     uint32 // offset of text in its Set
	pos      int
	mode     mode
	item     string // the keyword that began the item, "" in a probe
	open     []byte // brackets that are open
	bareIfs  int    // ifs since the last bracket
	tokens   int    // made so far
	comments []source.Span
}

// full reports whether the text has more tokens than are read of it.
func (s *scanner) full() bool { return s.tokens > maxTokens }

// Next returns the next token; it has no error to return.
func (s *scanner) Next() (lexer.Token, error) {
	if s.tokens++; s.full() {
		return lexer.EOFToken(s.position()), nil
	}
	if end := s.skipBlank(); end >= 0 {
		return s.take(tokInvalid, end), nil
	}
	if s.pos >= len(s.text) {
		return lexer.EOFToken(s.position()), nil
	}
	switch s.mode {
	case modeItem:
		return s.itemStart(), nil
	case modeAttach:
		return s.afterAttach(), nil
	case modeTail:
		s.mode = modeItem
		if s.text[s.pos] == ';' {
			return s.take(tokPunct, s.pos+1), nil
		}
		return s.itemStart(), nil
	}
	return s.code(), nil
}

func (s *scanner) position() lexer.Position {
	return lexer.Position{Offset: int(s.base) + s.pos}
}

// take makes a token of the bytes up to end.
func (s *scanner) take(typ lexer.TokenType, end int) lexer.Token {
	t := lexer.Token{Type: typ, Value: s.text[s.pos:end], Pos: s.position()}
	s.pos = end
	return t
}

// skipBlank passes over blanks and comments, which it records. It returns the
// end of the text when a comment is not terminated, else -1.
func (s *scanner) skipBlank() int {
	for s.pos < len(s.text) {
		end := commentEnd(s.text, s.pos)
		switch {
		case isBlank(s.text[s.pos]):
			s.pos++
		case end > 0:
			from := s.base + uint32(s.pos)
			s.comments = append(s.comments, source.Span{Start: from, End: from + uint32(end-s.pos)})
			s.pos = end
		case end < 0:
			return len(s.text)
		default:
			return -1
		}
	}
	return -1
}

// commentEnd returns where the comment at pos ends: 0 when there is none, -1
// when it is not terminated.
func commentEnd(text string, pos int) int {
	rest := text[pos:]
	switch {
	case strings.HasPrefix(rest, "//"):
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			return pos + i
		}
		return len(text)
	case strings.HasPrefix(rest, "/*"):
		if i := strings.Index(rest[2:], "*/"); i >= 0 {
			return pos + i + 4
		}
		return -1
	}
	return 0
}

// itemStart reads the first token of an item.
func (s *scanner) itemStart() lexer.Token {
	s.item, s.open = "", s.open[:0]
	switch s.text[s.pos] {
	case '#':
		return s.take(tokCText, directiveEnd(s.text, s.pos))
	case '{', ',', '/':
		return s.afterAttach()
	}
	end := identEnd(s.text, s.pos)
	switch word := s.text[s.pos:end]; word {
	case "struct", "union", "enum":
		if end := definitionEnd(s.text, end); end > 0 {
			return s.take(tokCText, end)
		}
	case "config", "import", "let", "macro", "fn":
		if end == len(s.text) || s.text[end] != ':' {
			s.item, s.mode = word, modeCode
			return s.take(tokKeyword, end)
		}
	}
	return s.attach()
}

// attach reads raw text up to a brace, comma, blank, or a slash when no colon
// has come before it. Quotes keep everything between them.
func (s *scanner) attach() lexer.Token {
	s.mode = modeAttach
	i, colon := s.pos, false
scan:
	for ; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '{' || c == ',' || isBlank(c) || c == '/' && !colon:
			break scan
		case c == ':':
			colon = true
		case c == '"':
			end, ok := stringEnd(s.text, i)
			if !ok {
				s.pos = i
				return s.take(tokInvalid, end)
			}
			i = end - 1
		}
	}
	return s.take(tokAttach, i)
}

// afterAttach reads what may follow an attach point.
func (s *scanner) afterAttach() lexer.Token {
	switch s.text[s.pos] {
	case ',':
		return s.take(tokPunct, s.pos+1)
	case '{':
		s.mode = modeCode
		return s.code()
	case '/':
		s.mode = modePred
		return s.take(tokPred, s.pos+1)
	}
	return s.attach()
}

// code reads a token of a block, a predicate or the head of an item.
func (s *scanner) code() lexer.Token {
	switch c := s.text[s.pos]; {
	case isLetter(c):
		return s.word(identEnd(s.text, s.pos))
	case isDigit(c):
		return s.take(tokInt, identEnd(s.text, s.pos))
	case c == '$':
		return s.dollar()
	case c == '@':
		return s.take(tokMap, identEnd(s.text, s.pos+1))
	case c == '"':
		return s.str()
	case c == '/' && s.beforeBrace(s.pos+1):
		if s.mode == modePred {
			s.mode, s.open = modeCode, s.open[:0]
		}
		return s.take(tokPred, s.pos+1)
	}
	return s.punct()
}

// word reads a name or keyword.
func (s *scanner) word(end int) lexer.Token {
	if s.text[s.pos:end] != "if" {
		return s.take(tokIdent, end)
	}
	if s.bareIfs++; s.bareIfs > maxBareIfs {
		return s.last(end)
	}
	return s.take(tokIdent, end)
}

// last makes an invalid token behind which nothing can be understood.
func (s *scanner) last(end int) lexer.Token {
	t := s.take(tokInvalid, end)
	s.pos = len(s.text)
	return t
}

func (s *scanner) dollar() lexer.Token {
	next := s.pos + 1
	switch {
	case next == len(s.text):
		return s.take(tokInvalid, next)
	case isDigit(s.text[next]):
		for next < len(s.text) && isDigit(s.text[next]) {
			next++
		}
		return s.take(tokParam, next)
	case s.text[next] == '#':
		return s.take(tokParam, next+1)
	case isLetter(s.text[next]):
		return s.take(tokVar, identEnd(s.text, next))
	}
	return s.take(tokInvalid, next)
}

func (s *scanner) str() lexer.Token {
	end, ok := stringEnd(s.text, s.pos)
	if !ok {
		return s.take(tokInvalid, end)
	}
	if s.item == "import" && len(s.open) == 0 {
		s.mode = modeTail
	}
	return s.take(tokString, end)
}

// beforeBrace reports whether only blanks and comments stand between i and a
// brace.
func (s *scanner) beforeBrace(i int) bool {
	for i < len(s.text) {
		switch end := commentEnd(s.text, i); {
		case isBlank(s.text[i]):
			i++
		case end > 0:
			i = end
		default:
			return end == 0 && s.text[i] == '{'
		}
	}
	return false
}

// punct reads an operator or bracket, or bytes that belong nowhere.
func (s *scanner) punct() lexer.Token {
	n := punctLen(s.text[s.pos:])
	if n == 0 {
		end := s.pos + 1
		for end < len(s.text) && s.text[end] >= 0x80 {
			end++
		}
		return s.take(tokInvalid, end)
	}
	c := s.text[s.pos]
	switch {
	case c == '(' || c == '[' || c == '{':
		if len(s.open) == maxBrackets {
			return s.last(s.pos + 1)
		}
		s.bareIfs = 0
		s.open = append(s.open, c)
	case c == ')' || c == ']' || c == '}':
		s.close(c)
	case c == ';' && s.item != "" && len(s.open) == 0:
		s.mode = modeItem
	}
	return s.take(tokPunct, s.pos+n)
}

// close drops the bracket that c closes. A brace also closes what is still
// open within it, so that one missing parenthesis does not spoil the rest.
func (s *scanner) close(c byte) {
	if c == '}' {
		n := len(s.open) - 1
		for n >= 0 && s.open[n] != '{' {
			n--
		}
		s.open = s.open[:max(n, 0)]
		if n <= 0 && s.mode == modeCode {
			s.mode = modeItem
		}
		return
	}
	want := byte('(')
	if c == ']' {
		want = '['
	}
	if n := len(s.open) - 1; n >= 0 && s.open[n] == want {
		s.open = s.open[:n]
	}
	if c == ')' && s.item == "let" && len(s.open) == 0 {
		s.mode = modeTail
	}
}

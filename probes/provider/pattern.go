package provider

import (
	"strings"

	"github.com/gotrace/gotrace/lang/target"
)

// Pattern is an attach point split into its parts.
type Pattern struct {
	// Text is the whole attach point without a leading "name=".
	Text string
	// Kind is the provider, aliases resolved; "" while it is a wildcard.
	Kind target.Provider
	// Parts are what follows the provider, quotes removed.
	Parts []Part
}

// Part is one colon-separated part of an attach point.
type Part struct {
	Text string
	// At is the index in Text of the "@" that separates a binary from a source
	// position, -1 when there is none outside quotes.
	At int
	// Quoted tells that at least a piece of the part stood in quotes.
	Quoted bool
}

// Glob reports whether the part holds a wildcard.
func (p Part) Glob() bool { return strings.Contains(p.Text, "*") }

// ModuleAndName returns the parts of the form [MODULE:]NAME; the module is ""
// where there is none. ok tells whether the pattern has that form.
func (p *Pattern) ModuleAndName() (module, name string, ok bool) {
	switch len(p.Parts) {
	case 1:
		return "", p.Parts[0].Text, p.Parts[0].Text != ""
	case 2:
		module, name = p.Parts[0].Text, p.Parts[1].Text
		return module, name, module != "" && name != ""
	}
	return "", "", false
}

// Split splits an attach point, see section 1.8 of the language reference. The
// first part is the provider as it is written; a leading "name=" is dropped.
func Split(text string) ([]Part, error) {
	var parts []Part
	part := Part{At: -1}
	var b strings.Builder
	flush := func() {
		part.Text = b.String()
		parts = append(parts, part)
		part = Part{At: -1}
		b.Reset()
	}
	quoted, named := false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"':
			quoted = !quoted
			part.Quoted = true
		case quoted && c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case quoted:
			b.WriteByte(c)
		case c == ':':
			flush()
		case c == '=' && len(parts) == 0 && !named && !part.Quoted:
			named = true
			b.Reset()
		default:
			if c == '@' && part.At < 0 {
				part.At = b.Len()
			}
			b.WriteByte(c)
		}
	}
	if quoted {
		return nil, target.Errorf(target.Syntax, "unterminated string in attach point")
	}
	flush()
	return parts, nil
}

// Match reports whether name matches a pattern in which "*" stands for any run
// of characters, also an empty one, and nothing else is special. It takes time
// proportional to the product of the lengths at worst.
func Match(pattern, name string) bool {
	star, mark := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

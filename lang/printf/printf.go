// Package printf reads the format strings of printf and its kin (language
// reference, section 14.1).
//
// The checker reads a format to check the arguments, the runtime to print them;
// both see the same conversions.
package printf

import (
	"fmt"
	"strings"
)

// Item is a piece of a format: literal text, or one conversion.
type Item struct {
	Text string // literal text, "" for a conversion
	// Verb is the conversion: d i u o x X c p s r, R for rx, H for rh, G for
	// gr; 0 for literal text. "%%" is literal text.
	Verb byte
	// The flags.
	Minus, Plus, Space, Sharp, Zero bool
	Width                           int // minimum columns, 0: none
	Bits                            int // 8, 16, 32 or 64, of integer conversions
}

// Error is a conversion that does not exist. Offset is its place in the format.
type Error struct {
	Offset int
	Verb   string
}

func (e *Error) Error() string { return fmt.Sprintf("unknown format string token: %%%s", e.Verb) }

// maxWidth bounds the width of a field, in columns.
const maxWidth = 1 << 16

// Parse splits a format into items. A percent sign that starts no conversion
// is literal.
func Parse(format string) ([]Item, error) {
	var items []Item
	text := func(s string) {
		if n := len(items); n > 0 && items[n-1].Verb == 0 {
			items[n-1].Text += s
		} else if s != "" {
			items = append(items, Item{Text: s})
		}
	}
	for i := 0; i < len(format); {
		j := i
		for j < len(format) && format[j] != '%' {
			j++
		}
		text(format[i:j])
		if j == len(format) {
			break
		}
		it, n, bad := conversion(format[j:])
		switch {
		case bad != "":
			return nil, &Error{j, bad}
		case n == 0:
			text("%")
			i = j + 1
		case it.Verb == 0:
			text(it.Text)
			i = j + n
		default:
			items = append(items, it)
			i = j + n
		}
	}
	return items, nil
}

// Stray returns the first part of a format that looks like a conversion and is
// none, such as "%q", "" without one.
func Stray(format string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		_, n, _ := conversion(format[i:])
		if n > 0 {
			i += n - 1
			continue
		}
		rest := strings.TrimLeft(format[i+1:], "-+ #0123456789.*hlLjzt")
		if rest != "" && 'a' <= rest[0]|0x20 && rest[0]|0x20 <= 'z' {
			return format[i : len(format)-len(rest)+1]
		}
	}
	return ""
}

// conversion reads one conversion at the start of s, a percent sign. n is its
// length, 0 if there is none; bad names one that is an error.
func conversion(s string) (it Item, n int, bad string) {
	i := 1
	for _, flag := range []struct {
		char byte
		set  *bool
	}{{'-', &it.Minus}, {'+', &it.Plus}, {' ', &it.Space}, {'#', &it.Sharp}, {'0', &it.Zero}} {
		if i < len(s) && s[i] == flag.char {
			*flag.set = true
			i++
		}
	}
	it.Width, i = number(s, i)
	if i < len(s) && s[i] == '.' {
		_, i = number(s, i+1)
	}
	it.Bits = 32
	bits, size := length(s[i:])
	if size > 0 {
		it.Bits = bits
		i += size
	}
	if i >= len(s) {
		return Item{}, 0, ""
	}
	verb, size := verbAt(s[i:])
	if size == 0 {
		switch s[i] {
		case '%': // whatever stands in between
			return Item{Text: "%"}, i + 1, ""
		case 'f', 'F', 'e', 'E', 'g', 'G', 'a', 'A', 'n':
			return Item{}, 0, s[i : i+1]
		}
		return Item{}, 0, ""
	}
	it.Verb = verb
	return it, i + size, ""
}

// number reads digits, or a star, which counts as no number.
func number(s string, i int) (n, next int) {
	if i < len(s) && s[i] == '*' {
		return 0, i + 1
	}
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		n = min(10*n+int(s[i]-'0'), maxWidth)
		i++
	}
	return n, i
}

func length(s string) (bits, size int) {
	switch {
	case len(s) > 1 && s[:2] == "hh":
		return 8, 2
	case len(s) > 1 && s[:2] == "ll":
		return 64, 2
	case len(s) > 0:
		switch s[0] {
		case 'h':
			return 16, 1
		case 'l', 'L', 'j', 'z', 't':
			return 64, 1
		}
	}
	return 0, 0
}

func verbAt(s string) (verb byte, size int) {
	switch {
	case len(s) > 1 && s[:2] == "rx":
		return 'R', 2
	case len(s) > 1 && s[:2] == "rh":
		return 'H', 2
	case len(s) > 1 && s[:2] == "gr":
		return 'G', 2
	}
	switch s[0] {
	case 'd', 'i', 'u', 'o', 'x', 'X', 'c', 'p', 's', 'r':
		return s[0], 1
	}
	return 0, 0
}

// Integer reports whether the conversion takes an integer.
func (it Item) Integer() bool {
	switch it.Verb {
	case 'd', 'i', 'u', 'o', 'x', 'X', 'c', 'p', 'G':
		return true
	}
	return false
}

// Buffer reports whether the conversion takes a buffer.
func (it Item) Buffer() bool { return it.Verb == 'r' || it.Verb == 'R' || it.Verb == 'H' }

// String returns the conversion as messages name it.
func (it Item) String() string {
	switch it.Verb {
	case 'R':
		return "%rx"
	case 'H':
		return "%rh"
	case 'G':
		return "%gr"
	}
	return "%" + string(it.Verb)
}

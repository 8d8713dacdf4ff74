package provider

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Number reads an unsigned integer in any of the literal forms of the language:
// decimal, octal, hexadecimal, with exponent, "_" between digits.
func Number(text string) (uint64, error) {
	bad := fmt.Errorf("%q is not a positive integer", text)
	if text == "" || text[0] < '0' || text[0] > '9' || strings.HasSuffix(text, "_") {
		return 0, bad
	}
	digits := strings.ReplaceAll(text, "_", "")
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return 0, bad
		}
		return n, nil
	}
	if i := strings.IndexAny(digits, "eE"); i > 0 {
		return scientific(digits[:i], digits[i+1:], bad)
	}
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		base = 8
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, bad
	}
	return n, nil
}

// scientific reads a digit and a power of ten; like the reference it takes no
// exponent that begins with a zero.
func scientific(coefficient, exponent string, bad error) (uint64, error) {
	c, err1 := strconv.ParseUint(coefficient, 10, 64)
	e, err2 := strconv.ParseUint(exponent, 10, 8)
	if err1 != nil || err2 != nil || c < 1 || c > 9 || exponent[0] == '0' {
		return 0, bad
	}
	for ; e > 0; e-- {
		var over uint64
		if over, c = bits.Mul64(c, 10); over != 0 {
			return 0, bad
		}
	}
	return c, nil
}

// Duration reads a number with a unit, such as 10ms, in nanoseconds; a bare
// number counts nanoseconds.
func Duration(text string) (uint64, error) {
	for _, unit := range []struct {
		suffix string
		ns     uint64
	}{
		{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"", 1},
	} {
		count, ok := strings.CutSuffix(text, unit.suffix)
		if !ok || unit.suffix != "" && count == "" {
			continue
		}
		n, err := Number(count)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration", text)
		}
		over, ns := bits.Mul64(n, unit.ns)
		if over != 0 {
			return 0, fmt.Errorf("the duration %s is too long", text)
		}
		return ns, nil
	}
	return 0, fmt.Errorf("%q is not a duration", text)
}

package debian

import (
	"strconv"
	"strings"
)

// CompareVersions orders two package versions as dpkg does: it returns a
// negative number, zero or a positive one. The algorithm is that of
// deb-version(7): epoch, upstream version and revision in turn, each as
// alternating runs of other characters and of digits.
func CompareVersions(a, b string) int {
	epochA, upstreamA, revisionA := splitVersion(a)
	epochB, upstreamB, revisionB := splitVersion(b)
	if epochA != epochB {
		return epochA - epochB
	}
	if c := compareRuns(upstreamA, upstreamB); c != 0 {
		return c
	}
	return compareRuns(revisionA, revisionB)
}

func splitVersion(v string) (epoch int, upstream, revision string) {
	if e, rest, ok := strings.Cut(v, ":"); ok {
		if n, err := strconv.Atoi(e); err == nil && n >= 0 {
			epoch, v = n, rest
		}
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

func compareRuns(a, b string) int {
	for a != "" || b != "" {
		var textA, textB, numA, numB string
		textA, a = span(a, false)
		textB, b = span(b, false)
		if c := compareText(textA, textB); c != 0 {
			return c
		}
		numA, a = span(a, true)
		numB, b = span(b, true)
		if c := compareNumbers(numA, numB); c != 0 {
			return c
		}
	}
	return 0
}

// span splits off the longest prefix of digits, or of other characters.
func span(s string, digits bool) (prefix, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) == digits {
		i++
	}
	return s[:i], s[i:]
}

func compareText(a, b string) int {
	for i := 0; i < len(a) || i < len(b); i++ {
		if c := weight(a, i) - weight(b, i); c != 0 {
			return c
		}
	}
	return 0
}

// weight puts "~" before the end of the text, the end before letters, and
// letters before everything else.
func weight(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'a' && s[i] <= 'z', s[i] >= 'A' && s[i] <= 'Z':
		return int(s[i])
	default:
		return int(s[i]) + 256
	}
}

// compareNumbers compares decimal numbers of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

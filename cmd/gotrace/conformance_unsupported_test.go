package main_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// unsupportedCases are the cases that gotrace is known to fail, with the
// reason. The list can only shrink: a listed case that passes is an error. Where
// the reason is "unsupported: X", gotrace must say so itself.
type unsupportedCases map[string]string

func loadUnsupported(path string) (unsupportedCases, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	list, err := parseUnsupported(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return list, nil
}

// parseUnsupported reads lines "area/name  reason"; blank lines and those that
// start with # are comments.
func parseUnsupported(text string) (unsupportedCases, error) {
	list := unsupportedCases{}
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		reason = strings.TrimSpace(reason)
		switch _, twice := list[id]; {
		case reason == "":
			return nil, fmt.Errorf("%d: %s is listed without a reason", n+1, id)
		case twice:
			return nil, fmt.Errorf("%d: %s is listed twice", n+1, id)
		}
		list[id] = reason
	}
	return list, nil
}

// orphans are the listed cases that no longer exist.
func (l unsupportedCases) orphans(cases []*conformanceCase) []string {
	rest := maps.Clone(l)
	for _, c := range cases {
		delete(rest, c.id())
	}
	return slices.Sorted(maps.Keys(rest))
}

// demanded is what the error output of a listed case must have: nothing that
// gotrace does not support is left out without a word.
func (l unsupportedCases) demanded(id string) string {
	if what, ok := strings.CutPrefix(l[id], "unsupported: "); ok {
		return "gotrace does not support " + what
	}
	return ""
}

// merge returns the list after a run: outcomes holds, for each case that ran,
// the first complaint or "". Reasons already written stay.
func (l unsupportedCases) merge(outcomes map[string]string) unsupportedCases {
	next := maps.Clone(l)
	for id, complaint := range outcomes {
		switch _, listed := l[id]; {
		case complaint == "":
			delete(next, id)
		case complaint != "" && !listed:
			next[id] = firstLine(complaint)
		}
	}
	return next
}

// write replaces the list in a file, and keeps the comment at its head.
func (l unsupportedCases) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var out strings.Builder
	for line := range strings.Lines(string(old)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		out.WriteString(line)
	}
	out.WriteString("\n")
	for _, id := range slices.Sorted(maps.Keys(l)) {
		fmt.Fprintf(&out, "%s  %s\n", id, l[id])
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

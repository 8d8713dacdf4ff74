package format_test

import "testing"

// FuzzFormat checks on any script that parses that formatting keeps the tree
// and that formatted text stays as it is.
func FuzzFormat(f *testing.F) {
	for _, c := range cases(f, "*.cases") {
		f.Add(c.program)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s := parsed(text); s != nil {
			checkStable(t, "script", s)
		}
	})
}

package parse_test

import (
	"testing"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
)

// FuzzParse checks that any text gives a tree whose nodes have their place
// within the text, errors with a place, and no panic.
func FuzzParse(f *testing.F) {
	for _, p := range programs(f) {
		f.Add(p.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set := &source.Set{}
		set.Add("first", "", "an imported file, so that offsets do not begin at one")
		file := set.Add("x.bt", "", text)
		s, list := parse.File(set, file)
		for _, d := range list.Diags {
			if set.File(d.Span.Start) != file {
				t.Errorf("error without a place: %+v", d)
			}
		}
		_ = list.Error()
		ast.Inspect(s, func(n ast.Node) bool {
			sp := n.Pos()
			if sp.Start < s.Span.Start || sp.End > s.Span.End || sp.Start > sp.End {
				t.Fatalf("%T at %v is not within the file %v", n, sp, s.Span)
			}
			return true
		})
	})
}

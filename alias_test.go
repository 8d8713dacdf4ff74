package gotrace_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"testing"

	"github.com/gotrace/gotrace"
)

// go doc shows of an alias its comment alone, which therefore names all fields
// and methods.
func TestCommentsOfAliasesNameMembers(t *testing.T) {
	comments := map[string]string{}
	for _, name := range []string{"session.go", "output.go", "diagnostic.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				comments[d.Specs[0].(*ast.TypeSpec).Name.Name] = d.Doc.Text()
			}
		}
	}
	for name, typ := range map[string]reflect.Type{
		"Session": reflect.TypeFor[*gotrace.Session](), "Stats": reflect.TypeFor[gotrace.Stats](), "Sink": reflect.TypeFor[gotrace.Sink](),
		"Flusher": reflect.TypeFor[gotrace.Flusher](), "Diagnostic": reflect.TypeFor[gotrace.Diagnostic](),
	} {
		for _, member := range members(typ) {
			if !regexp.MustCompile(`\b` + member + `\b`).MatchString(comments[name]) {
				t.Errorf("the comment of %s does not tell of %s", name, member)
			}
		}
	}
}

// members lists the exported methods and fields of a type.
func members(typ reflect.Type) (names []string) {
	for m := range typ.Methods() {
		names = append(names, m.Name)
	}
	if typ.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(typ) {
			names = append(names, f.Name)
		}
	}
	return names
}

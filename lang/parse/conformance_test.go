package parse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/source"

	"github.com/gotrace/gotrace/lang/parse"
)

// conformanceDir holds the cases that whole runs of the tracer are tested with.
const conformanceDir = "../../cmd/gotrace/testdata/conformance"

// program is the script of one case, with the error that the case demands.
type program struct {
	name, text, errorHeader string
}

// programs reads the scripts of every case, imported ones included.
func programs(t testing.TB) []program {
	files, err := filepath.Glob(filepath.Join(conformanceDir, "*.cases"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", conformanceDir, err)
	}
	var out []program
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		area := strings.TrimSuffix(filepath.Base(file), ".cases")
		for _, c := range strings.Split("\n"+string(text), "\n==== ")[1:] {
			out = append(out, programsOf(area, c)...)
		}
	}
	return out
}

func programsOf(area, text string) []program {
	sections := strings.Split(text, "\n---- ")
	name, header, _ := strings.Cut(sections[0], "\n")
	want := ""
	for _, line := range strings.Split(header, "\n") {
		if v, ok := strings.CutPrefix(line, "error:"); ok {
			want = strings.TrimSpace(v)
		}
	}
	var out []program
	for _, s := range sections[1:] {
		title, body, _ := strings.Cut(s, "\n")
		if title == "program" {
			body = strings.NewReplacer("${PROGS}", "/progs", "${DIR}", "/dir").Replace(body)
			body = strings.TrimRight(body, "\n")
			out = append(out, program{area + "/" + name, body, want})
		}
	}
	return out
}

// demand is an error header, taken apart: LINE:FROM-TO word.
var demand = regexp.MustCompile(`^(\d+)(?::(\d+)-(\d+))?(?:-\d+)?\s*(.*)$`)

// A script of the conformance set parses, unless its case demands an error.
// A demanded syntax error is found, and an error is where the case says.
func TestConformance(t *testing.T) {
	count := 0
	for _, p := range programs(t) {
		count++
		set := &source.Set{}
		_, list := parse.File(set, set.Add(p.name, "", p.text))
		switch {
		case len(list.Diags) == 0:
			if strings.Contains(p.errorHeader, "syntax") && !strings.HasPrefix(p.errorHeader, "-") {
				t.Errorf("%s: no error, want %s", p.name, p.errorHeader)
			}
		case p.errorHeader == "":
			if p.name != "lexical/syntax-error-stops-first" {
				t.Errorf("%s: %v", p.name, list.Err())
			}
		default:
			d := list.Diags[0]
			at := set.Position(d.Span.Start)
			if err := meets(p.errorHeader, at.Line, at.Col, d.Msg); err != nil {
				t.Errorf("%s: %v\n%v", p.name, err, list.Err())
			}
		}
	}
	if count < 1000 {
		t.Errorf("only %d programs found", count)
	}
}

// meets compares an error with what a header demands; columns have a slack of
// one.
func meets(header string, line, col int, msg string) error {
	m := demand.FindStringSubmatch(header)
	if m == nil {
		return nil // without position, for another file
	}
	num := func(s string) int { n, _ := strconv.Atoi(s); return n }
	if line != num(m[1]) {
		return fmt.Errorf("error on line %d, want %s", line, header)
	}
	if m[2] != "" && (col < num(m[2])-1 || col > num(m[3])+1) {
		return fmt.Errorf("error in column %d, want %s", col, header)
	}
	if !regexp.MustCompile("(?i)" + m[4]).MatchString(msg) {
		return fmt.Errorf("message %q, want %s", msg, header)
	}
	return nil
}

package gotrace_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// A script is compiled for the machine that is given: all that it asks for is
// looked up there, such as the address of a variable, and nothing on this one.
func TestCompileAsksTheHost(t *testing.T) {
	program, err := os.ReadFile(compileC(t, `int counter; __attribute__((noinline)) int served(int n) { return n + counter; } int main(void) { return served(1); }`))
	if err != nil {
		t.Fatal(err)
	}
	cfg := hosttest.Config()
	cfg.Root = fstest.MapFS{"elsewhere/program": {Data: program, Mode: 0o755}}
	const src = `uprobe:/elsewhere/program:served { print(*uaddr("counter")); }`
	if _, err := gotrace.Compile("stdin", src, &gotrace.Config{Host: host.New(cfg)}); err != nil {
		t.Error(err)
	}
	if _, err := gotrace.Compile("stdin", src, nil); err == nil {
		t.Error("the program is found on this machine")
	}
}

// A setting that does not exist is an error, as it is in a script: a misspelt
// one would else have no effect.
func TestUnknownSetting(t *testing.T) {
	h := host.New(hosttest.Config())
	for name, want := range map[string]string{
		"max_strlen": "",
		"max_strln":  "Unrecognized config variable: max_strln",
		"MAX_STRLEN": "Unrecognized config variable: MAX_STRLEN",
		"color":      "Unrecognized config variable: color",
	} {
		_, err := gotrace.Compile("stdin", `begin { }`, &gotrace.Config{Host: h, Settings: map[string]string{name: "100"}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// What a wildcard could not look at is told of a script that is faulty as well,
// as it may be why.
func TestProblemsOfFaultyScript(t *testing.T) {
	program, err := os.ReadFile(compileC(t, `int served(int n) { return n; } int main(void) { return served(1); }`))
	if err != nil {
		t.Fatal(err)
	}
	file := &fstest.MapFile{Data: program, Mode: 0o755}
	cfg := hosttest.Config()
	cfg.Root = &doorFS{fstest.MapFS{"dir/a": file, "dir/b": file}, func(name string) bool { return name == "dir/b" }}
	const wild = `uprobe:/dir/*:served`
	for src, faulty := range map[string]bool{wild + ` { }`: false, wild + ` { $x = nope; }`: true} {
		prog, err := gotrace.Compile("stdin", src, &gotrace.Config{Host: host.New(cfg)})
		var list *gotrace.DiagnosticList
		if errors.As(err, &list) != faulty {
			t.Fatalf("%s: %v", src, err)
		}
		if !faulty {
			list = prog.Warnings()
		}
		told := 0
		for _, d := range list.Diags {
			if strings.Contains(d.Msg, "may stand for more") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s: told %d times, %v", src, told, list.Diags)
		}
	}
}

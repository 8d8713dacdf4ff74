package main

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace"
)

// stage is something that -d dumps. The other name is that of bpftrace for what
// is most like it.
type stage struct{ name, other string }

func stages() []stage {
	return []stage{
		{"ast", "parse"}, {"types", ""}, {"ir", "codegen"}, {"ir=PASS", ""}, {"lower", "codegen-opt"}, {"regalloc", ""}, {"asm", "dis"},
		{"verifier", ""}, {"all", ""},
	}
}

// stageNamed returns the stage that has a name.
func stageNamed(name string) (string, bool) {
	for _, s := range stages() {
		if name == s.name || name == s.other && name != "" {
			return s.name, true
		}
	}
	return "", false
}

// stageNames lists the stages for messages.
func stageNames() string {
	var list []string
	for _, s := range stages() {
		text := s.name
		if s.other != "" {
			text += " (" + s.other + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// checkStages replaces the stages of -d by their names.
func (o *options) checkStages() error {
	for i, s := range o.dump {
		switch {
		case strings.HasPrefix(s, "ir="):
			known := []string{"ir=all"}
			for _, pass := range gotrace.Passes() {
				known = append(known, "ir="+pass)
			}
			if err := oneOf("-d", s, known...); err != nil {
				return err
			}
		case s == "libbpf":
			return usagef("-d libbpf is not supported by gotrace: it does not use libbpf")
		default:
			name, ok := stageNamed(s)
			if !ok {
				return usagef("invalid value for -d %q: use %s", s, stageNames())
			}
			o.dump[i] = name
		}
	}
	return nil
}

// dumper prints the stages that -d names.
func (a *app) dumper() func(stage, probe, text string) {
	want := map[string]bool{}
	for _, s := range a.opt.dump {
		want[s] = true
	}
	return func(stage, probe, text string) {
		if want["all"] && !strings.HasPrefix(stage, "ir=") || want[stage] || want["ir=all"] && strings.HasPrefix(stage, "ir=") {
			fmt.Fprintf(a.stdout, "--- %s %s\n%s\n", stage, probe, text)
		}
	}
}

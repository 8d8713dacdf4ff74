package gotrace

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/runtime/output"
	"github.com/gotrace/gotrace/runtime/session"
)

// Buffering says when text output is written.
type Buffering = output.Buffering

// The modes of buffering.
const (
	LineBuffered = output.LineBuffered
	FullBuffered = output.FullBuffered
	Unbuffered   = output.Unbuffered
)

// ErrOutputClosed is the error of Session.Wait when nobody reads the output any
// more.
var ErrOutputClosed = output.ErrClosed

// ErrCommand is the error of Start when the command can not be run.
var ErrCommand = session.ErrCommand

// Render writes the errors or the warnings of a list, with their places.
func Render(w io.Writer, list *DiagnosticList, color, errors bool) {
	if list == nil {
		return
	}
	for i := range list.Diags {
		if (list.Diags[i].Severity == diag.Error) == errors {
			diag.Render(w, list.Files, &list.Diags[i], color)
		}
	}
	if !errors {
		return
	}
	for i := range list.Diags {
		if list.Diags[i].Severity != diag.Error {
			diag.Render(w, list.Files, &list.Diags[i], color)
		}
	}
}

// IsCDefinition reports whether err is about C definitions, which the command
// tells apart by its exit code.
func IsCDefinition(err error) bool {
	var list *diag.List
	return errors.As(err, &list) && slices.ContainsFunc(list.Diags, func(d Diagnostic) bool { return d.Code == diag.CDefinition })
}

// PartialError is the error of List when some of what a pattern means could
// not be looked at. The rest was written.
type PartialError struct{ Problems []error }

// Error returns the problems, one a line.
func (e *PartialError) Error() string { return errors.Join(e.Problems...).Error() }

// Unwrap gives the problems to errors.Is and errors.As.
func (e *PartialError) Unwrap() []error { return e.Problems }

// List writes the attach points or types that a pattern means, one a line; with
// verbose their arguments or definitions below. The error may be a
// *PartialError.
func List(w io.Writer, pattern string, verbose bool, cfg *Config) error {
	if cfg == nil {
		cfg = &Config{}
	}
	c := newCompilation(cfg)
	if probes.IsTypePattern(pattern) {
		return listTypes(w, c.reg, pattern, verbose)
	}
	var problems []error
	for e, err := range c.reg.List(pattern, c.resolveOptions()) {
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if _, err := fmt.Fprintln(w, e.Name); err != nil {
			return err
		}
		if !verbose || e.Fields == nil {
			continue
		}
		fields, err := e.Fields()
		if err != nil {
			problems = append(problems, fmt.Errorf("arguments of %s: %w", e.Name, err))
		}
		for _, f := range fields {
			if _, err := fmt.Fprintf(w, "    %s %s\n", f.Type, f.Name); err != nil {
				return err
			}
		}
	}
	if len(problems) > 0 {
		return &PartialError{problems}
	}
	return nil
}

func listTypes(w io.Writer, reg *probes.Registry, pattern string, verbose bool) error {
	types, err := reg.ListTypes(pattern, verbose)
	if err != nil {
		return err
	}
	for _, t := range types {
		if verbose {
			fmt.Fprintln(w, t.Definition)
		} else {
			fmt.Fprintln(w, t.Name)
		}
	}
	return nil
}

// ListTargets writes the attach points of the program, but begin and end.
func (p *Program) ListTargets(w io.Writer, verbose bool) {
	for _, t := range p.Targets() {
		if t.Provider == target.Begin || t.Provider == target.End {
			continue
		}
		fmt.Fprintln(w, probes.ListName(t))
		if verbose {
			for _, a := range t.Args {
				fmt.Fprintf(w, "    %s %s\n", a.Type, a.Name)
			}
		}
	}
}

// HelpText describes the named parameters of the script, "" if it has none.
func (p *Program) HelpText() string { return p.help }

// SystemInfo tells what the running system supports, as far as its version and
// types say.
func SystemInfo() string {
	c := newCompilation(&Config{})
	f := c.features()
	processors := "unknown"
	if n, err := c.host.NumCPU(); err == nil {
		processors = strconv.Itoa(n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nSystem\n  Kernel: %s\n  Arch: %s\n  Processors: %s\n  BTF: %s\n", c.host.Release(), c.host.Arch(), processors, yes(c.host.Kernel().Available() == nil))
	fmt.Fprintf(&b, "\nKernel features\n")
	for _, row := range []struct {
		name string
		has  bool
	}{
		{"kprobe_multi", c.host.Features().KprobeMulti()}, {"uprobe_multi", c.host.Features().UprobeMulti()},
		{"bpf_loop", f.BPFLoop}, {"for_each_map_elem", f.ForEachMapElem}, {"get_current_task_btf", f.TaskBTF},
		{"map_lookup_percpu_elem", f.MapLookupPerCPU}, {"get_func_ip", f.FuncIP}, {"d_path", f.DPath}, {"ktime_get_tai_ns", f.KtimeTAI},
	} {
		fmt.Fprintf(&b, "  %s: %s\n", row.name, yes(row.has))
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

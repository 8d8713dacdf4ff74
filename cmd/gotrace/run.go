package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/gotrace/gotrace"
)

// The exit codes besides that of exit().
const (
	exitOK      = 0
	exitError   = 1
	exitSetting = 2   // errors in C definitions, or in settings of the environment
	exitLoad    = 255 // loading or attaching failed
)

// app is one run of the command.
type app struct {
	opt    *options
	stdin  io.Reader
	stdout *stream
	stderr io.Writer
	color  bool
}

// run is main without the process: it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	opt, err := parseArgs(args)
	a := &app{opt: opt, stdin: stdin, stdout: &stream{Writer: stdout}, stderr: stderr}
	if err != nil {
		a.fail(err)
		return exitError
	}
	code, err := a.dispatch()
	if err == nil {
		err = a.stdout.err
	}
	if err == nil {
		return code
	}
	a.fail(err)
	return max(code, exitError)
}

// showWarnings shows the warnings of a script where bpftrace does, on standard output,
// but never among JSON records.
func (a *app) showWarnings(list *gotrace.DiagnosticList) {
	var w io.Writer = a.stdout
	if a.opt.format == "json" {
		w = a.stderr
	}
	gotrace.Render(w, list, a.color, false)
}

// fail shows an error: reports about the script with their places, warnings
// behind the errors, and what is joined with reports by itself.
func (a *app) fail(err error) {
	var list *gotrace.DiagnosticList
	if !errors.As(err, &list) {
		a.failPlain(err)
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range joined.Unwrap() {
			a.fail(part)
		}
		return
	}
	gotrace.Render(a.stderr, list, a.color, true)
	if !a.opt.noWarnings {
		gotrace.Render(a.stderr, list, a.color, false)
	}
}

// failPlain shows an error that is not about places in the script.
func (a *app) failPlain(err error) {
	text := err.Error()
	if errors.Is(err, gotrace.ErrNothingToAttach) {
		text = capital(text) // as the reference has it
	}
	on, off := "", ""
	if a.color {
		on, off = "\x1b[31m", "\x1b[0m"
	}
	fmt.Fprintf(a.stderr, "%sERROR: %s%s\n", on, text, off)
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(a.stderr, "USAGE: gotrace [options] FILE | -e 'program' | - [parameters]; gotrace --help lists the options")
	}
}

func (a *app) dispatch() (int, error) {
	o := a.opt
	var err error
	if a.color, err = a.useColor(); err != nil {
		return exitError, err
	}
	switch {
	case o.help:
		_, err := io.WriteString(a.stdout, helpText())
		return exitOK, err
	case o.version:
		_, err := fmt.Fprintln(a.stdout, "gotrace", version())
		return exitOK, err
	case o.info:
		return a.info()
	case o.list && !o.hasProgram && o.file == "":
		return a.listProbes()
	}
	name, src, err := a.source()
	if err != nil {
		return exitError, err
	}
	if o.mode == "format" {
		return a.formatProgram(name, src)
	}
	return a.runProgram(name, src)
}

// version is the version of gotrace and, where the go command recorded it, that
// of the module.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "v" + gotrace.Version
	}
	return "v" + gotrace.Version + " " + info.Main.Version
}

func (a *app) runProgram(name, src string) (int, error) {
	cfg, err := a.config()
	if err != nil {
		return exitError, err
	}
	prog, err := gotrace.Compile(name, src, cfg)
	if err != nil {
		return compileCode(err), err
	}
	if a.opt.list {
		return a.listProgram(prog)
	}
	if slices.Contains(a.opt.named, "--help") {
		_, err := io.WriteString(a.stderr, prog.HelpText())
		return exitOK, err
	}
	if !a.opt.noWarnings {
		a.showWarnings(prog.Warnings())
	}
	if a.opt.mode == "codegen" {
		return exitOK, nil
	}
	code, err := a.trace(prog, cfg)
	if errors.Is(err, gotrace.ErrNothingToAttach) {
		err = otherMode(err, name, src, *cfg)
	}
	return code, err
}

// otherMode adds to the error of a script of which nothing takes part in this
// mode the options with which something does.
func otherMode(err error, name, src string, cfg gotrace.Config) error {
	mode := cfg.Mode
	cfg.Dump = nil
	for _, other := range []struct {
		mode gotrace.Mode
		hint string
	}{
		{gotrace.ModeTrace, "without --test and --bench the other probes run"},
		{gotrace.ModeTest, "--test runs the test probes"},
		{gotrace.ModeBench, "--bench runs the bench probes"},
	} {
		cfg.Mode = other.mode
		prog, failed := gotrace.Compile(name, src, &cfg)
		if other.mode != mode && failed == nil && len(prog.Targets()) > 0 {
			err = fmt.Errorf("%w; %s", err, other.hint)
		}
	}
	return err
}

// compileCode tells errors in C definitions and in settings of the environment
// from others.
func compileCode(err error) int {
	if gotrace.IsCDefinition(err) || gotrace.IsSettingFault(err) {
		return exitSetting
	}
	return exitError
}

// formatProgram is --fmt.
func (a *app) formatProgram(name, src string) (int, error) {
	text, err := gotrace.Format(name, src)
	if err != nil {
		return exitError, err
	}
	if a.opt.output == "" {
		_, err = a.stdout.Write(text)
		return exitOK, err
	}
	if err := os.WriteFile(filepath.Clean(a.opt.output), text, 0o644); err != nil {
		return exitError, err
	}
	return exitOK, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/gotrace/gotrace"
)

// The exit codes besides that of exit().
const (
	exitOK       = 0
	exitError    = 1
	exitCFailure = 2   // errors in C definitions
	exitLoad     = 255 // loading or attaching failed
)

// app is one run of the command.
type app struct {
	opt    *options
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	color  bool
}

// run is main without the process: it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	opt, err := parseArgs(args)
	a := &app{opt: opt, stdin: stdin, stdout: stdout, stderr: stderr}
	if err != nil {
		a.fail(err)
		return exitError
	}
	code, err := a.dispatch()
	if err != nil {
		a.fail(err)
	}
	return code
}

// fail shows an error: reports about the script with their places.
func (a *app) fail(err error) {
	var list *gotrace.DiagnosticList
	if errors.As(err, &list) {
		gotrace.Render(a.stderr, list, a.color, true)
		return
	}
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

// source reads the program from -e, a file, or standard input.
func (a *app) source() (name, src string, err error) {
	o := a.opt
	switch {
	case o.hasProgram:
		return "stdin", o.program, nil
	case o.file == "":
		return "", "", usagef("no program: give one with -e, or a file")
	case o.file == "-":
		text, err := readScript(a.stdin)
		return "stdin", text, err
	}
	f, err := os.Open(o.file)
	var pe *os.PathError
	if errors.As(err, &pe) {
		return "", "", fmt.Errorf("failed to open file '%s': %s", o.file, capital(pe.Err.Error()))
	}
	defer f.Close()
	text, err := readScript(f)
	return o.file, text, err
}

// maxScript is the largest script that is read, in bytes: a guard against
// devices and pipes without end.
const maxScript = 64 << 20

func readScript(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err == nil && len(text) > maxScript {
		err = fmt.Errorf("the script is larger than %d MiB", maxScript>>20)
	}
	return string(text), err
}

// capital is text with a large first letter, as the C library words errors.
func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// config makes the configuration of the compiler from the command line and the
// environment.
func (a *app) config() (*gotrace.Config, error) {
	o := a.opt
	pid, err := o.process()
	if err != nil {
		return nil, err
	}
	if pid != 0 {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
			return nil, fmt.Errorf("there is no process %d", pid)
		}
	}
	cfg := &gotrace.Config{
		Args: o.params, Options: o.named, Settings: settings(os.Environ()), Unsafe: o.unsafe, HelperErrors: o.warnings > 0,
		Pid: pid, Command: o.hasCommand, Include: o.include, IncludeFiles: o.includeFile, Traceable: o.traceable,
		NoKprobeMulti: strings.Contains(o.noFeature, "kprobe_multi"), NoUprobeMulti: strings.Contains(o.noFeature, "uprobe_multi"),
	}
	if o.debugDirs != "" {
		cfg.DebugDirs = strings.Split(o.debugDirs, ":")
	}
	switch o.mode {
	case "test":
		cfg.Mode = gotrace.ModeTest
	case "bench":
		cfg.Mode = gotrace.ModeBench
	}
	if o.filter != "" {
		re, err := regexp.Compile(o.filter)
		if err != nil {
			return nil, usagef("--probe-filter: %v", err)
		}
		cfg.ProbeFilter = re.MatchString
	}
	if len(o.dump) > 0 {
		cfg.Dump = a.dumper()
	}
	return cfg, nil
}

// dumper prints the stages that -d names.
func (a *app) dumper() func(stage, probe, text string) {
	alias := map[string]string{"typed": "types", "codegen": "ir", "codegen-opt": "lower", "dis": "asm", "parse": "ast"}
	want := map[string]bool{}
	for _, s := range a.opt.dump {
		if to, ok := alias[s]; ok {
			s = to
		}
		want[s] = true
	}
	return func(stage, probe, text string) {
		if want["all"] && !strings.HasPrefix(stage, "ir=") || want[stage] || want["ir=all"] && strings.HasPrefix(stage, "ir=") {
			fmt.Fprintf(a.stdout, "--- %s %s\n%s\n", stage, probe, text)
		}
	}
}

// settings are the variables BPFTRACE_X and GOTRACE_X; the latter win.
func settings(environ []string) map[string]string {
	out := map[string]string{}
	for _, prefix := range []string{"BPFTRACE_", "GOTRACE_"} {
		for _, kv := range environ {
			name, value, _ := strings.Cut(kv, "=")
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				out[rest] = value
			}
		}
	}
	return out
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
	if wantsHelp(a.opt.named) {
		_, err := io.WriteString(a.stderr, prog.HelpText())
		return exitOK, err
	}
	if !a.opt.noWarnings {
		gotrace.Render(a.stdout, prog.Warnings(), a.color, false)
	}
	if a.opt.mode == "codegen" {
		return exitOK, nil
	}
	return a.trace(prog, cfg)
}

func wantsHelp(named []string) bool {
	for _, n := range named {
		if n == "--help" {
			return true
		}
	}
	return false
}

// compileCode tells errors in C definitions from others.
func compileCode(err error) int {
	if gotrace.IsCDefinition(err) {
		return exitCFailure
	}
	return exitError
}

// trace runs a compiled program.
func (a *app) trace(prog *gotrace.Program, cfg *gotrace.Config) (int, error) {
	out, closeOut, err := a.openOutput()
	if err != nil {
		return exitError, err
	}
	code, err := a.traceTo(out, prog, cfg)
	return code, errors.Join(err, closeOut())
}

// traceTo runs a compiled program with its output going to out.
func (a *app) traceTo(out io.Writer, prog *gotrace.Program, cfg *gotrace.Config) (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once, should the end take too long.
	defer context.AfterFunc(ctx, stop)()
	// A handler, unlike ignoring the signal, is not inherited by commands.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ro := &gotrace.RunOptions{Command: strings.Fields(a.opt.command), DryRun: a.opt.dryRun, Attached: a.notify(out)}
	ro.Output = gotrace.Output{
		Out: out, Err: a.stderr, JSON: a.opt.format == "json", Quiet: a.opt.quiet, NoWarnings: a.opt.noWarnings, Color: a.color,
		Buffering: buffering(a.opt.buffering),
	}
	if slices.Contains(a.opt.dump, "verifier") || slices.Contains(a.opt.dump, "all") {
		ro.VerifierLog = a.verifierLog()
	}
	s, err := prog.Start(ctx, ro)
	if errors.Is(err, gotrace.ErrOutputClosed) {
		return exitOK, nil
	}
	if err != nil {
		return startCode(err), err
	}
	defer s.Close()
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	defer signal.Stop(usr1)
	go func() {
		for range usr1 {
			s.Self()
		}
	}()
	return a.wait(s, cfg)
}

// verifierLog prints what the verifier says, one program at a time.
func (a *app) verifierLog() func(program, log string) {
	var mu sync.Mutex
	return func(program, log string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(a.stdout, "--- verifier %s\n%s\n", program, log)
	}
}

func (a *app) wait(s *gotrace.Session, cfg *gotrace.Config) (int, error) {
	switch cfg.Mode {
	case gotrace.ModeTest:
		passed, err := s.RunTests()
		if err != nil || !passed {
			return exitError, err
		}
		return exitOK, nil
	case gotrace.ModeBench:
		if err := s.RunBenchmarks(); err != nil {
			return exitError, err
		}
		return exitOK, nil
	}
	err := s.Wait()
	if errors.Is(err, gotrace.ErrOutputClosed) {
		return exitOK, nil
	}
	if err != nil {
		return exitLoad, err
	}
	return s.ExitCode(), nil
}

// startCode is 1 for what is wrong with the command line, 255 for what the
// kernel refused.
func startCode(err error) int {
	if errors.Is(err, gotrace.ErrNothingToAttach) || errors.Is(err, gotrace.ErrCommand) {
		return exitError
	}
	return exitLoad
}

func buffering(mode string) gotrace.Buffering {
	switch mode {
	case "full":
		return gotrace.FullBuffered
	case "none":
		return gotrace.Unbuffered
	}
	return gotrace.LineBuffered
}

// openOutput opens the file of option -o.
func (a *app) openOutput() (io.Writer, func() error, error) {
	if a.opt.output == "" {
		return a.stdout, func() error { return nil }, nil
	}
	f, err := os.Create(a.opt.output)
	if err != nil {
		return nil, nil, fmt.Errorf("failed to open output file: %w", err)
	}
	return f, f.Close, nil
}

// notify tells those who wait for it that everything is attached: a service
// manager, and programs that drive the tracer.
func (a *app) notify(out io.Writer) func() {
	return func() {
		if _, ok := os.LookupEnv("__BPFTRACE_NOTIFY_PROBES_ATTACHED"); ok {
			fmt.Fprintln(out, "__BPFTRACE_NOTIFY_PROBES_ATTACHED")
		}
		path := os.Getenv("NOTIFY_SOCKET")
		if path == "" {
			return
		}
		if path[0] == '@' {
			path = "\x00" + path[1:]
		}
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			fmt.Fprintf(a.stderr, "WARNING: NOTIFY_SOCKET: %v\n", err)
			return
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("READY=1\n")); err != nil {
			fmt.Fprintf(a.stderr, "WARNING: NOTIFY_SOCKET: %v\n", err)
		}
	}
}

// useColor follows BPFTRACE_COLOR: auto, always, never.
func (a *app) useColor() (bool, error) {
	switch v := settings(os.Environ())["COLOR"]; v {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "", "auto":
		return isTerminal(a.stdout) && isTerminal(a.stderr), nil
	default:
		return false, usagef("invalid value %q for BPFTRACE_COLOR: use auto, always or never", v)
	}
}

// isTerminal is asked once a run; opening the terminal library is left to the
// colours that need it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Mode()&os.ModeDevice != 0 && !isNull(info)
}

// isNull reports whether a file is /dev/null, which is a character device too.
func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
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

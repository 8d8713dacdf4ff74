package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/gotrace/gotrace"
)

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
		Out: out, Err: a.stderr, JSON: a.opt.format == "json", Quiet: a.quiet(), NoWarnings: a.opt.noWarnings, Color: a.color,
		Buffering: buffering(a.opt.buffering),
	}
	if a.opt.verbose > 0 {
		ro.Attaching = func(name string) { fmt.Fprintf(a.stderr, "Attaching to %s\n", name) }
	}
	if slices.Contains(a.opt.dump, "verifier") || slices.Contains(a.opt.dump, "all") {
		ro.VerifierLog = a.verifierLog()
	}
	s, err := prog.Start(ctx, ro)
	switch {
	case errors.Is(err, gotrace.ErrOutputClosed):
		return exitOK, nil
	case err != nil && errors.Is(err, context.Cause(ctx)): // the user ends what has not begun, which is no failure
		a.warn([]error{err})
		return exitOK, nil
	case err != nil:
		return a.startCode(err), err
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

// quiet reports whether nothing is said of how many probes are attached: where
// that is all that happens, or of no interest, bpftrace says nothing either.
func (a *app) quiet() bool {
	return a.opt.quiet || a.opt.dryRun || a.opt.mode == "test" || a.opt.mode == "bench"
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
		return exitError, err
	}
	return s.ExitCode(), nil
}

// startCode is 1 for what is wrong with the command line or the output, 255 for
// what the kernel refused.
func (a *app) startCode(err error) int {
	if a.stdout.err != nil || errors.Is(err, gotrace.ErrNothingToAttach) || errors.Is(err, gotrace.ErrCommand) ||
		errors.Is(err, gotrace.ErrProcess) {
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

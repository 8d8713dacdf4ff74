package gotrace

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
	"github.com/gotrace/gotrace/runtime/output"
	"github.com/gotrace/gotrace/runtime/session"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// Session is a running script.
type Session = session.Session

// Stats is what is known about a run.
type Stats = session.Stats

// Event is one thing that a script does or that happens to its run; see package
// runtime/event for the kinds.
type Event = event.Event

// Snapshot is the contents of a map at one moment.
type Snapshot = maps.Snapshot

// ErrNothingToAttach reports a script whose probes take no part in the run.
var ErrNothingToAttach = session.ErrNoProbes

// ErrCommand is the error of Start when the command can not be run.
var ErrCommand = session.ErrCommand

// ErrProcess is the error of Start when the process of Config.Pid can not be
// watched.
var ErrProcess = session.ErrProcess

// ErrClosed is the error of the methods of a Session that need it open, after
// Close.
var ErrClosed = session.ErrClosed

// ErrOutputClosed is the error of Session.Wait when nobody reads the output any
// more.
var ErrOutputClosed = output.ErrClosed

// RunOptions configure a run. The zero value, and nil, print text to standard
// output as the gotrace command does.
type RunOptions struct {
	// Sink receives what the script says; nil: it is printed as Output says,
	// which must be the zero value otherwise.
	Sink   Sink
	Output Output
	// Command is started, held until everything is attached, and ended with the
	// run; the run ends with it.
	Command []string
	// RingBytes is the size of the event buffer, a power of two; 0: by memory.
	RingBytes int
	// Attached, if not nil, is called once everything is attached.
	Attached func()
	// VerifierLog, if not nil, gets what the kernel's verifier says about each
	// program, from several goroutines.
	VerifierLog func(program, log string)
	// DryRun ends the run once everything is attached; no program runs.
	DryRun bool
}

// Start loads and attaches the program. Ending ctx ends the run as exit() in
// the script does.
func (p *Program) Start(ctx context.Context, ro *RunOptions) (*Session, error) {
	if ro == nil {
		ro = &RunOptions{}
	}
	if ro.Sink != nil && ro.Output.given() {
		return nil, errors.New("RunOptions.Output is for runs without a Sink")
	}
	if len(p.obj.Programs) == 0 {
		return nil, ErrNothingToAttach
	}
	f, err := p.formatter(ro)
	if err != nil {
		return nil, err
	}
	return session.Start(ctx, p.obj, session.Options{
		Host: p.host, Registry: p.reg, Sink: ro.sink(f), Format: f, Files: p.files, Resolve: p.resolve,
		Command: ro.Command, RingBytes: ro.RingBytes, Attached: ro.Attached, DryRun: ro.DryRun, VerifierLog: ro.VerifierLog,
	})
}

// formatter prints values with the names of this machine.
func (p *Program) formatter(ro *RunOptions) (*output.Formatter, error) {
	clock, err := output.ReadClock()
	if err != nil {
		return nil, err
	}
	root, cgroups := os.DirFS("/"), os.DirFS("/sys/fs/cgroup")
	cfg := p.obj.Config
	user := symbol.NewUser(symbol.UserOptions{Proc: p.host.Proc(), Root: root, DebugDirs: p.resolve.DebugDirs, Cache: p.cacheMode(ro)})
	if !cfg.LazySymbols {
		if err := p.prefetch(user); err != nil {
			return nil, err
		}
	}
	f := &output.Formatter{
		Symbols:    &symbol.Printer{Kernel: symbol.NewKernel(p.host.Proc()), User: user, Mangled: !cfg.CppDemangle},
		UserName:   symbol.NewUsers(root).Name,
		CgroupPath: func(id uint64, filter string) (string, error) { return symbol.CgroupPath(cgroups, id, filter) },
		Strings:    p.obj.Strings,
		Trailer:    cfg.StrTruncTrailer,
		Clock:      clock,
		Location:   time.Local,
	}
	for _, t := range p.Targets() {
		if t.Path != "" {
			f.Program = t.Path
			break
		}
	}
	return f, nil
}

// prefetch reads the symbols of the processes that user probes are about, so
// that their addresses can be named when they have ended.
func (p *Program) prefetch(user *symbol.User) error {
	if pid := p.resolve.Pid; pid != 0 {
		return user.Prefetch(pid)
	}
	seen := map[string]bool{"": true}
	for _, t := range p.Targets() {
		if seen[t.Path] {
			continue
		}
		seen[t.Path] = true
		if err := user.PrefetchProgram(t.Path); err != nil {
			return err
		}
	}
	return nil
}

// cacheMode is the setting cache_user_symbols; a command of our own keeps its
// mappings per program, so that its last stacks are named after its end.
func (p *Program) cacheMode(ro *RunOptions) symbol.CacheMode {
	switch p.obj.Config.CacheUserSymbols {
	case "NONE":
		return symbol.CacheNone
	case "PER_PID":
		return symbol.CachePerPID
	case "PER_PROGRAM":
		return symbol.CachePerProgram
	}
	if len(ro.Command) > 0 {
		return symbol.CachePerProgram
	}
	return symbol.CachePerPID
}

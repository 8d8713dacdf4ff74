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

// Session is a running script. Its methods:
//
//   - Wait() error handles events until the run ends. RunTests() (bool, error)
//     and RunBenchmarks() error take its place for ModeTest and ModeBench; one
//     of another mode is an error.
//   - ExitCode() int is the argument of exit(), once Wait has returned.
//   - Snapshot(name string) (*Snapshot, error) reads a map, by its name with
//     the @.
//   - Text(value) string is a key or value of a Snapshot or Event as print()
//     shows it, with stacks and symbols named; Message(text) string that of a
//     printf(), errorf() or warnf(); MapText(*Snapshot) string that of a map.
//   - Stats() Stats tells what was lost and what the programs cost.
//   - Self() runs the self: probes.
//   - Close() error detaches and unloads everything. After it Snapshot and Wait
//     return ErrClosed.
//
// All but Wait, its kin and ExitCode may be called from any goroutine, also
// while Wait runs in another; see package runtime/session for more.
type Session = session.Session

// Stats is what is known about a run: event records that were Lost, as they did
// not fit the buffer, or Malformed; the Runs, Nanoseconds (both while
// kernel.bpf_stats_enabled is 1) and Missed runs of the programs.
type Stats = session.Stats

// Event is one thing that a script does or that happens to its run. It is one of
// the pointer types of package runtime/event, such as *event.Printf with the
// Text that Session.Message formats, *event.Print with a Value for Session.Text,
// *event.Lost with a Count. It is valid only until the Sink returns.
type Event = event.Event

// Snapshot is the contents of a map at one moment, and may be kept. Name is that
// of the map with the @, Entries its elements in the order of print(): each has a
// Key (unless Scalar()) and a Value, or for aggregations Agg, with the number in
// Agg.Value, and Count, Total, Buckets or Series. Incomplete tells that elements
// may be missing. Top(n) keeps the n highest, Divide(d) divides the numbers.
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
	// run; the run ends with it. It is given if and only if Config.Command is set.
	Command []string
	// RingBytes is the size of the event buffer in bytes: a power of two, a page
	// at least; 0: the setting perf_rb_pages, or by the script and the memory.
	RingBytes int
	// Attaching, if not nil, is called before a target is attached to, or run in
	// the case of begin probes, for one target at a time, but from any goroutine.
	Attaching func(target string)
	// Attached, if not nil, is called once everything is attached.
	Attached func()
	// VerifierLog, if not nil, gets what the kernel's verifier says about each
	// program, from several goroutines.
	VerifierLog func(program, log string)
	// DryRun ends the run once everything is attached: begin and end probes, tests
	// and benchmarks do not run, and what others print is dropped.
	DryRun bool
}

// Start loads and attaches the program. Ending ctx later ends the run as exit()
// in the script does; if it ends before everything is attached, the error wraps
// context.Cause(ctx). Other errors are ErrNothingToAttach, ErrCommand and
// ErrProcess, those of the Sink, which is ErrOutputClosed where nobody reads what
// is printed, of the machine, and of options that do not go together. What the
// kernel refuses of the script is a *DiagnosticList, perhaps joined with others.
// On error nothing stays loaded or attached.
func (p *Program) Start(ctx context.Context, ro *RunOptions) (*Session, error) {
	if ro == nil {
		ro = &RunOptions{}
	}
	if err := p.check(ro); err != nil {
		return nil, err
	}
	user, err := p.userSymbols(ro)
	if err != nil {
		return nil, err
	}
	f, err := p.formatter(user)
	if err != nil {
		return nil, err
	}
	return session.Start(ctx, p.obj, session.Options{
		Host: p.host, Registry: p.reg, Sink: ro.sink(f), Format: f, Files: p.files, Resolve: p.resolve,
		Command: ro.Command, Mapped: p.remember(user), RingBytes: ro.RingBytes, Attaching: ro.Attaching, Attached: ro.Attached, DryRun: ro.DryRun, VerifierLog: ro.VerifierLog,
	})
}

// check finds options that do not go together, or not with the program.
func (p *Program) check(ro *RunOptions) error {
	switch {
	case ro.Sink != nil && ro.Output.given():
		return errors.New("RunOptions.Output is for runs without a Sink")
	case p.resolve.Cmd && len(ro.Command) == 0:
		return errors.New("Config.Command tells that there will be a command, but RunOptions.Command is empty")
	case !p.resolve.Cmd && len(ro.Command) > 0:
		return errors.New("RunOptions.Command needs Config.Command: the script was compiled for a run without one")
	case len(p.obj.Programs) == 0:
		return ErrNothingToAttach
	}
	return nil
}

// formatter prints values with the names of this machine.
func (p *Program) formatter(user *symbol.User) (*output.Formatter, error) {
	clock, err := output.ReadClock()
	if err != nil {
		return nil, err
	}
	cfg := p.obj.Config
	f := &output.Formatter{
		Symbols:    &symbol.Printer{Kernel: symbol.NewKernel(p.host.Proc()), User: user, Mangled: !cfg.CppDemangle},
		UserName:   symbol.NewUsers(os.DirFS("/")).Name,
		CgroupPath: symbol.NewCgroups(os.DirFS("/sys/fs/cgroup")).Path,
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

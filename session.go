package gotrace

import (
	"context"
	"io"
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

// Sink receives events and maps, from one goroutine.
type Sink = output.Sink

// Snapshot is the contents of a map at one moment.
type Snapshot = maps.Snapshot

// RunOptions configure a run. The zero value, and nil, print text to standard
// output as the gotrace command does.
type RunOptions struct {
	// Sink receives what the script says; nil: text on Out and Err.
	Sink Sink
	// Out and Err are where the text goes without a Sink; nil: the standard
	// streams.
	Out, Err io.Writer
	JSON     bool
	Output   output.Options // further options of the text; its Out, Err and Format are set here
	// Command is started, held until everything is attached, and ended with the
	// run; the run ends with it.
	Command        []string
	FileActivation bool
	// RingBytes is the size of the event buffer, a power of two; 0: by memory.
	RingBytes int
	// Attached, if not nil, is called once everything is attached.
	Attached func()
	// VerifierLog, if not nil, gets what the kernel's verifier says about each
	// program, from several goroutines.
	VerifierLog func(program, log string)
	DryRun      bool
	// Quiet leaves out how many probes are attached.
	Quiet bool
}

// Start loads and attaches the program. Ending ctx ends the run as exit() in
// the script does.
func (p *Program) Start(ctx context.Context, ro *RunOptions) (*Session, error) {
	if ro == nil {
		ro = &RunOptions{}
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
		Command: ro.Command, FileActivation: ro.FileActivation, RingBytes: ro.RingBytes, Attached: ro.Attached, DryRun: ro.DryRun,
		VerifierLog: ro.VerifierLog,
	})
}

// sink returns the Sink of the options, or one that writes text or JSON.
func (ro *RunOptions) sink(f *output.Formatter) output.Sink {
	if ro.Sink != nil {
		return ro.Sink
	}
	o := ro.Output
	o.Out, o.Err, o.Format = ro.Out, ro.Err, f
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	var sink Sink = output.NewText(o)
	if ro.JSON {
		sink = output.NewJSON(o)
	}
	if ro.Quiet {
		return quiet{sink.(flushingSink)}
	}
	return sink
}

// formatter prints values with the names of this machine.
func (p *Program) formatter(ro *RunOptions) (*output.Formatter, error) {
	clock, err := output.ReadClock()
	if err != nil {
		return nil, err
	}
	root := os.DirFS("/")
	cfg := p.obj.Config
	user := symbol.NewUser(symbol.UserOptions{Proc: p.host.Proc(), Root: root, DebugDirs: p.resolve.DebugDirs, Cache: p.cacheMode(ro)})
	f := &output.Formatter{
		Symbols:    &symbol.Printer{Kernel: symbol.NewKernel(p.host.Proc()), User: user, Mangled: !cfg.CppDemangle},
		UserName:   symbol.NewUsers(root).Name,
		CgroupPath: func(id uint64, filter string) (string, error) { return symbol.CgroupPath(root, id, filter) },
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

type flushingSink interface {
	output.Sink
	output.Flusher
}

// quiet drops the number of attached probes.
type quiet struct{ flushingSink }

// Event implements Sink.
func (q quiet) Event(e Event) error {
	if _, ok := e.(*event.Attached); ok {
		return nil
	}
	return q.flushingSink.Event(e)
}

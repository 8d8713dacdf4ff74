// Package session runs a compiled script on the kernel.
//
// Start creates the maps, loads the programs, runs the begin probes and
// attaches the others; Wait handles events until the run ends, runs the end
// probes and shows the maps; Close detaches. A Session is a value: any number
// may live in one process. Nothing is printed here: whatever a script says goes
// to the Sink.
package session

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
	"github.com/gotrace/gotrace/runtime/output"
)

// Options configure a run. Host, Registry and Sink are needed.
type Options struct {
	Host     *host.Host
	Registry *probes.Registry
	Sink     output.Sink
	// Format is what the Sink prints values with; the session gives it access
	// to the stacks. It may be nil.
	Format *output.Formatter
	// Files resolves the places of a program that the verifier rejects.
	Files *source.Set
	// Resolve are the options that the script was compiled with; Resolve.Pid
	// ends the run when that process is gone.
	Resolve target.ResolveOptions
	// Command is started, held until everything is attached, and ended with the
	// run; the run ends with it.
	Command []string
	// Mapped, if not nil, is called now and then while the command runs, with its
	// process id and from a goroutine of its own: what is to be known of its
	// mappings has to be read before it ends.
	Mapped func(pid int)
	// RingBytes is the size of the event buffer in bytes: a power of two, a page
	// at least. 0: the setting perf_rb_pages, or by the script and the memory.
	RingBytes int
	// Attaching, if not nil, is called before a target is attached to, or run in
	// the case of begin probes, for one target at a time.
	Attaching func(target string)
	// Attached, if not nil, is called once everything is attached.
	Attached func()
	// VerifierLog, if not nil, gets what the kernel's verifier says about each
	// program that it accepts, from several goroutines.
	VerifierLog func(program, log string)
	// DryRun ends the run once everything is attached: begin and end probes, tests
	// and benchmarks do not run, and what others print is dropped.
	DryRun bool
}

// Stats is what is known about a run.
type Stats struct {
	// Lost is the number of event records that did not fit the buffer, at the
	// last report if the kernel does not tell any more.
	Lost uint64
	// Malformed is the number of records that were skipped as they did not fit
	// their description, which only a bug can cause.
	Malformed uint64
	// Runs is how often the programs ran and Nanoseconds the time that they
	// took, of which the kernel keeps count while kernel.bpf_stats_enabled is 1.
	Runs        uint64
	Nanoseconds uint64
	// Missed is how often a program could not run as it was running already.
	Missed uint64
}

// Session is a running script.
//
// Snapshot, Stats, Self, Text, Message, MapText and Close may be called from any
// goroutine, at the same time, while Wait, RunTests or RunBenchmarks runs in
// another; of these three one is called, once. ExitCode is for afterwards.
type Session struct {
	obj     *object.Object
	opt     Options
	running sync.Mutex // held by Wait and its kin, and by Close

	// open guards what Close takes away: maps, progs, closed and final. The run
	// itself needs it only where its code serves other goroutines, too.
	open   sync.RWMutex
	closed bool
	final  Stats // of a session that is closed
	maps   map[string]*ebpf.Map
	progs  map[*object.Program]*ebpf.Program

	texts  sync.Mutex       // guards format
	format output.Formatter // of Text and its kin

	reader  *event.Reader
	command *command
	process *os.File // pidfd of Options.Resolve.Pid, or nil

	telling sync.Mutex // held while Options.Attaching is called

	mu      sync.Mutex
	links   []attachment
	refused []error // targets of wildcards that the kernel refuses

	ctx    context.Context
	cancel context.CancelFunc
	// commands is the context of system(): the end of the run does not end it,
	// as end probes and what is queued then may ask for commands, too.
	commands     context.Context
	endCommands  context.CancelFunc
	commandsTook time.Duration // in system() so far

	selfRuns atomic.Int32
	exited   bool
	ending   bool // the end probes run
	detached chan error
	code     int
	lost     atomic.Uint64
	lostOf   []uint64  // the same by record
	dropped  uint64    // records that a slow Sink did not take at the end
	lostAt   time.Time // of the last look at what is lost
	ended    bool
	// capture takes the place of the Sink while a test probe runs.
	capture output.Sink
}

// attachment is what keeps one program attached.
type attachment struct {
	closer  io.Closer
	targets []*target.Target
}

// Start loads and attaches obj. On error nothing stays loaded or attached.
// Cancelling ctx later ends the run as exit() does; a ctx that is done before
// everything is attached is an error, which wraps context.Cause(ctx). Other
// errors are ErrCommand, ErrProcess, ErrNoProbes, those of the Sink, of the host
// and of the kernel; what has a place in the script is a *diag.List, perhaps
// joined with others.
func Start(ctx context.Context, obj *object.Object, opt Options) (*Session, error) {
	s := &Session{obj: obj, opt: opt, lostOf: make([]uint64, len(obj.Records)), maps: map[string]*ebpf.Map{}, progs: map[*object.Program]*ebpf.Program{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.commands, s.endCommands = context.WithCancel(context.WithoutCancel(ctx))
	if opt.Format != nil {
		opt.Format.Stack = s.lookupStack
		s.format = *opt.Format
	}
	if err := s.start(); err != nil {
		return nil, joinReports(filesHint(err), s.Close())
	}
	return s, nil
}

func (s *Session) start() error {
	if err := checkRingBytes(s.opt.RingBytes); err != nil {
		return err
	}
	if s.opt.RingBytes == 0 {
		if err := checkRingPages(s.obj.Config.PerfRBPages); err != nil {
			return err
		}
	}
	for _, stage := range []func() error{
		s.startCommand, s.openProcess, s.raiseMemlock, s.createMaps, s.openReader, s.loadPrograms, s.setParams, s.begin, s.attachAll,
	} {
		if err := s.interrupted(); err != nil {
			return err
		}
		if err := stage(); err != nil {
			return err
		}
	}
	if s.opt.DryRun {
		return nil
	}
	if err := s.drain(); err != nil {
		return err
	}
	return s.idle()
}

// interrupted is the error of a start whose context is done.
func (s *Session) interrupted() error {
	if s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("the run ended before everything was attached: %w", context.Cause(s.ctx))
}

// openReader starts to read the event buffer; a script without events has
// none.
func (s *Session) openReader() error {
	ring := s.byRole(object.RoleRing)
	if ring == nil {
		return nil
	}
	d, err := event.NewDecoder(s.obj)
	if err != nil {
		return err
	}
	s.reader, err = event.NewReader(ring, d)
	return err
}

// byRole returns the first map of a role.
func (s *Session) byRole(r object.Role) *ebpf.Map {
	for _, m := range s.obj.Maps {
		if m.Role == r {
			return s.maps[m.Name]
		}
	}
	return nil
}

func (s *Session) mapNamed(name string) (*ebpf.Map, *object.Map, error) {
	for _, m := range s.obj.Maps {
		if m.Name == name && m.Role == object.RoleScript {
			return s.maps[name], m, nil
		}
	}
	return nil, nil, fmt.Errorf("the script has no map %s", name)
}

// Snapshot reads a map of the script, by its name with the @. The error is
// ErrClosed after Close.
func (s *Session) Snapshot(name string) (*maps.Snapshot, error) {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	m, desc, err := s.mapNamed(name)
	if err != nil {
		return nil, err
	}
	return maps.Read(m, desc)
}

// Stats returns counts of the run so far; after Close those at its end.
func (s *Session) Stats() Stats {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return s.final
	}
	return s.stats()
}

func (s *Session) stats() Stats {
	st := Stats{Lost: s.lost.Load()}
	if c, err := s.counters(); err == nil {
		st.Lost = c.Lost
	}
	if s.reader != nil {
		st.Malformed = s.reader.Malformed()
	}
	for _, p := range s.progs {
		if ps, err := p.Stats(); err == nil {
			st.Runs += ps.RunCount
			st.Nanoseconds += uint64(ps.Runtime)
			st.Missed += ps.RecursionMisses
		}
	}
	return st
}

// counters reads what the programs count; zeros for a script that counts
// nothing.
func (s *Session) counters() (event.Counters, error) {
	m := s.byRole(object.RoleCounters)
	if m == nil {
		return event.Counters{}, nil
	}
	return event.ReadCounters(m, len(s.obj.Records))
}

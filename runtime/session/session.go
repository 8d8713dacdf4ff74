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
	"errors"
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
	// RingBytes is the size of the event buffer: a power of two and a multiple
	// of the page size. 0: the setting perf_rb_pages, or by memory.
	RingBytes int
	// Attached, if not nil, is called once everything is attached.
	Attached func()
	// VerifierLog, if not nil, gets what the kernel's verifier says about each
	// program that it accepts, from several goroutines.
	VerifierLog func(program, log string)
	// DryRun ends the run once everything is attached, without output.
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
type Session struct {
	obj     *object.Object
	opt     Options
	maps    map[string]*ebpf.Map
	progs   map[*object.Program]*ebpf.Program
	reader  *event.Reader
	command *command
	process *os.File // pidfd of Options.Resolve.Pid, or nil

	mu    sync.Mutex
	links []attachment

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
	closed   bool
	// capture takes the place of the Sink while a test probe runs.
	capture output.Sink
}

// attachment is what keeps one program attached.
type attachment struct {
	closer  io.Closer
	targets []*target.Target
}

// Start loads and attaches obj. On error nothing stays loaded or attached.
// Cancelling ctx ends the run as exit() does.
func Start(ctx context.Context, obj *object.Object, opt Options) (*Session, error) {
	s := &Session{obj: obj, opt: opt, lostOf: make([]uint64, len(obj.Records)), maps: map[string]*ebpf.Map{}, progs: map[*object.Program]*ebpf.Program{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.commands, s.endCommands = context.WithCancel(context.WithoutCancel(ctx))
	if opt.Format != nil {
		opt.Format.Stack = s.lookupStack
	}
	if err := s.start(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) start() error {
	if err := s.startCommand(); err != nil {
		return err
	}
	if err := s.openProcess(); err != nil {
		return err
	}
	if err := s.raiseMemlock(); err != nil {
		return err
	}
	if err := s.createMaps(); err != nil {
		return err
	}
	if err := s.openReader(); err != nil {
		return err
	}
	if err := s.loadPrograms(); err != nil {
		return err
	}
	if err := s.setParams(); err != nil {
		return err
	}
	if !s.opt.DryRun {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := s.attachAll(); err != nil {
		return err
	}
	if err := s.drain(); err != nil {
		return err
	}
	return s.idle()
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

// Snapshot reads a map of the script, by its name with the @. It may be called
// from any goroutine until Close.
func (s *Session) Snapshot(name string) (*maps.Snapshot, error) {
	m, desc, err := s.mapNamed(name)
	if err != nil {
		return nil, err
	}
	return maps.Read(m, desc)
}

// Stats returns counts of the run so far. It may be called from any goroutine
// until Close.
func (s *Session) Stats() Stats {
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

// Close detaches and unloads everything and ends the command. It may take as
// long as the kernel's grace periods do, some 0.1 s. It must not be called
// while Wait runs; cancel the context instead. Further calls do nothing.
func (s *Session) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.cancel()
	s.endCommands()
	if s.command != nil {
		s.command.stop()
	}
	s.beginDetach()
	err := <-s.detached
	if s.reader != nil {
		err = errors.Join(err, s.reader.Close())
	}
	if s.process != nil {
		err = errors.Join(err, s.process.Close())
	}
	for _, p := range s.progs {
		err = errors.Join(err, p.Close())
	}
	for _, m := range s.maps {
		err = errors.Join(err, m.Close())
	}
	s.progs, s.maps = nil, nil
	return err
}

// detachDelay is how long finish waits for links to be closed. The kernel takes
// a program off its probe at once and then waits for a grace period, which may
// take 0.15 s and must not hold up the output.
const detachDelay = 10 * time.Millisecond

// beginDetach starts to detach all probes, and waits until no program runs any
// more, as far as can be told.
func (s *Session) beginDetach() {
	if s.detached != nil {
		return
	}
	s.detached = make(chan error, 1)
	s.mu.Lock()
	n := len(s.links)
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.detached <- s.detach()
		close(done)
	}()
	if n == 0 {
		<-done
		return
	}
	select {
	case <-done:
	case <-time.After(detachDelay):
	}
}

// detach closes all links at the same time, as each waits for the kernel.
func (s *Session) detach() error {
	s.mu.Lock()
	links := s.links
	s.links = nil
	s.mu.Unlock()
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() { errs[i] = l.closer.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

package session

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/iter"
	"github.com/gotrace/gotrace/runtime/event"
)

// ErrNoProbes reports that nothing is left to attach to.
var ErrNoProbes = errors.New("no probes to attach")

// isRun reports whether the session runs a kind of probe itself.
func isRun(p target.Provider) bool {
	switch p {
	case target.Begin, target.End, target.Self, target.Test, target.Bench:
		return true
	}
	return false
}

// attachAll attaches all probes at the same time, then lets the command go.
func (s *Session) attachAll() error {
	opt := &probes.AttachOptions{ResolveOptions: s.opt.Resolve}
	if s.command != nil {
		opt.Child = s.command.pid()
	}
	count := 0
	for _, p := range s.obj.Programs {
		count += len(p.Targets)
	}
	errs := s.attachPrograms(opt)
	if err := s.interrupted(); err != nil {
		return err
	}
	if err := s.tolerate(errs, &count); err != nil {
		return err
	}
	if err := s.reportRefused(&count); err != nil {
		return err
	}
	if err := s.emit(&event.Attached{Probes: count}); err != nil {
		return err
	}
	if err := s.idle(); err != nil {
		return err
	}
	if s.opt.Attached != nil {
		s.opt.Attached()
	}
	if s.command == nil {
		return nil
	}
	if s.opt.Mapped != nil {
		go s.command.follow(s.opt.Mapped)
	}
	return s.command.release()
}

// attachPrograms attaches at the same time what has nothing in common, and
// programs with a place in common in the order that makes the kernel run them
// in the order of the script. The errors are those of each program. It attaches
// nothing more once the run is interrupted.
func (s *Session) attachPrograms(opt *probes.AttachOptions) []error {
	progs := s.obj.Programs
	errs := make([]error, len(progs))
	done := make([]chan struct{}, len(progs))
	for i := range progs {
		done[i] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for i, before := range attachOrder(progs) {
		if isRun(progs[i].Targets[0].Provider) {
			close(done[i])
			continue
		}
		wg.Go(func() {
			defer close(done[i])
			for _, j := range before {
				<-done[j]
			}
			if s.ctx.Err() == nil {
				errs[i] = s.attach(progs[i], opt)
			}
		})
	}
	wg.Wait()
	return errs
}

// attach attaches one program to its targets. Watchpoints get links of their
// own, so that unwatch() can remove one.
func (s *Session) attach(p *object.Program, opt *probes.AttachOptions) error {
	groups := [][]*target.Target{p.Targets}
	if p.Targets[0].Provider == target.Watchpoint {
		groups = nil
		for _, t := range p.Targets {
			groups = append(groups, []*target.Target{t})
		}
	}
	var refused []error
	own := *opt
	own.Refused = func(_ *target.Target, err error) { refused = append(refused, err) }
	own.Tolerant = s.obj.Config.MissingProbes != "error"
	var links []attachment
	for _, g := range groups {
		s.attaching(g...)
		c, err := s.opt.Registry.Attach(g, s.progs[p], &own)
		if err != nil {
			for _, l := range links { // all targets of a program, or none
				err = errors.Join(err, l.closer.Close())
			}
			return s.attachError(p, err)
		}
		links = append(links, attachment{c, g})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, links...)
	s.refused = append(s.refused, refused...)
	return nil
}

// attaching tells what is about to be attached to.
func (s *Session) attaching(targets ...*target.Target) {
	if s.opt.Attaching == nil {
		return
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	for _, t := range targets {
		s.opt.Attaching(t.Name)
	}
}

// tolerate applies the setting missing_probes to probes that could not be
// attached.
func (s *Session) tolerate(errs []error, count *int) error {
	var all []error
	for i, err := range errs {
		if err == nil {
			continue
		}
		var list *diag.List
		missing := errors.As(err, &list) && list.Diags[0].Code == diag.AttachFailed
		if !missing || s.obj.Config.MissingProbes == "error" {
			all = append(all, err)
			continue
		}
		*count -= len(s.obj.Programs[i].Targets)
		if s.obj.Config.MissingProbes == "warn" {
			if err := s.emit(&event.Failure{Msg: list.Diags[0].Msg}); err != nil {
				return err
			}
		}
	}
	if len(all) == 0 && *count == 0 && len(s.obj.Programs) > 0 {
		return ErrNoProbes
	}
	return joinReports(all...)
}

// unwatch removes the watchpoints at an address.
func (s *Session) unwatch(addr uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	kept := s.links[:0]
	for _, l := range s.links {
		if t := l.targets[0]; t.Provider == target.Watchpoint && t.Address == addr {
			err = errors.Join(err, l.closer.Close())
			continue
		}
		kept = append(kept, l)
	}
	s.links = kept
	return err
}

// iterator returns the link of the script's iterator, which is its only probe.
func (s *Session) iterator() (*iter.Link, *target.Target) {
	for _, l := range s.links {
		if it, ok := l.closer.(*iter.Link); ok {
			return it, l.targets[0]
		}
	}
	return nil, nil
}

// runIterator walks over the objects once, or pins the iterator.
func (s *Session) runIterator(it *iter.Link, t *target.Target) error {
	if !t.Pinned() {
		return it.Run()
	}
	if err := mountBPF(t.Mode); err != nil {
		return err
	}
	if err := it.Pin(t.Mode); err != nil {
		return fmt.Errorf("pinning %s: %w", t.Name, err)
	}
	return s.emit(&event.Pinned{Path: t.Mode})
}

// bpfDir is where the BPF file system belongs.
const bpfDir = "/sys/fs/bpf"

// mountBPF mounts the BPF file system if path lies in its usual place and it is
// missing there, as on machines without systemd.
func mountBPF(path string) error {
	var st unix.Statfs_t
	if !strings.HasPrefix(path, bpfDir+"/") || unix.Statfs(bpfDir, &st) != nil || st.Type == unix.BPF_FS_MAGIC {
		return nil
	}
	if err := unix.Mount("bpf", bpfDir, "bpf", 0, "mode=0700"); err != nil {
		return fmt.Errorf("mounting the BPF file system on %s: %w", bpfDir, err)
	}
	return nil
}

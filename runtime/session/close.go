package session

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gotrace/gotrace/lang/target"
)

// ErrClosed reports that Close came before.
var ErrClosed = errors.New("the session is closed")

// run calls f with the session open: Wait or one of its kin, which handles the
// probes that kind names as Session.kind does.
func (s *Session) run(kind target.Provider, f func() error) error {
	s.running.Lock()
	defer s.running.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.ended:
		return errors.New("the session has ended")
	case s.kind() != kind:
		return fmt.Errorf("%s handles the probes of this script, which the mode of its compilation has chosen", runner(s.kind()))
	}
	s.ended = true
	return f()
}

// kind is target.Test or target.Bench for a script of such probes, which has no
// others, and "" for others.
func (s *Session) kind() target.Provider {
	for _, p := range s.obj.Programs {
		if k := p.Targets[0].Provider; k == target.Test || k == target.Bench {
			return k
		}
	}
	return ""
}

// runner names the method that runs probes of a kind.
func runner(kind target.Provider) string {
	switch kind {
	case target.Test:
		return "RunTests"
	case target.Bench:
		return "RunBenchmarks"
	}
	return "Wait"
}

// Close detaches and unloads everything and ends the command. It may take as
// long as the kernel's grace periods do, some 0.1 s. While Wait runs Close ends
// the commands of system() and the run, as ctx does, and waits for Wait to
// return; a Sink must not call it. Further calls do nothing.
func (s *Session) Close() error {
	s.cancel()
	s.endCommands()
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
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
	return errors.Join(err, s.unload())
}

// unload frees the programs and maps.
func (s *Session) unload() error {
	s.open.Lock()
	defer s.open.Unlock()
	s.final, s.closed = s.stats(), true
	var err error
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

package event

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// maxBatch is how many events one Poll hands out at most, so that a caller who
// also has to look after other things gets to them under any load.
const maxBatch = 1 << 14

// minWait is how long Poll leaves events in the buffer when it has been woken
// a moment ago. The kernel wakes a reader that has read everything for each
// single event (ringbuf_commit in kernel/bpf/ringbuf.c), which costs the traced
// program more than the event; while something is left it does not.
const minWait = time.Millisecond

// Reader reads events from a ring buffer. Poll is for one goroutine at a time,
// Close may come from another.
type Reader struct {
	ring      *ringbuf.Reader
	decoder   *Decoder
	record    ringbuf.Record // keeps the buffer between events
	malformed atomic.Uint64
	woken     time.Time // when the last Poll got its first event
	backlog   bool      // the last Poll has left events
}

// NewReader starts to read m, the object's map of object.RoleRing.
func NewReader(m *ebpf.Map, d *Decoder) (*Reader, error) {
	ring, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("event buffer: %w", err)
	}
	return &Reader{ring: ring, decoder: d}, nil
}

// Poll waits until deadline for an event and then hands it and all that follow
// it to handle, until none is left (the time to flush output) or maxBatch are
// done. A zero deadline waits without end, one in the past takes only what is
// there. n counts the events; it is 0 when the deadline came first.
//
// The error is that of handle, os.ErrClosed after Close, or that of the ring
// buffer. Malformed records are counted and skipped.
func (r *Reader) Poll(deadline time.Time, handle func(Event) error) (n int, err error) {
	r.gather(deadline)
	r.ring.SetDeadline(deadline)
	r.backlog = false
	for n < maxBatch {
		if err := r.ring.ReadInto(&r.record); err != nil {
			return n, endOfBatch(err)
		}
		if n == 0 {
			r.woken = time.Now()
			r.ring.SetDeadline(time.Unix(0, 0))
		}
		n++
		ev, err := r.decoder.Decode(r.record.RawSample)
		if err != nil {
			r.malformed.Add(1)
			continue
		}
		if err := handle(ev); err != nil {
			return n, err
		}
	}
	r.backlog = true
	return n, nil
}

// gather lets events come together until minWait after the last wake-up, unless
// the deadline forbids it or there are enough.
func (r *Reader) gather(deadline time.Time) {
	next := r.woken.Add(minWait)
	if !deadline.IsZero() && deadline.Before(next) || r.backlog {
		return
	}
	time.Sleep(time.Until(next))
}

func endOfBatch(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, ringbuf.ErrFlushed):
		return nil
	case errors.Is(err, ringbuf.ErrClosed):
		return os.ErrClosed
	}
	return fmt.Errorf("event buffer: %w", err)
}

// Filled reports whether more than half of the buffer is waiting.
func (r *Reader) Filled() bool { return r.ring.AvailableBytes() > r.ring.BufferSize()/2 }

// Wake makes a waiting Poll return without an event.
func (r *Reader) Wake() error { return r.ring.Flush() }

// Malformed returns how many records did not fit their description. It may be
// called from any goroutine.
func (r *Reader) Malformed() uint64 { return r.malformed.Load() }

// Close ends reading; a waiting Poll returns os.ErrClosed.
func (r *Reader) Close() error { return r.ring.Close() }

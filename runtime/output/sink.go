package output

import (
	"errors"
	"io"

	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// Sink receives what a script says.
//
// Calls come one at a time, so that a Sink needs no lock, but not from one
// goroutine alone: they come while Start runs (what begin probes say), while
// Wait, RunTests or RunBenchmarks do, and from a goroutine of the session that
// reads while one of these runs a program. They never come in between.
//
// The order is that in which programs wrote to the event buffer, which all
// processors share. Events that the session makes itself come when it gets to
// know what they tell: Lost often behind events that are later than what was
// lost. Attached is the first of all, unless what begin probes say fills the
// buffer before.
//
// While a call lasts nothing is read from the event buffer. A Sink that is too
// slow, or waits, lets it fill up; what does not fit then is lost, counted, and
// told by Lost and LostTotal. Programs are never held up.
//
// Events and the values in them are good only during the call; a Snapshot may
// be kept. An error ends the run and is that of Start or Wait. A Sink may call
// Snapshot, Stats, Self, Text, Message and MapText of its Session, no other
// method.
type Sink interface {
	Event(event.Event) error
	// Map is print() of a map, and after event.End every map that is not empty.
	Map(*maps.Snapshot) error
}

// Flusher is implemented by sinks that keep output back.
type Flusher interface {
	// Idle is called when no event is waiting.
	Idle() error
	// Flush is called at the end of the run.
	Flush() error
}

// ErrClosed reports that nobody reads the output any more. The run ends, but
// there is nothing to complain about, and nowhere to.
var ErrClosed = errors.New("output is closed")

// Buffering says when output is written.
type Buffering uint8

// The modes of option -B. All write before the error stream is written to,
// so that a terminal shows things in the order in which they happened.
const (
	LineBuffered Buffering = iota // when no event is waiting, or the buffer is full
	FullBuffered                  // when the buffer is full, and at the end
	Unbuffered                    // after every event
)

// Options configures the sinks of this package.
type Options struct {
	Out, Err  io.Writer
	Buffering Buffering
	// Color marks errors and warnings on the error stream.
	Color bool
	// NoWarnings drops warnf() and run-time warnings.
	NoWarnings bool
	// Quiet drops how many probes are attached.
	Quiet bool
	// Format prints values; it must not be nil.
	Format *Formatter
}

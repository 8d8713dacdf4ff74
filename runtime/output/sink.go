package output

import (
	"errors"
	"io"

	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// Sink receives what a script says. Calls come from one goroutine. Events and
// the values in them are good only during the call. An error ends the run.
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
	// Format prints values; it must not be nil.
	Format *Formatter
}

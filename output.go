package gotrace

import (
	"io"
	"os"

	"github.com/gotrace/gotrace/runtime/output"
)

// Sink receives what a script says, by its methods Event(Event) error and
// Map(*Snapshot) error. They are called one at a time while Start or Wait runs,
// not always from one goroutine; nothing is read from the kernel meanwhile. An
// Event is valid only until the method returns, a Snapshot may be kept. An error
// ends the run. A Sink may call what a Session allows from any goroutine, but
// not Close; see package runtime/output for the order of the calls.
type Sink = output.Sink

// Flusher is implemented by a Sink that keeps output back: Idle() error is called
// when no event is waiting, Flush() error at the end of the run.
type Flusher = output.Flusher

// Output says where a run without a Sink prints, and in which form.
type Output struct {
	// Out gets what the script prints, Err messages; nil: the standard streams.
	Out, Err io.Writer
	// JSON prints objects, one a line, instead of text.
	JSON bool
	// Quiet leaves out how many probes are attached.
	Quiet bool
	// NoWarnings leaves out warnf() and run-time warnings.
	NoWarnings bool
	// Color marks errors and warnings on Err.
	Color     bool
	Buffering Buffering
}

// given reports whether any field is set.
func (o *Output) given() bool {
	return o.Out != nil || o.Err != nil || o.JSON || o.Quiet || o.NoWarnings || o.Color || o.Buffering != LineBuffered
}

// Buffering says when text output is written.
type Buffering = output.Buffering

// The modes of buffering.
const (
	LineBuffered = output.LineBuffered
	FullBuffered = output.FullBuffered
	Unbuffered   = output.Unbuffered
)

// sink returns the Sink of the options, or one that writes text or JSON.
func (ro *RunOptions) sink(f *output.Formatter) output.Sink {
	if ro.Sink != nil {
		return ro.Sink
	}
	o := output.Options{
		Out: ro.Output.Out, Err: ro.Output.Err, Format: f, Quiet: ro.Output.Quiet, NoWarnings: ro.Output.NoWarnings,
		Color: ro.Output.Color, Buffering: ro.Output.Buffering,
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	if ro.Output.JSON {
		return output.NewJSON(o)
	}
	return output.NewText(o)
}

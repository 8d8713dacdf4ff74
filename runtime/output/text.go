package output

import (
	"strconv"
	"time"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// Text is the Sink of the format text.
type Text struct {
	writer
	message []byte // reused
}

var _ interface {
	Sink
	Flusher
} = (*Text)(nil)

// NewText returns a sink that prints text.
func NewText(o Options) *Text { return &Text{writer: writer{opt: o}} }

// Map prints a map.
func (t *Text) Map(s *maps.Snapshot) error {
	t.buf = t.opt.Format.AppendMap(t.buf, s)
	return t.done()
}

// Event prints e. Requests to the session (print of a map, clear, exit, …) have
// no text.
func (t *Text) Event(e event.Event) error {
	f := t.opt.Format
	switch e := e.(type) {
	case *event.Printf:
		t.buf = f.AppendText(t.buf, e.Text)
	case *event.Print:
		t.buf = append(f.AppendValue(t.buf, e.Value), '\n')
	case *event.Time:
		t.buf = appendTime(t.buf, e.Format, f.local(time.Now()))
	case *event.Join:
		t.buf = append(appendJoin(t.buf, e), '\n')
	case *event.Output:
		t.buf = append(t.buf, e.Data...)
		if e.From == event.FromSystem {
			t.buf = append(t.buf, '\n')
		}
	case *event.Pinned:
		t.buf = append(append(append(t.buf, "Program pinned to "...), e.Path...), '\n')
	case *event.End:
		t.buf = append(t.buf, "\n\n"...)
	case *event.TestsBegin, *event.TestBegin, *event.TestResult, *event.TestsEnd, *event.Bench:
		t.buf = appendReport(t.buf, e)
	default:
		return t.messageEvent(e)
	}
	return t.done()
}

// messageEvent prints what goes to the error stream.
func (t *Text) messageEvent(e event.Event) error {
	f, color := t.opt.Format, t.opt.Color
	t.message = t.message[:0]
	switch e := e.(type) {
	case *event.Message:
		if e.Severity != diag.Warning || !t.opt.NoWarnings {
			t.message = f.appendMessage(t.message, e, color)
		}
	case *event.Warning:
		if !t.opt.NoWarnings {
			t.message = appendWarning(t.message, e, color)
		}
	case *event.HelperError:
		if !t.opt.NoWarnings {
			t.message = appendHelperError(t.message, e, color)
		}
	case *event.StackLost:
		if !t.opt.NoWarnings {
			t.message = appendWarning(t.message, &event.Warning{Msg: stackLostMessage(e), Pos: e.Pos}, color)
		}
	case *event.Failure:
		t.message = appendHead(t.message, nil, diag.Error, e.Msg, color)
	case *event.Lost:
		t.message = strconv.AppendUint(append(t.message, "Lost "...), e.Count, 10)
		t.message = append(t.message, " events\n"...)
	case *event.LostTotal:
		if !t.opt.NoWarnings {
			t.message = appendLostTotal(t.message, e, color)
		}
	case *event.Attached:
		if !t.opt.Quiet {
			t.message = appendCount(append(t.message, "Attached "...), e.Probes, "probe")
			t.message = append(t.message, '\n')
		}
	}
	if len(t.message) == 0 {
		return nil
	}
	return t.report(t.message)
}

func appendJoin(dst []byte, e *event.Join) []byte {
	for i, word := range e.Words {
		if i > 0 {
			dst = append(dst, e.Separator...)
		}
		dst = append(dst, word...)
	}
	return dst
}

// appendCount writes "1 noun" or "2 nouns".
func appendCount(dst []byte, n int, noun string) []byte {
	dst = append(append(strconv.AppendInt(dst, int64(n), 10), ' '), noun...)
	if n != 1 {
		dst = append(dst, 's')
	}
	return dst
}

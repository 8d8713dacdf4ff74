package output

import (
	"strconv"
	"time"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// JSON is the Sink of the format json: one object a line.
type JSON struct {
	writer
}

var _ interface {
	Sink
	Flusher
} = (*JSON)(nil)

// NewJSON returns a sink that prints JSON.
func NewJSON(o Options) *JSON { return &JSON{writer{opt: o}} }

// Map prints a map; nothing for an empty one with keys.
func (j *JSON) Map(s *maps.Snapshot) error {
	if len(entries(s)) == 0 {
		return nil
	}
	j.open(mapRecord(s))
	j.buf = append(j.opt.Format.appendMapJSON(append(j.buf, `, "data": {`...), s), '}')
	return j.close()
}

// Event prints e. Requests to the session have no record.
func (j *JSON) Event(e event.Event) error {
	f := j.opt.Format
	switch e := e.(type) {
	case *event.Printf:
		f.scratch = f.AppendText(f.scratch[:0], e.Text)
		return j.text("printf", f.scratch)
	case *event.Print:
		j.open("value")
		j.buf = f.AppendJSON(append(j.buf, `, "data": `...), e.Value)
		return j.close()
	case *event.Time:
		f.scratch = appendTime(f.scratch[:0], e.Format, f.local(time.Now()))
		return j.text("time", f.scratch)
	case *event.Join:
		f.scratch = appendJoin(f.scratch[:0], e)
		return j.text("join", f.scratch)
	case *event.Output:
		if e.From == event.FromSystem {
			return j.text("syscall", e.Data)
		}
		return j.text("cat", e.Data)
	case *event.Lost:
		return j.lost(e.Count)
	case *event.Attached:
		if j.opt.Quiet {
			return nil
		}
		return j.count("attached_probes", "probes", uint64(e.Probes))
	case *event.TestResult:
		return j.testResult(e)
	case *event.Bench:
		return j.bench(e.Results)
	}
	return j.messageEvent(e)
}

func (j *JSON) messageEvent(e event.Event) error {
	f := j.opt.Format
	switch e := e.(type) {
	case *event.Message:
		kind := "errorf"
		if e.Severity == diag.Warning {
			if j.opt.NoWarnings {
				return nil
			}
			kind = "warnf"
		}
		f.scratch = f.AppendText(f.scratch[:0], e.Text)
		j.open(kind)
		j.msg(f.scratch)
		return j.closeAt(e.Pos)
	case *event.Warning:
		if j.opt.NoWarnings {
			return nil
		}
		j.open("runtime_error")
		j.msg([]byte(e.Msg))
		return j.closeAt(e.Pos)
	case *event.StackLost:
		if j.opt.NoWarnings {
			return nil
		}
		j.open("runtime_error")
		j.msg([]byte(stackLostMessage(e)))
		return j.closeAt(e.Pos)
	case *event.HelperError:
		if j.opt.NoWarnings {
			return nil
		}
		return j.helperError(e)
	case *event.LostTotal: // text, as bpftrace has it
		if j.opt.NoWarnings {
			return nil
		}
		return j.report(appendLostTotal(nil, e, j.opt.Color))
	case *event.Failure: // text, as bpftrace has it
		return j.report(appendHead(nil, nil, diag.Error, e.Msg, j.opt.Color))
	}
	return nil
}

// open starts a record, close ends it.
func (j *JSON) open(kind string) {
	j.buf = append(append(append(j.buf, `{"type": "`...), kind...), '"')
}

func (j *JSON) close() error {
	j.buf = append(j.buf, "}\n"...)
	return j.done()
}

func (j *JSON) text(kind string, text []byte) error {
	j.open(kind)
	j.buf = appendQuoted(append(j.buf, `, "data": `...), text)
	return j.close()
}

func (j *JSON) count(kind, noun string, n uint64) error {
	j.open(kind)
	j.buf = strconv.AppendUint(append(j.buf, `, "count": `...), n, 10)
	j.buf = append(append(append(j.buf, `, "data": {"`...), noun...), `": `...)
	j.buf = append(strconv.AppendUint(j.buf, n, 10), '}')
	return j.close()
}

// lost has the members of count the other way round: their order has no
// meaning, but the conformance set asks for it.
func (j *JSON) lost(n uint64) error {
	j.open("lost_events")
	j.buf = strconv.AppendUint(append(j.buf, `, "data": {"events": `...), n, 10)
	j.buf = strconv.AppendUint(append(j.buf, `}, "count": `...), n, 10)
	return j.close()
}

func (j *JSON) msg(text []byte) {
	j.buf = appendQuoted(append(j.buf, `, "msg": `...), text)
}

// closeAt ends a record with the place in the script.
func (j *JSON) closeAt(pos *object.Position) error {
	if pos != nil {
		j.buf = appendQuoted(append(j.buf, `, "filename": `...), []byte(pos.File))
		j.buf = strconv.AppendInt(append(j.buf, `, "line": `...), int64(pos.Line), 10)
		j.buf = strconv.AppendInt(append(j.buf, `, "col": `...), int64(pos.Col), 10)
	}
	return j.close()
}

func (j *JSON) helperError(e *event.HelperError) error {
	j.open("helper_error")
	j.msg([]byte(errorText(e.Code)))
	j.buf = appendQuoted(append(j.buf, `, "helper": `...), []byte(e.Helper))
	j.buf = strconv.AppendInt(append(j.buf, `, "retcode": `...), e.Code, 10)
	return j.closeAt(e.Pos)
}

func (j *JSON) testResult(e *event.TestResult) error {
	j.open("test_result")
	j.buf = appendQuoted(append(j.buf, `, "data": {`...), []byte(e.Name))
	j.buf = strconv.AppendInt(append(j.buf, `: {"duration": `...), int64(e.Duration), 10)
	j.buf = strconv.AppendBool(append(j.buf, `, "passed": `...), e.Passed)
	j.buf = appendQuoted(append(j.buf, `, "output": `...), []byte(e.Output))
	j.buf = append(j.buf, "}}"...)
	return j.close()
}

func (j *JSON) bench(results []event.BenchResult) error {
	for i := range results {
		r := &results[i]
		j.open("benchmark_result")
		j.buf = appendQuoted(append(j.buf, `, "data": {`...), []byte(r.Name))
		j.buf = strconv.AppendInt(append(j.buf, `: {"average": `...), int64(r.Average), 10)
		j.buf = strconv.AppendUint(append(j.buf, `, "iters": `...), r.Iterations, 10)
		j.buf = append(j.buf, "}}"...)
		if err := j.close(); err != nil {
			return err
		}
	}
	return nil
}

package event

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/lang/types"
)

// ErrMalformed is what errors about records that do not fit their description
// wrap.
var ErrMalformed = errors.New("malformed event record")

// Decoder decodes the records of one object. It is not safe for concurrent use.
type Decoder struct {
	kinds []kind
}

// kind is the prepared form of an object.Record: the event that is filled anew
// for each record, and how.
type kind struct {
	size   int // bytes of a record
	fields []layout.Field
	args   []layout.Value // backs the arguments of event
	event  Event
	// fill stores what is not in args in the event; nil: nothing.
	fill func(args []layout.Value) error
}

// NewDecoder prepares the records of o. The error names a record that can not
// be decoded: a format that does not parse, or with another number of
// conversions than arguments.
func NewDecoder(o *object.Object) (*Decoder, error) {
	d := &Decoder{kinds: make([]kind, len(o.Records))}
	for i, r := range o.Records {
		k, err := newKind(r)
		if err != nil {
			return nil, fmt.Errorf("event record %d: %w", i, err)
		}
		d.kinds[i] = k
	}
	return d, nil
}

// Decode returns the event in raw, which is good until the next call and as
// long as raw is. The error wraps ErrMalformed.
func (d *Decoder) Decode(raw []byte) (Event, error) {
	if len(raw) < layout.HeaderSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(raw))
	}
	id := binary.NativeEndian.Uint32(raw)
	if uint64(id) >= uint64(len(d.kinds)) {
		return nil, fmt.Errorf("%w: no record %d", ErrMalformed, id)
	}
	k := &d.kinds[id]
	if len(raw) < k.size {
		return nil, fmt.Errorf("%w: record %d has %d of %d bytes", ErrMalformed, id, len(raw), k.size)
	}
	for i := range k.fields {
		f := &k.fields[i]
		k.args[i].Raw = raw[f.Off : f.Off+f.Size]
	}
	if k.fill != nil {
		if err := k.fill(k.args); err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrMalformed, id, err)
		}
	}
	return k.event, nil
}

func newKind(r *object.Record) (kind, error) {
	k := kind{size: layout.HeaderSize, fields: r.Layout.Fields}
	for _, f := range r.Layout.Fields {
		if f.Type == nil || f.Off < layout.HeaderSize || f.Size < f.Type.Size() {
			return kind{}, fmt.Errorf("field of %d bytes at %d is too small", f.Size, f.Off)
		}
		k.size = max(k.size, f.Off+f.Size)
		k.args = append(k.args, layout.Value{Type: f.Type})
	}
	var err error
	switch r.Action {
	case types.ActPrintf, types.ActErrorf, types.ActWarnf, types.ActCat, types.ActSystem:
		err = k.textEvent(r)
	case types.ActPrintMap, types.ActClear, types.ActZero:
		err = k.mapEvent(r)
	default:
		err = k.otherEvent(r)
	}
	return k, err
}

func (k *kind) textEvent(r *object.Record) error {
	items, err := printf.Parse(r.Format)
	if err != nil {
		return err
	}
	conversions := 0
	for _, it := range items {
		if it.Verb != 0 {
			conversions++
		}
	}
	if err := k.needArgs(conversions); err != nil {
		return fmt.Errorf("format %q: %w", r.Format, err)
	}
	text := Text{Items: items, Args: k.args}
	switch r.Action {
	case types.ActPrintf:
		k.event = &Printf{text}
	case types.ActErrorf:
		k.event = &Message{text, diag.Error, &r.Pos}
	case types.ActWarnf:
		k.event = &Message{text, diag.Warning, &r.Pos}
	case types.ActCat:
		k.event = &Cat{text}
	default:
		k.event = &System{text}
	}
	return nil
}

func (k *kind) mapEvent(r *object.Record) error {
	switch r.Action {
	case types.ActPrintMap:
		k.event = &PrintMap{Map: r.Map, Top: r.Top, Div: r.Div}
	case types.ActClear:
		k.event = &Clear{Map: r.Map}
	default:
		k.event = &Zero{Map: r.Map}
	}
	return k.needArgs(0)
}

func (k *kind) otherEvent(r *object.Record) error {
	args := 1
	switch r.Action {
	case types.ActPrint:
		e := new(Print)
		k.event, k.fill = e, func(a []layout.Value) error { e.Value = a[0]; return nil }
	case types.ActExit:
		e := new(Exit)
		k.event, k.fill = e, func(a []layout.Value) error { e.Code = a[0].Int(); return nil }
	case types.ActTime:
		k.event, args = &Time{Format: r.Format}, 0
	case types.ActJoin:
		e := &Join{Separator: r.Format}
		k.event, k.fill = e, func(a []layout.Value) error { return e.fill(a[0]) }
	case types.ActWarning:
		k.event, args = &Warning{Msg: r.Format, Pos: &r.Pos}, 0
	case types.ActHelper:
		e := &HelperError{Helper: r.Format, Pos: &r.Pos}
		k.event, k.fill = e, func(a []layout.Value) error { e.Code = a[0].Int(); return nil }
	case types.ActStackLost:
		e := &StackLost{Pos: &r.Pos}
		k.event, k.fill = e, func(a []layout.Value) error { e.Code = a[0].Int(); return nil }
	case types.ActUnwatch:
		e := new(Unwatch)
		k.event, k.fill = e, func(a []layout.Value) error { e.Address = a[0].Uint(); return nil }
	default:
		return fmt.Errorf("unknown action %d", r.Action)
	}
	return k.needArgs(args)
}

func (k *kind) needArgs(n int) error {
	if len(k.args) != n {
		return fmt.Errorf("%d arguments, want %d", len(k.args), n)
	}
	return nil
}

// fill cuts the words out of a join argument; see layout.JoinData.
func (e *Join) fill(v layout.Value) error {
	n := v.Uint64At(layout.JoinCount)
	if n > types.JoinMax || len(v.Raw) < layout.JoinSize {
		return fmt.Errorf("%d strings in %d bytes", n, len(v.Raw))
	}
	e.Words = e.Words[:0]
	for words := v.Raw[layout.JoinData:]; n > 0; n-- {
		word := words[:types.JoinCap]
		if end := bytes.IndexByte(word, 0); end >= 0 {
			word = word[:end]
		}
		e.Words = append(e.Words, word)
		words = words[types.JoinCap:]
	}
	return nil
}

package session

import (
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
	"github.com/gotrace/gotrace/runtime/output"
)

// Text is a value as print() shows it: the key or the value of an element of a
// Snapshot, or what an Event has. Stacks, symbols, user names, cgroups and
// timestamps get their names here; what the script stores is a number. Names of
// a process are known while it runs, or if they were asked for before. Stacks
// are kept in the kernel: after Close they read as lost.
func (s *Session) Text(v layout.Value) string {
	return s.formatted(func(f *output.Formatter) []byte { return f.AppendValue(nil, v) })
}

// Message is the text of an event of printf(), errorf() or warnf(), of which it
// is the field Text.
func (s *Session) Message(t event.Text) string {
	return s.formatted(func(f *output.Formatter) []byte { return f.AppendText(nil, t) })
}

// MapText is a map as print() shows it: a line for each element, histograms
// drawn.
func (s *Session) MapText(snap *maps.Snapshot) string {
	return s.formatted(func(f *output.Formatter) []byte { return f.AppendMap(nil, snap) })
}

// formatted calls f with a formatter of its own: the Sink may use that of the
// options at the same time.
func (s *Session) formatted(f func(*output.Formatter) []byte) string {
	s.texts.Lock()
	defer s.texts.Unlock()
	return string(f(&s.format))
}

package output

import (
	"time"

	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// Symbols names addresses. *symbol.Printer is one.
type Symbols interface {
	AppendKernelStack(dst []byte, mode symbol.Mode, addrs []uint64) []byte
	AppendUserStack(dst []byte, mode symbol.Mode, proc symbol.Process, addrs []uint64) []byte
	AppendKernelSymbol(dst []byte, addr uint64) []byte
	AppendUserSymbol(dst []byte, proc symbol.Process, addr uint64) []byte
}

// Formatter appends values as text or JSON. It is not safe for concurrent use.
// Where a source of names is nil, values print as if it did not know the name.
type Formatter struct {
	Symbols Symbols
	// Stack returns the frames of the stack with a hash (layout.StackHash) from
	// the stack map of type t: addresses or build ids, see layout.StackEntry;
	// nil for a stack that the map does not hold, which prints as lost.
	Stack func(t types.Stack, hash uint64) []byte
	// UserName is symbol.Users.Name.
	UserName func(uid uint32) (string, bool)
	// CgroupPath is that of symbol.Cgroups.Path.
	CgroupPath func(id uint64, filter string) (string, error)
	// Program is the executable that user symbols are looked up in when the
	// process is gone; may be empty.
	Program string
	// Strings is object.Object.Strings.
	Strings []string
	// Trailer stands behind truncated strings (str_trunc_trailer).
	Trailer string
	// Clock turns kernel stamps into wall clock time, Location is the time zone
	// (nil: UTC).
	Clock    Clock
	Location *time.Location

	frames  []uint64 // reused
	scratch []byte   // reused by the JSON form
}

// text returns string i of the object.
func (f *Formatter) text(i uint64) string {
	if i < uint64(len(f.Strings)) {
		return f.Strings[i]
	}
	return ""
}

func (f *Formatter) local(t time.Time) time.Time {
	if f.Location == nil {
		return t.UTC()
	}
	return t.In(f.Location)
}

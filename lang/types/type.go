// Package types declares the types of the language.
//
// A Type is immutable. Types that are small values (Int, Bool, …) compare with
// ==; use Equal for the rest. Sizes are those of a value in memory: on the eBPF
// stack, in a map and in an event record alike, in the byte order of the
// machine, fields aligned as in C.
package types

import (
	"fmt"
	"strings"
	"sync"
)

// Type is a type of the language.
type Type interface {
	// Size is the size of a value in bytes.
	Size() int
	// Align is the alignment of a value in bytes: 1, 2, 4 or 8.
	Align() int
	// String is the text that diagnostics and typeinfo show.
	String() string
}

// Void is "no value", and the target of untyped pointers.
type Void struct{}

// Bool is true or false, one byte.
type Bool struct{}

// Int is an integer of 8, 16, 32 or 64 bits.
type Int struct {
	Bits   int
	Signed bool
}

// String is text in Cap bytes, the zero byte included. Bytes behind the zero
// byte are undefined, except in map keys, where they are zero.
type String struct {
	Cap int
	// Trunc tells that text which filled the capacity was cut when it was read
	// and is printed with str_trunc_trailer.
	Trunc bool
}

// Buffer is a length (uint32) and up to Cap-4 bytes.
type Buffer struct{ Cap int }

// Space is the address space that a pointer's target lies in.
type Space uint8

// The address spaces. ByAddress leaves the choice to the value: the lower half
// of the addresses is the user's.
const (
	NoSpace Space = iota // tries kernel, then user
	Kernel
	User
	ByAddress
	Local // the program's own memory: &$x, &@m
)

// Pointer is an address.
type Pointer struct {
	Elem  Type
	Space Space
	// BTF tells that the verifier knows the pointer's target by BTF, so that it
	// can be read without a helper.
	BTF bool
}

// Array is Len elements.
type Array struct {
	Elem Type
	Len  int
}

// Enum is an integer with names for some values.
type Enum struct {
	Name   string // without "enum ", "" when anonymous
	Bytes  int
	Signed bool
	Values []EnumValue
}

// EnumValue is one name of an Enum.
type EnumValue struct {
	Name  string
	Value int64
}

// Field is a member of a Struct.
type Field struct {
	Name   string // "" for an anonymous member or a tuple element
	Type   Type
	Offset int // bytes from the start of the struct
	// BitSize is the width of a bit-field, else 0. BitOffset counts from the
	// least significant bit of the Type-sized word at Offset.
	BitOffset, BitSize int
}

// StructKind tells where a Struct comes from and how it is printed.
type StructKind uint8

// The kinds of Struct.
const (
	CStruct StructKind = iota
	CUnion
	TupleKind
	RecordKind
	ArgsKind // the arguments of a probe
)

// Struct is a C struct or union, a tuple or a record. C types load their
// fields on first use, as kernel types refer to one another without end.
type Struct struct {
	Kind  StructKind
	Name  string // C tag, "" when anonymous
	Bytes int
	align int
	parts int // see Parts

	fields []Field
	load   func() []Field
	once   *sync.Once
}

// NewStruct returns a C struct or union whose fields are asked for on first
// use. load must be safe for concurrent use with itself.
func NewStruct(kind StructKind, name string, size, align int, load func() []Field) *Struct {
	return &Struct{Kind: kind, Name: name, Bytes: size, align: align, load: load, once: new(sync.Once)}
}

// NewArgs returns the record of a probe's arguments: names and types without
// an own place in memory.
func NewArgs(fields []Field) *Struct {
	return &Struct{Kind: ArgsKind, align: 1, fields: fields}
}

// NewTuple lays out a tuple (names nil) or a record: each element at its
// natural alignment, the total rounded up to the largest one.
func NewTuple(names []string, elems []Type) *Struct {
	s := &Struct{Kind: TupleKind, align: 1}
	if names != nil {
		s.Kind = RecordKind
	}
	for i, t := range elems {
		f := Field{Type: t, Offset: roundUp(s.Bytes, t.Align())}
		if names != nil {
			f.Name = names[i]
		}
		s.align = max(s.align, t.Align())
		s.parts += parts(t)
		s.Bytes = f.Offset + t.Size()
		s.fields = append(s.fields, f)
	}
	s.Bytes = roundUp(s.Bytes, s.align)
	return s
}

// Parts returns how many values a tuple or record holds, those of tuples in it
// counted one by one.
func (s *Struct) Parts() int { return s.parts }

func parts(t Type) int {
	if s, ok := t.(*Struct); ok && s.IsTuple() {
		return max(1, s.parts)
	}
	return 1
}

// Fields returns the members in the order of declaration.
func (s *Struct) Fields() []Field {
	if s.load != nil {
		s.once.Do(func() { s.fields = s.load() })
	}
	return s.fields
}

// IsTuple reports whether s is a tuple or a record.
func (s *Struct) IsTuple() bool { return s.Kind == TupleKind || s.Kind == RecordKind }

// Lookup finds a member by name, also inside anonymous members; the offset of
// the result counts from the start of s.
func (s *Struct) Lookup(name string) (Field, bool) {
	for _, f := range s.Fields() {
		if f.Name == name && name != "" {
			return f, true
		}
		if inner, ok := f.Type.(*Struct); ok && f.Name == "" && !s.IsTuple() {
			if g, ok := inner.Lookup(name); ok {
				g.Offset += f.Offset
				return g, true
			}
		}
	}
	return Field{}, false
}

// OpaqueKind is a kind of value that is stored in a form of its own and turned
// into text when printed.
type OpaqueKind uint8

// The opaque kinds and what their bytes hold.
const (
	Inet       OpaqueKind = iota // address family uint64 (2 or 10), then 16 bytes of address: 24
	MAC                          // six bytes
	Timestamp                    // nanoseconds uint64, then uint32 clock (0 boot, 1 tai), uint32 id of the format: 16
	Username                     // uid uint64
	CgroupPath                   // cgroup id uint64, uint64 id of the filter string: 16
	KSym                         // address uint64
	USym                         // address uint64, process id uint32, uint32 zero: 16
)

// Opaque is a value of an OpaqueKind.
type Opaque struct{ Kind OpaqueKind }

// StackMode is how the frames of a stack are printed.
type StackMode uint8

// The stack modes.
const (
	StackBpftrace StackMode = iota
	StackPerf
	StackRaw
	StackBuildID
)

// Stack is a kernel or user stack. Its value refers to an entry of the
// object's stack map, keyed by the first 8 bytes: hash uint64 (0: no stack),
// process id uint32, number of frames uint32.
type Stack struct {
	User  bool
	Dwarf bool // dw_ustack
	Mode  StackMode
	Limit int // frames
}

// AggKind is an aggregation.
type AggKind uint8

// The aggregations.
const (
	Count AggKind = iota
	Sum
	Min
	Max
	Avg
	Stats
	Hist
	LHist
	TSeries
)

// Agg is the value type of a map that holds an aggregation, kept per CPU.
// See package layout for what the bytes hold.
type Agg struct {
	Kind   AggKind
	Signed bool // sum, min, max, avg, stats, tseries: of the argument
	// Bits is the second argument of hist.
	Bits int
	// Min, Max and Step are the arguments of lhist.
	Min, Max, Step int64
	// Interval (ns), Buckets and Inner are the arguments of tseries; Inner is
	// Avg, Max, Min or Sum, or Count for "the last value".
	Interval int64
	Buckets  int
	Inner    AggKind
}

func roundUp(n, align int) int { return (n + align - 1) / align * align }

func (Void) Size() int     { return 0 }
func (Bool) Size() int     { return 1 }
func (t Int) Size() int    { return t.Bits / 8 }
func (t String) Size() int { return t.Cap }
func (t Buffer) Size() int { return t.Cap }
func (Pointer) Size() int  { return 8 }
func (t Array) Size() int  { return t.Len * t.Elem.Size() }
func (t *Enum) Size() int  { return t.Bytes }
func (s *Struct) Size() int {
	return s.Bytes
}
func (Stack) Size() int { return 16 }

// Size returns the sizes listed at the OpaqueKinds.
func (t Opaque) Size() int {
	switch t.Kind {
	case Inet:
		return 24
	case MAC:
		return 6
	case Username, KSym:
		return 8
	}
	return 16
}

// Size returns the bytes that one CPU's part takes.
func (t Agg) Size() int {
	switch t.Kind {
	case Hist, LHist:
		return 8 * t.NumBuckets()
	case TSeries:
		return 8 + 24*t.Buckets // see layout: latest epoch, then epoch, value, count each
	case Count, Sum:
		return 8
	}
	return 16 // a value and a count
}

// NumBuckets is the number of counters of a hist or lhist.
func (t Agg) NumBuckets() int {
	if t.Kind == LHist {
		return int((t.Max-t.Min)/t.Step) + 2
	}
	return ((64 - t.Bits) << t.Bits) + 2
}

func (Void) Align() int    { return 1 }
func (Bool) Align() int    { return 1 }
func (t Int) Align() int   { return t.Bits / 8 }
func (String) Align() int  { return 1 }
func (Buffer) Align() int  { return 4 }
func (Pointer) Align() int { return 8 }
func (t Array) Align() int { return t.Elem.Align() }
func (t *Enum) Align() int { return t.Bytes }
func (s *Struct) Align() int {
	return max(1, s.align)
}
func (Stack) Align() int { return 8 }
func (Agg) Align() int   { return 8 }

// Align returns 8, and 1 for a hardware address.
func (t Opaque) Align() int {
	if t.Kind == MAC {
		return 1
	}
	return 8
}

func (Void) String() string { return "void" }
func (Bool) String() string { return "bool" }
func (t Int) String() string {
	if t.Signed {
		return fmt.Sprintf("int%d", t.Bits)
	}
	return fmt.Sprintf("uint%d", t.Bits)
}
func (t String) String() string  { return fmt.Sprintf("string[%d]", t.Cap) }
func (t Buffer) String() string  { return fmt.Sprintf("buffer[%d]", t.Cap) }
func (t Pointer) String() string { return t.Elem.String() + " *" }
func (t Array) String() string   { return fmt.Sprintf("%s[%d]", t.Elem, t.Len) }
func (t *Enum) String() string   { return "enum " + t.Name }

func (s *Struct) String() string {
	switch s.Kind {
	case CStruct:
		return "struct " + s.Name
	case CUnion:
		return "union " + s.Name
	case ArgsKind:
		return "args"
	}
	var parts []string
	for _, f := range s.fields {
		if s.Kind == RecordKind {
			parts = append(parts, "."+f.Name+" = "+f.Type.String())
		} else {
			parts = append(parts, f.Type.String())
		}
	}
	if s.Kind == RecordKind {
		return "record { " + strings.Join(parts, ", ") + " }"
	}
	return "(" + strings.Join(parts, ",") + ")"
}

func (t Opaque) String() string {
	switch t.Kind {
	case Inet:
		return "inet[24]"
	case MAC:
		return "mac_address"
	case Timestamp:
		return "timestamp"
	case Username:
		return "username_t"
	case CgroupPath:
		return "cgroup_path_t"
	case KSym:
		return "ksym_t"
	}
	return "usym_t"
}

// String returns the name of the mode, as the stack_mode setting has it.
func (m StackMode) String() string {
	switch m {
	case StackPerf:
		return "perf"
	case StackRaw:
		return "raw"
	case StackBuildID:
		return "build_id"
	}
	return "bpftrace"
}

func (t Stack) String() string {
	name := "kstack"
	if t.User {
		name = "ustack"
	}
	return fmt.Sprintf("%s_%s_%d", name, t.Mode, t.Limit)
}

// String returns the name of the type, such as usum_t.
func (t Agg) String() string {
	name := [...]string{"count_t", "sum_t", "min_t", "max_t", "avg_t", "stats_t", "hist_t", "lhist_t", "tseries_t"}[t.Kind]
	switch t.Kind {
	case Sum, Min, Max, Avg, Stats:
		if !t.Signed {
			return "u" + name
		}
	}
	return name
}

// Package cdecl reads the C definitions and preprocessor lines at the top of a
// script, and the headers that they include.
//
// Input is the verbatim text of each definition, in order; output are the
// types, enum constants and macros that they declare, as types of the language,
// laid out as gcc does on 64-bit little-endian Linux. It is no C compiler: a
// preprocessor, declarations, and integer constant expressions. Functions and
// variables, which only headers may have, are passed over.
//
// What a program does not define itself is asked of Options.Kernel, and not
// before it matters: a script whose definitions name no kernel type costs no
// BTF. Input is hostile: nesting, expansion, sizes and the number of errors are
// bounded.
package cdecl

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// Kernel is where types come from that the program does not define;
// *ktypes.Kernel is one.
type Kernel interface {
	// Available is nil when the kernel's types are known.
	Available() error
	Named(name string) (types.Type, bool)
	Struct(tag string) (*types.Struct, bool)
	Union(tag string) (*types.Struct, bool)
	Enum(tag string) (*types.Enum, bool)
	EnumConst(name string) (*types.Enum, int64, bool)
}

// Options say where headers and other types are found.
type Options struct {
	// Files has the script; headers are added to it.
	Files *source.Set
	// Kernel may be nil: nothing is known of a kernel.
	Kernel Kernel
	// Arch is the machine in the words of GOARCH: amd64 or arm64.
	Arch string
	// KernelVersion is LINUX_VERSION_CODE: major<<16 | minor<<8 | patch.
	KernelVersion uint32
	// Before are headers to read before the definitions (--include), After
	// those to read behind them (import of a .h file). Relative paths start
	// at the working directory, then at Include.
	Before, After []string
	// Include are the directories given with -I, System the usual ones (see
	// SystemDirs), in the order in which they are searched.
	Include, System []string
	// ReadFile reads a header; nil: there are none.
	ReadFile func(path string) ([]byte, error)
}

// Macro is the value of an object-like macro.
type Macro struct {
	Name string
	// Text is the value, without comments and line continuations, "" when
	// there is none. Whether it is an expression is up to the reader.
	Text string
	// Span is the value in the source; where Text equals the source text,
	// positions in Text map to it.
	Span source.Span
}

// Result is what a set of definitions declares. It is safe for concurrent use.
type Result struct{ u *unit }

// Parse reads definitions. The result is never nil; it holds what could be
// read before and between errors. All errors have the code diag.CDefinition.
func Parse(defs []*ast.CDef, opts Options) (*Result, *diag.List) {
	u := newUnit(opts)
	for _, name := range opts.Before {
		u.pp.includeFile(name)
	}
	for _, d := range defs {
		u.pp.chunk(d.Text, d.Span.Start)
	}
	for _, name := range opts.After {
		u.pp.includeFile(name)
	}
	u.pp.finish()
	p := &parser{unit: u, toks: u.pp.out}
	p.translationUnit()
	return &Result{u}, u.diags
}

// Struct returns the struct that the program defines with a tag.
func (r *Result) Struct(tag string) (*types.Struct, bool) { return r.composite("struct", tag) }

// Union returns the union that the program defines with a tag.
func (r *Result) Union(tag string) (*types.Struct, bool) { return r.composite("union", tag) }

func (r *Result) composite(kind, tag string) (*types.Struct, bool) {
	c, ok := r.u.tags[kind+" "+tag].(*composite)
	if !ok || !c.complete {
		return nil, false
	}
	return c.resolved(), true
}

// Enum returns the enum that the program defines with a tag.
func (r *Result) Enum(tag string) (*types.Enum, bool) {
	e, ok := r.u.tags["enum "+tag].(*enumeration)
	if !ok || e.typ == nil {
		return nil, false
	}
	return e.typ, true
}

// Typedef returns the type that a header of the program gives a name.
func (r *Result) Typedef(name string) (types.Type, bool) {
	t, ok := r.u.typedefs[name]
	if !ok {
		return nil, false
	}
	return t.lang(), true
}

// EnumConst returns the value of an enum constant of the program, and its enum,
// whose Name is "" if it has none.
func (r *Result) EnumConst(name string) (*types.Enum, int64, bool) {
	c, ok := r.u.consts[name]
	if !ok || c.enum.typ == nil {
		return nil, 0, false
	}
	return c.enum.typ, c.value, true
}

// Macro returns the macro that is defined under a name at the end of the
// definitions. Macros with parameters, those that stand for themselves, and the
// predefined ones are not found.
func (r *Result) Macro(name string) (Macro, bool) {
	m, ok := r.u.pp.macros[name]
	if !ok || m.params != nil || m.builtin || m.Text == name {
		return Macro{}, false
	}
	return m.Macro, true
}

// FuncMacro tells where a macro with parameters is defined.
func (r *Result) FuncMacro(name string) (source.Span, bool) {
	m, ok := r.u.pp.macros[name]
	if !ok || m.params == nil || m.builtin {
		return source.Span{}, false
	}
	return m.name, true
}

// HeaderConst returns the value of a well-known constant of the headers that
// the program includes but that gotrace does not read; see WellKnown.
func (r *Result) HeaderConst(name string) (int64, bool) {
	if !r.u.pp.satisfied {
		return 0, false
	}
	return WellKnown(name, r.u.opts.Arch)
}

// maxErrors bounds how many errors are reported.
const maxErrors = 20

// unit is the state of one Parse.
type unit struct {
	opts     Options
	diags    *diag.List
	pp       *preprocessor
	tags     map[string]ctype // "struct foo", "union foo", "enum foo"
	defined  map[string]source.Span
	typedefs map[string]ctype
	consts   map[string]constant
}

type constant struct {
	enum  *enumeration
	value int64
}

func newUnit(opts Options) *unit {
	if opts.Files == nil {
		opts.Files = new(source.Set)
	}
	u := &unit{
		opts:     opts,
		diags:    &diag.List{Files: opts.Files},
		tags:     map[string]ctype{},
		defined:  map[string]source.Span{},
		typedefs: map[string]ctype{},
		consts:   map[string]constant{},
	}
	u.pp = newPreprocessor(u)
	return u
}

// failure is an error with its place, on its way to the list.
type failure struct {
	span source.Span
	msg  string
	note source.Span // the other definition
}

func (f *failure) Error() string { return f.msg }

// report adds a failure, unless it comes from a header of the system, where
// only what the program uses matters.
func (u *unit) report(f *failure, sys bool) {
	if sys || len(u.diags.Diags) >= maxErrors {
		return
	}
	d := u.diags.Errorf(diag.CDefinition, f.span, "%s", f.msg)
	if f.note.IsValid() {
		d.Note(f.note, "previous definition")
	}
}

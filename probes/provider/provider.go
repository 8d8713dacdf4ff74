// Package provider declares what a provider of attach points is: the contract
// between the registry (package probes) and the packages below it.
//
// Input is a Pattern, the parts of one attach point as the script has them,
// and a host.Host with the facts of the machine. Output is target.Target
// values, plain data, and at run time links that hold a program attached.
// Matching reads the Host only; Attach is the one operation that writes to the
// kernel.
package provider

import (
	"io"
	"iter"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
)

// Provider serves one kind of attach point or several closely related ones.
// Implementations hold no state.
type Provider interface {
	// Kinds are the providers of the language that it serves.
	Kinds() []target.Provider
	// Resolve returns the targets that a pattern stands for, at least one when
	// the error is nil; errors are of type *target.Error.
	Resolve(h *host.Host, p *Pattern, opt *target.ResolveOptions) ([]*target.Target, error)
	// List yields what a listing shows for a pattern, in any order. Nothing
	// matched is no error; an error, which comes without an entry, tells what
	// could not be looked at. So does opt.Warn.
	List(h *host.Host, p *Pattern, opt *target.ResolveOptions) iter.Seq2[Entry, error]
	// Spec says how a program for t has to be loaded.
	Spec(h *host.Host, t *target.Target, opt *target.ResolveOptions) LoadSpec
	// Attach attaches one program to all targets, which have equal LoadSpecs.
	// On error nothing stays attached.
	Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *AttachOptions) (io.Closer, error)
}

// Declarer is a Provider that knows the declarations of arguments.
type Declarer interface {
	// Declared returns the arguments of t as they are declared, as in listings.
	Declared(h *host.Host, t *target.Target, opt *target.ResolveOptions) ([]FieldText, error)
}

// Requirer is a Provider that knows what a kernel needs for its probes.
type Requirer interface {
	// Lacks says why a kernel has none such as t, nil if nothing is known to be
	// missing.
	Lacks(h *host.Host, t *target.Target) error
}

// LoadSpec is what the kernel must be told when a program is loaded. It is
// comparable: targets with equal LoadSpecs may share one loaded program.
type LoadSpec struct {
	Type       ebpf.ProgramType
	AttachType ebpf.AttachType
	// AttachTo names the kernel function, BTF tracepoint or iterator; the
	// function of a loaded BPF program when Prog is set.
	AttachTo string
	// Prog is the id of a loaded BPF program that AttachTo is part of.
	Prog  ebpf.ProgramID
	Flags uint32
}

// AttachOptions are facts known only when a session starts.
type AttachOptions struct {
	target.ResolveOptions
	// Child is the process id of the command that the session started, 0: none.
	Child int
	// Refused, if not nil, is told which targets of a wildcard the kernel refuses
	// and why, of any target if Tolerant is set; the others are attached to.
	// Without it they are errors.
	Refused  func(*target.Target, error)
	Tolerant bool
}

// Entry is one attach point of a listing.
type Entry struct {
	Name string
	// Fields reads the arguments, shown in verbose listings as "type name"; nil:
	// there are none.
	Fields func() ([]FieldText, error)
}

// FieldText is an argument in the words of its declaration.
type FieldText struct{ Type, Name string }

// Package ktypes turns the kernel's BTF into types of the language.
//
// Input is a btf.Spec of the kernel, and those of modules on top of it; both
// are loaded when something is first asked for, as a script that names no
// kernel type should not pay for them. Output is types.Type: modifiers and
// typedefs are gone, char[N] is a string, structs load their fields on first
// use. One type of the BTF becomes one *types.Struct or *types.Enum, however
// often and from wherever it is reached. BTF is untrusted: cycles, missing
// sizes and overlong arrays give opaque bytes or void, never a panic.
//
// The struct members of this package leave the address space of their pointers
// at types.NoSpace, "that of the struct it was read from", unless the BTF marks
// them as the user's.
package ktypes

import (
	"sync"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// Vmlinux is the module name of what is built into the kernel.
const Vmlinux = "vmlinux"

// Kernel finds types of one kernel. It is safe for concurrent use.
type Kernel struct {
	load func() (*btf.Spec, error)

	// mu guards everything below and every query of a Spec: a module's Spec
	// decodes types of its base without locking it.
	mu      sync.Mutex
	raw     func() ([]byte, error)
	modules []module
	structs map[btf.Type]*types.Struct
	enums   map[*btf.Enum]*types.Enum
	aligns  map[btf.Type]int
	consts  constIndex
	places  map[fieldName]fieldPlace
}

// module is the BTF of one kernel module; load runs once.
type module struct {
	name string
	load func() (*btf.Spec, error)
}

// New returns the types of a kernel. load is called at most once, when the
// first type is needed.
func New(load func() (*btf.Spec, error)) *Kernel {
	return &Kernel{
		load:    sync.OnceValues(load),
		structs: map[btf.Type]*types.Struct{},
		enums:   map[*btf.Enum]*types.Enum{},
		aligns:  map[btf.Type]int{},
		places:  map[fieldName]fieldPlace{},
	}
}

// UseRaw tells how to read the kernel's BTF as the kernel presents it
// (/sys/kernel/btf/vmlinux). With it, names of enum constants, functions and
// structs are found by a scan of 2 ms, without it by decoding all types, which
// takes 200 ms. read is called at most once.
func (k *Kernel) UseRaw(read func() ([]byte, error)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.raw = sync.OnceValues(read)
}

// AddModule makes types and functions of a kernel module known; those of the
// kernel itself are found first. load is called at most once, and should build
// on the Spec of this Kernel, so that both mean the same types.
func (k *Kernel) AddModule(name string, load func() (*btf.Spec, error)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.modules = append(k.modules, module{name, sync.OnceValues(load)})
}

// Available returns nil when the kernel's BTF can be loaded, else why not.
func (k *Kernel) Available() error {
	_, err := k.load()
	return err
}

// Spec returns the kernel's BTF.
func (k *Kernel) Spec() (*btf.Spec, error) { return k.load() }

// specs returns what can be loaded, the kernel first.
func (k *Kernel) specs() []namedSpec {
	var list []namedSpec
	if s, err := k.load(); err == nil && s != nil {
		list = append(list, namedSpec{Vmlinux, s})
	}
	for _, m := range k.modules {
		if s, err := m.load(); err == nil && s != nil {
			list = append(list, namedSpec{m.name, s})
		}
	}
	return list
}

type namedSpec struct {
	module string
	*btf.Spec
}

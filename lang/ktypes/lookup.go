package ktypes

import (
	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// Named returns the type that a name without tag has: a base type (int, char,
// u32, size_t) or a typedef. The names that mean the same on every kernel are
// known without BTF.
func (k *Kernel) Named(name string) (types.Type, bool) {
	if t, ok := types.CName(name); ok {
		return t, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if t, ok := find[*btf.Typedef](k, name); ok {
		return k.convert(t.typ, types.NoSpace, false), true
	}
	if t, ok := find[*btf.Int](k, name); ok {
		return k.convert(t.typ, types.NoSpace, false), true
	}
	return nil, false
}

// Struct returns the struct with a tag.
func (k *Kernel) Struct(name string) (*types.Struct, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := find[*btf.Struct](k, name)
	if !ok {
		return nil, false
	}
	return k.composite(t.typ), true
}

// Union returns the union with a tag.
func (k *Kernel) Union(name string) (*types.Struct, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := find[*btf.Union](k, name)
	if !ok {
		return nil, false
	}
	return k.composite(t.typ), true
}

// Enum returns the enum with a tag.
func (k *Kernel) Enum(name string) (*types.Enum, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := find[*btf.Enum](k, name)
	if !ok {
		return nil, false
	}
	return k.enum(t.typ), true
}

// FieldOffset returns where a field of a struct lies; path names fields of
// nested structs behind dots. Bit-fields and paths through pointers have no
// place of their own and are not found. Answers are kept, as every one of a
// wildcard's system calls may ask the same.
func (k *Kernel) FieldOffset(structName, path string) (off int, size int, ok bool) {
	name := fieldName{structName, path}
	k.mu.Lock()
	f, known := k.places[name]
	k.mu.Unlock()
	if !known {
		f.off, f.size, f.ok = k.findField(name)
		k.mu.Lock()
		k.places[name] = f
		k.mu.Unlock()
	}
	return f.off, f.size, f.ok
}

type fieldName struct{ structName, path string }

// fieldPlace is an answer of FieldOffset.
type fieldPlace struct {
	off, size int
	ok        bool
}

func (k *Kernel) findField(name fieldName) (off int, size int, ok bool) {
	k.mu.Lock()
	b, isRaw := k.blobOf(namedSpec{module: Vmlinux})
	k.mu.Unlock()
	if isRaw {
		if off, size, ok := b.fieldOffset(name.structName, name.path); ok {
			return off, size, true
		}
	}
	s, ok := k.Struct(name.structName)
	if !ok {
		return 0, 0, false
	}
	return offsetIn(s, name.path)
}

// found is a type with the module that declares it.
type found[T btf.Type] struct {
	typ    T
	module string
}

// find returns the first type of kind T with a name. Kernels have several of
// one name, as files may have private types; the first one is taken.
func find[T btf.Type](k *Kernel, name string) (found[T], bool) {
	if name == "" {
		return found[T]{}, false
	}
	for _, s := range k.specs() {
		list, err := s.AnyTypesByName(name)
		if err != nil {
			continue
		}
		for _, t := range list {
			if t, ok := t.(T); ok {
				return found[T]{t, s.module}, true
			}
		}
	}
	return found[T]{}, false
}

// PerCPU returns the type of a per-CPU variable of the kernel. Only some
// kernels describe variables in their types.
func (k *Kernel) PerCPU(name string) (types.Type, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := find[*btf.Var](k, name)
	if !ok {
		return nil, false
	}
	return k.convert(v.typ.Type, types.Kernel, true), true
}

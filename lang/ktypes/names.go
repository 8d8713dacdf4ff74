package ktypes

import (
	"iter"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// EnumConst finds an enum constant by name and returns its enum, which has no
// name when the kernel declares it without one.
func (k *Kernel) EnumConst(name string) (*types.Enum, int64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if name == "" {
		return nil, 0, false
	}
	for _, s := range k.specs() {
		t := k.enumWith(s, name)
		if t == nil {
			continue
		}
		e := k.enum(t)
		for _, v := range e.Values {
			if v.Name == name {
				return e, v.Value, true
			}
		}
	}
	return nil, 0, false
}

// enumWith returns the first enum of s that has a constant.
func (k *Kernel) enumWith(s namedSpec, name string) *btf.Enum {
	if blob, ok := k.blobOf(s); ok {
		id, ok := k.consts.find(blob, name)
		if !ok {
			return nil
		}
		t, err := s.TypeByID(btf.TypeID(id))
		if err != nil {
			return nil
		}
		e, _ := t.(*btf.Enum)
		return e
	}
	for t, err := range s.All() {
		if err != nil {
			return nil
		}
		if e, ok := t.(*btf.Enum); ok && isWord(int(e.Size)) {
			for i := range e.Values {
				if e.Values[i].Name == name {
					return e
				}
			}
		}
	}
	return nil
}

// blobOf returns the raw BTF of the kernel itself, if it is at hand.
func (k *Kernel) blobOf(s namedSpec) (*blob, bool) {
	if s.module != Vmlinux || k.raw == nil {
		return nil, false
	}
	data, err := k.raw()
	if err != nil {
		return nil, false
	}
	b, err := newBlob(data)
	return b, err == nil
}

// FuncNames goes over the functions that BTF describes, as pairs of module and
// function.
func (k *Kernel) FuncNames() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, s := range k.lockedSpecs() {
			for name := range k.names(s, kindFunc) {
				if !yield(s.module, name) {
					return
				}
			}
		}
	}
}

// StructNames goes over the tags of all structs.
func (k *Kernel) StructNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range k.lockedSpecs() {
			for name := range k.names(s, kindStruct) {
				if !yield(name) {
					return
				}
			}
		}
	}
}

func (k *Kernel) lockedSpecs() []namedSpec {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.specs()
}

// names goes over the names that types of a kind have. The lock is not held
// while the caller has the name.
func (k *Kernel) names(s namedSpec, kind uint32) iter.Seq[string] {
	k.mu.Lock()
	blob, ok := k.blobOf(s)
	k.mu.Unlock()
	if ok {
		return blob.names(kind)
	}
	return func(yield func(string) bool) {
		for _, name := range k.decodedNames(s, kind) {
			if !yield(name) {
				return
			}
		}
	}
}

// decodedNames collects names by decoding every type.
func (k *Kernel) decodedNames(s namedSpec, kind uint32) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []string
	for t, err := range s.All() {
		if err != nil {
			return list
		}
		var is bool
		switch t.(type) {
		case *btf.Func:
			is = kind == kindFunc
		case *btf.Struct:
			is = kind == kindStruct
		}
		if is && t.TypeName() != "" {
			list = append(list, t.TypeName())
		}
	}
	return list
}

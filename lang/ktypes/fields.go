package ktypes

import (
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// composite returns the type of a struct or union.
func (k *Kernel) composite(t btf.Type) *types.Struct {
	if s, ok := k.structs[t]; ok {
		return s
	}
	kind, name, size, members := parts(t)
	load := func() []types.Field {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.fields(members, size)
	}
	s := types.NewStruct(kind, name, size, k.align(t, 0), load)
	k.structs[t] = s
	return s
}

func parts(t btf.Type) (kind types.StructKind, name string, size int, members []btf.Member) {
	if u, ok := t.(*btf.Union); ok {
		return types.CUnion, u.Name, clampSize(u.Size), u.Members
	}
	s, ok := t.(*btf.Struct)
	if !ok {
		return types.CStruct, "", 0, nil
	}
	return types.CStruct, s.Name, clampSize(s.Size), s.Members
}

func clampSize(n uint32) int { return int(min(n, maxArray)) }

// fields converts members. Those outside the struct are dropped: they can only
// come from malformed BTF.
func (k *Kernel) fields(members []btf.Member, size int) []types.Field {
	list := make([]types.Field, 0, len(members))
	for _, m := range members {
		f, ok := types.Field{Name: m.Name, Type: k.convert(m.Type, types.NoSpace, true), Offset: int(m.Offset / 8)}, true
		if m.BitfieldSize > 0 {
			f, ok = types.BitField(m.Name, f.Type, int(m.Offset), int(m.BitfieldSize), size)
		}
		if ok && f.Offset+f.Type.Size() <= size {
			list = append(list, f)
		}
	}
	return list
}

// align returns the alignment of a type: that of its most aligned part, which
// BTF does not state. A struct with a part at an odd place is packed.
func (k *Kernel) align(t btf.Type, depth int) int {
	t, _ = strip(t)
	if depth > maxDepth {
		return 1
	}
	switch t := t.(type) {
	case *btf.Int:
		return wordAlign(int(t.Size))
	case *btf.Float:
		return wordAlign(int(t.Size))
	case *btf.Enum:
		return wordAlign(int(t.Size))
	case *btf.Pointer:
		return 8
	case *btf.Array:
		return k.align(t.Type, depth+1)
	case *btf.Struct, *btf.Union:
		if a, ok := k.aligns[t]; ok {
			return a
		}
		k.aligns[t] = 1 // what a struct inside itself would get
		a := k.memberAlign(t, depth)
		k.aligns[t] = a
		return a
	}
	return 1
}

func (k *Kernel) memberAlign(t btf.Type, depth int) int {
	_, _, size, members := parts(t)
	align := 1
	for _, m := range members {
		a := k.align(m.Type, depth+1)
		if m.BitfieldSize == 0 && int(m.Offset)%(8*a) != 0 {
			return 1
		}
		align = max(align, a)
	}
	if size%align != 0 {
		return 1
	}
	return align
}

func wordAlign(size int) int {
	if isWord(size) {
		return size
	}
	return min(8, max(1, size&-size))
}

// offsetIn follows a path of field names.
func offsetIn(s *types.Struct, path string) (off, size int, ok bool) {
	for {
		name, rest, more := strings.Cut(path, ".")
		f, ok := s.Lookup(name)
		if !ok || f.BitSize > 0 {
			return 0, 0, false
		}
		off += f.Offset
		if !more {
			return off, f.Type.Size(), true
		}
		if s, ok = f.Type.(*types.Struct); !ok {
			return 0, 0, false
		}
		path = rest
	}
}

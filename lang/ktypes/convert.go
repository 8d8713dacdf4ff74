package ktypes

import (
	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// maxDepth bounds chains of pointers, arrays and modifiers; C code has a
// handful, only malformed BTF goes in circles.
const maxDepth = 64

// maxArray bounds the bytes of an array, so that sizes can not overflow.
const maxArray = 1 << 30

var byteType = types.Int{Bits: 8}

// convert returns the type of the language that stands for t. Pointers lie in
// space unless BTF marks them as the user's. trusted tells that the verifier
// knows a pointer of this type by BTF; it does so for structs only. What the
// language can not compute with (floating point, 128-bit integers) becomes an
// array of bytes. k.mu is held.
func (k *Kernel) convert(t btf.Type, space types.Space, trusted bool) types.Type {
	return k.convertDepth(t, space, trusted, 0)
}

func (k *Kernel) convertDepth(t btf.Type, space types.Space, trusted bool, depth int) types.Type {
	if depth > maxDepth {
		return types.Void{}
	}
	t, _ = strip(t)
	switch t := t.(type) {
	case *btf.Int:
		return integer(t)
	case *btf.Float:
		return opaque(int(t.Size))
	case *btf.Enum:
		if !isWord(int(t.Size)) {
			return types.Int{Bits: 32}
		}
		return k.enum(t)
	case *btf.Pointer:
		return k.pointer(t, space, trusted, depth)
	case *btf.Array:
		return k.array(t, space, depth)
	case *btf.Struct, *btf.Union:
		return k.composite(t)
	case *btf.Fwd:
		return k.forward(t)
	}
	return types.Void{} // void, functions, and what is no type of a value
}

func (k *Kernel) pointer(t *btf.Pointer, space types.Space, trusted bool, depth int) types.Type {
	target, tags := strip(t.Target)
	switch target.(type) {
	case *btf.Struct, *btf.Union:
	default:
		trusted = false
	}
	switch {
	case tags.user:
		space, trusted = types.User, false
	case tags.percpu:
		trusted = false // an offset, not an address, as far as the verifier is concerned
	}
	return types.Pointer{Elem: k.convertDepth(target, space, false, depth+1), Space: space, BTF: trusted}
}

func (k *Kernel) array(t *btf.Array, space types.Space, depth int) types.Type {
	elem, _ := strip(t.Type)
	n := int(t.Nelems)
	if c, ok := elem.(*btf.Int); ok && c.Name == "char" && n > 0 && n <= maxArray {
		return types.String{Cap: n}
	}
	e := k.convertDepth(elem, space, false, depth+1)
	if size := e.Size(); size > 0 && n > maxArray/size {
		return opaque(0)
	}
	return types.Array{Elem: e, Len: n}
}

// forward stands for a struct whose fields this BTF does not have; another
// module, or another part of the kernel, may.
func (k *Kernel) forward(t *btf.Fwd) types.Type {
	kind := types.CStruct
	if t.Kind == btf.FwdUnion {
		kind = types.CUnion
		if u, ok := find[*btf.Union](k, t.Name); ok {
			return k.composite(u.typ)
		}
	} else if s, ok := find[*btf.Struct](k, t.Name); ok {
		return k.composite(s.typ)
	}
	if s, ok := k.structs[t]; ok {
		return s
	}
	s := types.NewStruct(kind, t.Name, 0, 1, func() []types.Field { return nil })
	k.structs[t] = s
	return s
}

func (k *Kernel) enum(t *btf.Enum) *types.Enum {
	if e, ok := k.enums[t]; ok {
		return e
	}
	e := &types.Enum{Name: t.Name, Bytes: int(t.Size), Signed: t.Signed}
	for _, v := range t.Values {
		e.Values = append(e.Values, types.EnumValue{Name: v.Name, Value: extend(v.Value, t)})
	}
	k.enums[t] = e
	return e
}

// extend widens an enumerator from the size of its enum.
func extend(v uint64, t *btf.Enum) int64 {
	if t.Size >= 8 || t.Size == 0 {
		return int64(v)
	}
	shift := 64 - 8*t.Size
	if t.Signed {
		return int64(v<<shift) >> shift
	}
	return int64(v << shift >> shift)
}

func integer(t *btf.Int) types.Type {
	size := int(t.Size)
	switch {
	case !isWord(size):
		return opaque(size)
	case t.Encoding == btf.Bool && size == 1:
		return types.Bool{}
	}
	return types.Int{Bits: 8 * size, Signed: t.Encoding == btf.Signed && t.Name != "char"}
}

// opaque is size bytes without a meaning.
func opaque(size int) types.Type {
	if size < 0 || size > maxArray {
		size = 0
	}
	return types.Array{Elem: byteType, Len: size}
}

func isWord(size int) bool { return size == 1 || size == 2 || size == 4 || size == 8 }

// typeTags are the marks of a pointer's target.
type typeTags struct{ user, percpu bool }

// strip removes typedefs, qualifiers and tags; a cycle of them is void.
func strip(t btf.Type) (btf.Type, typeTags) {
	var tags typeTags
	for range maxDepth {
		switch u := t.(type) {
		case *btf.Typedef:
			t = u.Type
		case *btf.Const:
			t = u.Type
		case *btf.Volatile:
			t = u.Type
		case *btf.Restrict:
			t = u.Type
		case *btf.TypeTag:
			tags.user = tags.user || u.Value == "user"
			tags.percpu = tags.percpu || u.Value == "percpu"
			t = u.Type
		default:
			return t, tags
		}
	}
	return (*btf.Void)(nil), tags
}

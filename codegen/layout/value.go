package layout

import (
	"bytes"
	"encoding/binary"

	"github.com/gotrace/gotrace/lang/types"
)

// Value is a typed view of bytes that came from the kernel. It does not own
// them: a Value of an event is good until the Sink returns. Accessors never
// read beyond the bytes; where these are too short they see zeros.
type Value struct {
	Type types.Type
	Raw  []byte
}

// MakeValue returns a view of the first t.Size() bytes of raw.
func MakeValue(t types.Type, raw []byte) Value {
	if n := t.Size(); n < len(raw) {
		raw = raw[:n]
	}
	return Value{t, raw}
}

// uintAt reads size bytes at off, zero-extended.
func (v Value) uintAt(off, size int) uint64 {
	if off < 0 || off+size > len(v.Raw) {
		return 0
	}
	b := v.Raw[off:]
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

// Uint64At reads the uint64 at off.
func (v Value) Uint64At(off int) uint64 { return v.uintAt(off, 8) }

// Uint32At reads the uint32 at off.
func (v Value) Uint32At(off int) uint32 { return uint32(v.uintAt(off, 4)) }

// Uint returns a scalar, extended to 64 bits by its sign if it is signed.
func (v Value) Uint() uint64 {
	n := v.uintAt(0, v.Type.Size())
	if types.IsSigned(v.Type) {
		shift := 64 - 8*uint(v.Type.Size())
		return uint64(int64(n<<shift) >> shift)
	}
	return n
}

// Int returns a scalar as a signed number.
func (v Value) Int() int64 { return int64(v.Uint()) }

// Text returns the bytes of a string up to its zero byte.
func (v Value) Text() []byte {
	if i := bytes.IndexByte(v.Raw, 0); i >= 0 {
		return v.Raw[:i]
	}
	return v.Raw
}

// Truncated reports whether a string was cut when it was read, so that the
// truncation trailer belongs behind it. Cap counts the zero byte; the code
// generator reads a types.String with Trunc by a helper that stores up to Cap-1
// characters and a zero byte, so that text without a zero byte among the first
// Cap-1 filled the capacity: it was cut, or fitted exactly, which bpftrace
// prints alike.
func (v Value) Truncated() bool {
	t, ok := v.Type.(types.String)
	return ok && t.Trunc && t.Cap > 1 && len(v.Raw) >= t.Cap-1 && bytes.IndexByte(v.Raw[:t.Cap-1], 0) < 0
}

// Bytes returns the contents of a buffer.
func (v Value) Bytes() []byte {
	if len(v.Raw) < BufferData {
		return nil
	}
	n := min(int(v.Uint32At(BufferLen)), len(v.Raw)-BufferData)
	return v.Raw[BufferData : BufferData+n]
}

// Field returns member f of a struct, tuple or record. A bit-field comes as a
// value of its own, cut out of its word.
func (v Value) Field(f types.Field) Value {
	size := f.Type.Size()
	if f.Offset < 0 || f.Offset > len(v.Raw) {
		return Value{Type: f.Type}
	}
	if f.BitSize > 0 {
		return bitField(f, v.uintAt(f.Offset, size))
	}
	return Value{f.Type, v.Raw[f.Offset:min(f.Offset+size, len(v.Raw))]}
}

func bitField(f types.Field, word uint64) Value {
	word <<= 64 - uint(f.BitOffset+f.BitSize)
	if types.IsSigned(f.Type) {
		word = uint64(int64(word) >> (64 - uint(f.BitSize)))
	} else {
		word >>= 64 - uint(f.BitSize)
	}
	return Value{f.Type, lowBytes(word, f.Type.Size())}
}

// lowBytes returns the size low bytes of n as they lie in memory.
func lowBytes(n uint64, size int) []byte {
	raw := binary.NativeEndian.AppendUint64(nil, n)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 { // big endian: the low bytes come last
		return raw[len(raw)-size:]
	}
	return raw[:size]
}

// Index returns element i of an array.
func (v Value) Index(i int) Value {
	elem := v.Type.(types.Array).Elem
	size := elem.Size()
	if i < 0 || (i+1)*size > len(v.Raw) {
		return Value{Type: elem}
	}
	return Value{elem, v.Raw[i*size : (i+1)*size]}
}

// IntValue returns n as a value of type t, cut to its width.
func IntValue(t types.Int, n uint64) Value {
	return Value{t, lowBytes(n, t.Size())}
}

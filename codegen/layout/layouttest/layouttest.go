// Package layouttest makes values as the kernel side lays them out, for tests
// of what reads them.
//
// Input: a type and a Go value; output: a layout.Value or an event record. It
// panics on values that do not suit the type: tests state both.
package layouttest

import (
	"encoding/binary"
	"fmt"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
)

// Value encodes x as a t: int and uint64 for scalars, bool, string for strings
// and buffers, []any for tuples, records, structs and arrays, []byte for raw
// memory.
func Value(t types.Type, x any) layout.Value {
	raw := make([]byte, t.Size())
	encode(raw, t, x)
	return layout.Value{Type: t, Raw: raw}
}

// Record encodes an event record with index id.
func Record(id uint32, args ...layout.Value) []byte {
	list := make([]types.Type, len(args))
	for i, a := range args {
		list[i] = a.Type
	}
	l := layout.Record(list)
	raw := make([]byte, l.Size)
	binary.NativeEndian.PutUint32(raw, id)
	for i, f := range l.Fields {
		copy(raw[f.Off:f.Off+f.Size], args[i].Raw)
	}
	return raw
}

func encode(dst []byte, t types.Type, x any) {
	switch x := x.(type) {
	case []byte:
		copy(dst, x)
	case bool:
		if x {
			dst[0] = 1
		}
	case int:
		putUint(dst, uint64(x))
	case uint64:
		putUint(dst, x)
	case string:
		if _, ok := t.(types.Buffer); ok {
			binary.NativeEndian.PutUint32(dst[layout.BufferLen:], uint32(len(x)))
			dst = dst[layout.BufferData:]
		}
		if len(x) > len(dst) {
			panic(fmt.Sprintf("%q does not fit %d bytes", x, len(dst)))
		}
		copy(dst, x)
	case []any:
		encodeList(dst, t, x)
	default:
		panic(fmt.Sprintf("no encoding for %T", x))
	}
}

func putUint(dst []byte, n uint64) {
	switch len(dst) {
	case 1:
		dst[0] = byte(n)
	case 2:
		binary.NativeEndian.PutUint16(dst, uint16(n))
	case 4:
		binary.NativeEndian.PutUint32(dst, uint32(n))
	default:
		binary.NativeEndian.PutUint64(dst, n)
	}
}

func encodeList(dst []byte, t types.Type, list []any) {
	switch t := t.(type) {
	case types.Array:
		size := t.Elem.Size()
		for i, x := range list {
			encode(dst[i*size:(i+1)*size], t.Elem, x)
		}
	case *types.Struct:
		for i, f := range t.Fields() {
			encode(dst[f.Offset:f.Offset+f.Type.Size()], f.Type, list[i])
		}
	default:
		panic(fmt.Sprintf("no list is a %s", t))
	}
}

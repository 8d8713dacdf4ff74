package output

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// AppendValue appends v as print() shows it, without a line end.
func (f *Formatter) AppendValue(dst []byte, v layout.Value) []byte {
	switch t := v.Type.(type) {
	case types.Int:
		return appendInt(dst, v.Uint(), t.Signed)
	case types.Bool:
		return strconv.AppendBool(dst, v.Uint() != 0)
	case *types.Enum:
		return appendEnum(dst, t, v.Int())
	case types.Pointer:
		return strconv.AppendUint(append(dst, "0x"...), v.Uint(), 16)
	case types.String:
		return f.appendString(dst, v)
	case types.Buffer:
		return appendEscaped(dst, v.Bytes())
	case types.Array:
		return f.appendArray(dst, v, t.Len)
	case *types.Struct:
		if t.Kind == types.TupleKind {
			return f.appendTuple(dst, v, t)
		}
		return f.appendRecord(dst, v, t)
	case types.Opaque:
		return f.appendOpaque(dst, v, t.Kind)
	case types.Stack:
		return f.appendStack(dst, v, t)
	}
	return dst
}

func appendInt(dst []byte, n uint64, signed bool) []byte {
	if signed {
		return strconv.AppendInt(dst, int64(n), 10)
	}
	return strconv.AppendUint(dst, n, 10)
}

func appendEnum(dst []byte, t *types.Enum, n int64) []byte {
	for _, v := range t.Values {
		if v.Value == n {
			return append(dst, v.Name...)
		}
	}
	return appendInt(dst, uint64(n), t.Signed)
}

func (f *Formatter) appendString(dst []byte, v layout.Value) []byte {
	if v.Truncated() {
		return append(append(dst, v.Raw[:v.Type.Size()-1]...), f.Trailer...)
	}
	return append(dst, v.Text()...)
}

func (f *Formatter) appendArray(dst []byte, v layout.Value, n int) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = f.AppendValue(dst, v.Index(i))
	}
	return append(dst, ']')
}

func (f *Formatter) appendTuple(dst []byte, v layout.Value, t *types.Struct) []byte {
	return append(f.appendElements(append(dst, '('), v, t), ')')
}

func (f *Formatter) appendElements(dst []byte, v layout.Value, t *types.Struct) []byte {
	for i, field := range t.Fields() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = f.AppendValue(dst, v.Field(field))
	}
	return dst
}

func (f *Formatter) appendRecord(dst []byte, v layout.Value, t *types.Struct) []byte {
	start := len(dst)
	eachMember(v, t, func(name string, member layout.Value) {
		sep := ", ."
		if len(dst) == start {
			sep = "{ ."
		}
		dst = append(append(append(dst, sep...), name...), " = "...)
		dst = f.AppendValue(dst, member)
	})
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	return append(dst, " }"...)
}

// eachMember visits the members of a record, those of anonymous structs and
// unions like its own.
func eachMember(v layout.Value, t *types.Struct, visit func(name string, member layout.Value)) {
	for _, field := range t.Fields() {
		inner, nested := field.Type.(*types.Struct)
		if field.Name == "" && nested {
			eachMember(v.Field(field), inner, visit)
			continue
		}
		visit(field.Name, v.Field(field))
	}
}

// appendKey appends the key of a map. The elements of a tuple stand without
// its parentheses.
func (f *Formatter) appendKey(dst []byte, key layout.Value) []byte {
	if t, ok := key.Type.(*types.Struct); ok && t.Kind == types.TupleKind {
		return f.appendElements(dst, key, t)
	}
	return f.AppendValue(dst, key)
}

// appendEscaped shows printable ASCII as it is, other bytes as \xhh.
func appendEscaped(dst, data []byte) []byte {
	for _, c := range data {
		if c >= ' ' && c <= '~' {
			dst = append(dst, c)
		} else {
			dst = appendHexByte(dst, c)
		}
	}
	return dst
}

func appendHexByte(dst []byte, c byte) []byte {
	return hex.AppendEncode(append(dst, `\x`...), []byte{c})
}

func (f *Formatter) appendOpaque(dst []byte, v layout.Value, kind types.OpaqueKind) []byte {
	switch kind {
	case types.Inet:
		return appendInet(dst, v)
	case types.MAC:
		return appendMAC(dst, v.Raw)
	case types.Timestamp:
		at := f.Clock.Time(v.Uint32At(layout.TimestampClock), v.Uint64At(layout.TimestampNsecs))
		return appendTime(dst, f.text(uint64(v.Uint32At(layout.TimestampFormat))), f.local(at))
	case types.Username:
		return f.appendUser(dst, v.Uint64At(0))
	case types.CgroupPath:
		return f.appendCgroup(dst, v.Uint64At(layout.CgroupID), f.text(v.Uint64At(layout.CgroupFilter)))
	}
	return f.appendSymbol(dst, v, kind)
}

// Address families as in struct sockaddr.
const (
	familyIPv4 = 2
	familyIPv6 = 10
)

func appendInet(dst []byte, v layout.Value) []byte {
	address := v.Raw[min(layout.InetAddress, len(v.Raw)):]
	switch family := v.Uint64At(layout.InetFamily); {
	case family == familyIPv4 && len(address) >= 4:
		return netip.AddrFrom4([4]byte(address)).AppendTo(dst)
	case family == familyIPv6 && len(address) >= 16:
		return appendIPv6(dst, netip.AddrFrom16([16]byte(address)))
	}
	return dst
}

// appendIPv6 writes addresses that hold an IPv4 address as inet_ntop(3) does.
func appendIPv6(dst []byte, a netip.Addr) []byte {
	b := a.As16()
	if [12]byte(b[:]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return netip.AddrFrom4([4]byte(b[12:])).AppendTo(append(dst, "::"...))
	}
	return a.AppendTo(dst) // which covers ::ffff:a.b.c.d
}

func appendMAC(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// appendUser appends nothing for an unknown user, as bpftrace does.
func (f *Formatter) appendUser(dst []byte, uid uint64) []byte {
	if f.UserName == nil {
		return dst
	}
	name, _ := f.UserName(uint32(uid))
	return append(dst, name...)
}

func (f *Formatter) appendCgroup(dst []byte, id uint64, filter string) []byte {
	if f.CgroupPath == nil {
		return dst
	}
	path, err := f.CgroupPath(id, filter)
	if err != nil {
		return dst // the value has no other form; that is also what an unknown group prints
	}
	return append(dst, path...)
}

func (f *Formatter) appendSymbol(dst []byte, v layout.Value, kind types.OpaqueKind) []byte {
	address := v.Uint64At(layout.SymAddress)
	switch {
	case f.Symbols == nil:
		return appendPointer(dst, address)
	case kind == types.KSym:
		return f.Symbols.AppendKernelSymbol(dst, address)
	}
	return f.Symbols.AppendUserSymbol(dst, f.process(v.Uint32At(layout.USymPid)), address)
}

func (f *Formatter) process(pid uint32) symbol.Process {
	return symbol.Process{PID: int(pid), Program: f.Program}
}

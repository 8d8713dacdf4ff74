package output

import (
	"strconv"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/runtime/event"
)

// AppendText appends the text of printf and its kin. Conversions without an
// argument append nothing.
func (f *Formatter) AppendText(dst []byte, t event.Text) []byte {
	args := t.Args
	for i := range t.Items {
		it := &t.Items[i]
		if it.Verb == 0 {
			dst = append(dst, it.Text...)
			continue
		}
		if len(args) == 0 {
			break
		}
		start := len(dst)
		dst = f.appendConversion(dst, it, args[0])
		dst = pad(dst, start, it)
		args = args[1:]
	}
	return dst
}

func (f *Formatter) appendConversion(dst []byte, it *printf.Item, v layout.Value) []byte {
	switch it.Verb {
	case 's':
		return f.AppendValue(dst, v)
	case 'r':
		return appendEscaped(dst, v.Bytes())
	case 'R':
		for _, c := range v.Bytes() {
			dst = appendHexByte(dst, c)
		}
		return dst
	case 'H':
		return appendHexPairs(dst, v.Bytes())
	case 'G':
		return appendGFP(dst, v.Uint())
	case 'c':
		return append(dst, byte(v.Uint()))
	case 'p':
		return appendPointer(dst, v.Uint())
	}
	return appendNumber(dst, it, v.Uint())
}

func appendHexPairs(dst, data []byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range data {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// appendPointer writes a null pointer as a bare 0, as bpftrace's %p does.
func appendPointer(dst []byte, n uint64) []byte {
	if n == 0 {
		return append(dst, '0')
	}
	return strconv.AppendUint(append(dst, "0x"...), n, 16)
}

// appendNumber takes the low it.Bits bits of n.
func appendNumber(dst []byte, it *printf.Item, n uint64) []byte {
	shift := uint(64 - it.Bits)
	if it.Verb == 'd' || it.Verb == 'i' {
		signed := int64(n<<shift) >> shift
		if it.Plus && signed >= 0 {
			dst = append(dst, '+')
		}
		return strconv.AppendInt(dst, signed, 10)
	}
	n = n << shift >> shift
	base, prefix := 10, ""
	switch it.Verb {
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	case 'o':
		base, prefix = 8, "0"
	}
	if it.Sharp && n != 0 {
		dst = append(dst, prefix...)
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, n, base)
	if it.Verb == 'X' {
		upper(dst[start:])
	}
	return dst
}

func upper(b []byte) {
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
}

// pad widens dst[start:] to the width of the conversion. Zeros stand where
// spaces would: in front of a sign, and even on the right.
func pad(dst []byte, start int, it *printf.Item) []byte {
	missing := it.Width - (len(dst) - start)
	if missing <= 0 {
		return dst
	}
	fill := byte(' ')
	if it.Zero {
		fill = '0'
	}
	end := len(dst)
	for range missing {
		dst = append(dst, fill)
	}
	if !it.Minus {
		copy(dst[start+missing:], dst[start:end])
		for i := start; i < start+missing; i++ {
			dst[i] = fill
		}
	}
	return dst
}

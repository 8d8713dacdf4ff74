package output

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/maps"
)

// AppendJSON appends v as a JSON value.
func (f *Formatter) AppendJSON(dst []byte, v layout.Value) []byte {
	switch t := v.Type.(type) {
	case types.Int:
		return appendIntJSON(dst, v.Uint(), t.Signed)
	case *types.Enum:
		return appendIntJSON(dst, v.Uint(), t.Signed)
	case types.Pointer:
		return appendIntJSON(dst, v.Uint(), false)
	case types.Bool:
		return strconv.AppendBool(dst, v.Uint() != 0)
	case types.Buffer:
		return appendBytesJSON(dst, v.Bytes())
	case types.Array:
		dst = append(dst, '[')
		for i := range t.Len {
			dst = f.AppendJSON(appendComma(dst, i, ","), v.Index(i))
		}
		return append(dst, ']')
	case *types.Struct:
		if t.Kind == types.TupleKind {
			return f.appendTupleJSON(dst, v, t)
		}
		return f.appendRecordJSON(dst, v, t)
	}
	start := len(dst)
	return requote(f.AppendValue(dst, v), start)
}

func appendComma(dst []byte, i int, comma string) []byte {
	if i > 0 {
		return append(dst, comma...)
	}
	return dst
}

// appendIntJSON writes numbers that a double does not hold exactly as strings.
func appendIntJSON(dst []byte, n uint64, signed bool) []byte {
	if exact(n, signed) {
		return appendInt(dst, n, signed)
	}
	return append(appendInt(append(dst, '"'), n, signed), '"')
}

// exact reports whether n has at most 53 significant bits.
func exact(n uint64, signed bool) bool {
	if signed && int64(n) < 0 {
		n = -n
	}
	for n >= 1<<53 && n&1 == 0 {
		n >>= 1
	}
	return n < 1<<53
}

// appendBytesJSON writes bytes as signed numbers.
func appendBytesJSON(dst, data []byte) []byte {
	dst = append(dst, '[')
	for i, c := range data {
		dst = strconv.AppendInt(appendComma(dst, i, ","), int64(int8(c)), 10)
	}
	return append(dst, ']')
}

func (f *Formatter) appendTupleJSON(dst []byte, v layout.Value, t *types.Struct) []byte {
	dst = append(dst, '[')
	for i, field := range t.Fields() {
		dst = f.AppendJSON(appendComma(dst, i, ","), v.Field(field))
	}
	return append(dst, ']')
}

func (f *Formatter) appendRecordJSON(dst []byte, v layout.Value, t *types.Struct) []byte {
	dst = append(dst, '{')
	n := 0
	eachMember(v, t, func(name string, member layout.Value) {
		dst = appendQuoted(appendComma(dst, n, ", "), []byte(name))
		dst = f.AppendJSON(append(dst, ": "...), member)
		n++
	})
	return append(dst, '}')
}

// requote turns dst[start:] into a JSON string.
func requote(dst []byte, start int) []byte {
	text := bytes.Clone(dst[start:])
	return appendQuoted(dst[:start], text)
}

// appendQuoted writes text as a JSON string; bytes that are no UTF-8 become
// the replacement character, as JSON knows no others.
func appendQuoted(dst, text []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for len(text) > 0 {
		c := text[0]
		size := 1
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			var r rune
			r, size = utf8.DecodeRune(text)
			dst = utf8.AppendRune(dst, r)
		}
		text = text[size:]
	}
	return append(dst, '"')
}

// mapRecord names the record that the values of a map come in.
func mapRecord(s *maps.Snapshot) string {
	a, ok := s.Agg()
	if !ok {
		return "map"
	}
	switch a.Kind {
	case types.Avg, types.Stats:
		return "stats"
	case types.Hist, types.LHist:
		return "hist"
	case types.TSeries:
		return "tseries"
	}
	return "map"
}

// appendMapJSON writes `"@m": value` or `"@m": {"key": value, …}`.
func (f *Formatter) appendMapJSON(dst []byte, s *maps.Snapshot) []byte {
	dst = append(appendQuoted(dst, []byte(s.Name)), ": "...)
	list := entries(s)
	if s.Scalar() {
		return f.appendElementJSON(dst, &list[0])
	}
	dst = append(dst, '{')
	for i := range list {
		dst = f.appendKeyJSON(appendComma(dst, i, ", "), list[i].Key)
		dst = f.appendElementJSON(append(dst, ": "...), &list[i])
	}
	return append(dst, '}')
}

// appendKeyJSON writes a key without any space, as bpftrace has it.
func (f *Formatter) appendKeyJSON(dst []byte, key layout.Value) []byte {
	f.scratch = f.appendKey(f.scratch[:0], key)
	kept := f.scratch[:0]
	for _, c := range f.scratch {
		if c != ' ' {
			kept = append(kept, c)
		}
	}
	return appendQuoted(dst, kept)
}

func (f *Formatter) appendElementJSON(dst []byte, e *maps.Entry) []byte {
	a := e.Agg
	if a == nil {
		return f.AppendJSON(dst, e.Value)
	}
	switch a.Type.Kind {
	case types.Stats:
		dst = appendIntJSON(append(dst, `{"count": `...), a.Count, false)
		dst = appendIntJSON(append(dst, `, "average": `...), a.Value, a.Type.Signed)
		dst = appendIntJSON(append(dst, `, "total": `...), a.Total, a.Type.Signed)
		return append(dst, '}')
	case types.Hist, types.LHist:
		return appendHistJSON(dst, a)
	case types.TSeries:
		return f.appendSeriesJSON(dst, a)
	}
	return appendIntJSON(dst, a.Value, a.Type.Signed)
}

// appendHistJSON lists the buckets; both limits are included.
func appendHistJSON(dst []byte, a *maps.Aggregate) []byte {
	dst = append(dst, '[')
	first, last, _ := a.Used()
	for i := first; i <= last; i++ {
		b := maps.Bound(a.Type, i)
		dst = append(appendComma(dst, i-first, ","), '{')
		if !b.NoMin {
			dst = append(appendIntJSON(append(dst, `"min": `...), b.Min, true), ", "...)
		}
		if !b.NoMax {
			dst = append(appendIntJSON(append(dst, `"max": `...), b.Max, true), ", "...)
		}
		dst = appendIntJSON(append(dst, `"count": `...), a.Buckets[i], false)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendSeriesJSON lists the intervals that have a value, without blanks.
func (f *Formatter) appendSeriesJSON(dst []byte, a *maps.Aggregate) []byte {
	dst = append(dst, '[')
	n := 0
	for _, p := range a.Series {
		if !p.Valid {
			continue
		}
		dst = append(appendComma(dst, n, ","), `{"interval_start":"`...)
		dst = f.local(p.Start).AppendFormat(dst, "2006-01-02 15:04:05.000000000")
		dst = appendIntJSON(append(dst, `","value":`...), p.Value, a.Type.Signed)
		dst = append(dst, '}')
		n++
	}
	return append(dst, ']')
}

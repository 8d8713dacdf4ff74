package build

import (
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// What one call of bpf_seq_printf takes (bpf_bprintf_prepare in
// kernel/bpf/helpers.c): arguments, and bytes of them and the strings that they
// lead to. Linux 5.10 takes fewer strings and shorter ones.
const (
	maxSeqArgs     = 12
	maxSeqBytes    = 512
	maxSeqTexts    = 6
	maxSeqTextSize = 128 // with the zero byte
)

// seqWriter writes to the file that a pinned iterator is. The kernel formats the
// text, so a printf becomes as many calls as its limits ask for.
type seqWriter struct {
	*fn
	seq    *ir.Value // struct seq_file
	format strings.Builder
	args   []*ir.Value
	bytes  int  // that args take, strings included
	texts  int  // strings among args
	letter bool // the kernel takes no letter or digit next: a %s is in front
}

// seqPrintf is printf in a pinned iterator. What the kernel has no conversion for
// was refused before. All arguments are computed before the first is written.
func (f *fn) seqPrintf(e *typed.Emit) {
	w := &seqWriter{fn: f, seq: f.seqFile(e.Span)}
	if w.seq == nil {
		return
	}
	items, _ := printf.Parse(e.Format) // was parsed by the checker
	args := e.Args
	var steps []func()
	for _, it := range items {
		if it.Verb == 0 {
			steps = append(steps, func() { w.literal(it.Text) })
			continue
		}
		steps = append(steps, w.conversion(it, args[0]))
		args = args[1:]
	}
	for _, step := range steps {
		step()
	}
	w.flush()
}

// seqFile returns ctx.meta.seq, nil if the kernel's types do not have it.
func (f *fn) seqFile(sp source.Span) *ir.Value {
	for _, a := range f.target.Args {
		p, _ := a.Type.(types.Pointer)
		if meta, ok := p.Elem.(*types.Struct); ok && a.Name == "meta" {
			if seq, ok := meta.Lookup("seq"); ok {
				at := f.b.Load(ir.Ptr, f.ctx(), int64(a.Loc.Off), 8)
				return f.b.Load(ir.Ptr, at, int64(seq.Offset), 8)
			}
		}
	}
	f.errs.Errorf(diag.Unsupported, sp, "the kernel's types do not tell where %s writes to", f.target.Name)
	return nil
}

// conversion computes an argument and returns what writes it.
func (w *seqWriter) conversion(it printf.Item, a typed.Expr) func() {
	t := a.Type()
	switch {
	case it.Verb == 'c':
		m := w.temp("character", 2)
		w.b.Store(m.base, m.off, w.number(a), 1)
		w.b.Store(m.base, m.off+1, w.num(0), 1)
		return func() { w.short(it, m.base, 2) }
	case it.Verb != 's':
		return w.integer(it, a)
	case isString(t):
		return w.text(it, a)
	}
	switch t.(type) {
	case types.Bool:
		v := w.choose(w.value(a), 0, ir.Ptr,
			func() *ir.Value { return w.text0("true") }, func() *ir.Value { return w.text0("false") })
		return func() { w.short(it, v, len("false")+1) }
	case types.Pointer:
		it.Verb = 'p'
	default:
		it.Verb = 'u'
		if types.IsSigned(t) {
			it.Verb = 'd'
		}
	}
	it.Bits = 64
	return w.integer(it, a)
}

// integer is a conversion of a number, which the kernel gets in 64 bits.
func (w *seqWriter) integer(it printf.Item, a typed.Expr) func() {
	v := w.number(a)
	verb := string(it.Verb)
	extend := ir.OpZExt
	switch it.Verb {
	case 'd', 'i':
		extend = ir.OpSExt
	case 'p':
		verb, it.Bits = "x", 64
	}
	if it.Bits < 64 {
		v = w.b.Extend(extend, v, it.Bits)
	}
	return func() {
		w.room(8, false)
		if it.Verb == 'p' {
			w.format.WriteString("0x")
		}
		w.format.WriteString(spec(it) + "ll" + verb)
		w.args, w.letter = append(w.args, v), false
	}
}

// spec is a conversion up to its length, in the form of the kernel.
func spec(it printf.Item) string {
	s := "%"
	for _, flag := range []struct {
		set  bool
		char string
	}{{it.Minus, "-"}, {it.Plus, "+"}, {it.Space, " "}, {it.Zero, "0"}} {
		if flag.set {
			s += flag.char
		}
	}
	if it.Width > 0 {
		s += strconv.Itoa(it.Width)
	}
	return s
}

// text is a string. It gets a zero byte behind it, as one that fills its capacity
// has none.
func (w *seqWriter) text(it printf.Item, a typed.Expr) func() {
	size := a.Type().Size()
	if size >= maxSeqTextSize {
		m := w.built(a)
		return func() { w.long(it, m, int64(size)) }
	}
	m := w.temp("text", size+1)
	w.buildInto(m, a, false)
	w.b.Store(m.base, m.off+int64(size), w.num(0), 1)
	return func() { w.short(it, m.base, size+1) }
}

// short writes the string at p, which has up to size bytes with its zero byte.
func (w *seqWriter) short(it printf.Item, p *ir.Value, size int) {
	w.room((size+7)&^7, true)
	w.format.WriteString(spec(it) + "s")
	w.args, w.letter = append(w.args, p), true
}

// long writes a string that may be too long for a conversion. One that is shorter
// than its field is not.
func (w *seqWriter) long(it printf.Item, m mem, size int64) {
	w.flush()
	text := w.temp("text", int(size+1))
	n := w.add(w.call(asm.FnProbeReadKernelStr, text.base, w.num(size+1), w.addr(m)), -1)
	whole := func() { w.call(asm.FnSeqWrite, w.seq, text.base, n) }
	w.when(w.b.Value(ir.OpULt, n, w.num(size+1)), 1, func() {
		if it.Width == 0 {
			whole()
			return
		}
		w.when(w.b.Value(ir.OpULt, n, w.num(int64(it.Width))), 0, func() {
			w.short(it, text.base, maxSeqTextSize)
			w.flush()
		}, whole)
	}, nil)
}

// literal writes constant text. What the kernel does not take in a format it
// takes as data.
func (w *seqWriter) literal(text string) {
	if !plain(text) {
		w.flush()
		w.call(asm.FnSeqWrite, w.seq, w.text0(text), w.num(int64(len(text))))
		return
	}
	if w.letter && alphanumeric(text[0]) {
		w.flush()
	}
	w.format.WriteString(strings.ReplaceAll(text, "%", "%%"))
	w.letter = false
}

// plain reports whether text is printable ASCII and white space.
func plain(text string) bool {
	for _, c := range []byte(text) {
		if (c < ' ' || c > '~') && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// room makes sure that the call under construction takes one more argument of
// size bytes.
func (w *seqWriter) room(size int, text bool) {
	if len(w.args) == maxSeqArgs || w.bytes+size > maxSeqBytes || text && w.texts == maxSeqTexts {
		w.flush()
	}
	w.bytes += size
	if text {
		w.texts++
	}
}

// flush makes the call. Where the file's buffer is full the kernel drops what
// the program wrote and runs it again for the next reader.
func (w *seqWriter) flush() {
	format := w.format.String()
	if format == "" {
		return
	}
	data := w.num(0)
	if len(w.args) > 0 {
		m := w.temp("arguments", 8*len(w.args))
		for i, v := range w.args {
			w.b.Store(m.base, m.off+int64(8*i), v, 8)
		}
		data = m.base
	}
	w.call(asm.FnSeqPrintf, w.seq, w.text0(format), w.num(int64(len(format)+1)), data, w.num(int64(8*len(w.args))))
	w.format.Reset()
	w.args, w.bytes, w.texts, w.letter = nil, 0, 0, false
}

package ktypes_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/types"
)

var (
	charT  = &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
	ucharT = &btf.Int{Name: "unsigned char", Size: 1}
	intT   = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	uintT  = &btf.Int{Name: "unsigned int", Size: 4}
	longT  = &btf.Int{Name: "long unsigned int", Size: 8}
	boolT  = &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}
)

// build makes raw BTF and a Kernel of it.
func build(t *testing.T, list ...btf.Type) (*ktypes.Kernel, []byte) {
	t.Helper()
	b, err := btf.NewBuilder(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, &btf.MarshalOptions{Order: binary.LittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	return fromRaw(raw), raw
}

func fromRaw(raw []byte) *ktypes.Kernel {
	return ktypes.New(func() (*btf.Spec, error) { return btf.LoadSpecFromReader(bytes.NewReader(raw)) })
}

func ptr(t btf.Type) *btf.Pointer { return &btf.Pointer{Target: t} }

// sample is a struct with one field of each kind.
func sample() *btf.Struct {
	s := &btf.Struct{Name: "sample", Size: 96}
	s.Members = []btf.Member{
		{Name: "next", Type: ptr(&btf.Const{Type: s}), Offset: 0},
		{Name: "comm", Type: &btf.Array{Index: uintT, Type: &btf.Typedef{Name: "ch", Type: charT}, Nelems: 16}, Offset: 64},
		{Name: "raw", Type: &btf.Array{Index: uintT, Type: ucharT, Nelems: 4}, Offset: 192},
		{Name: "", Type: &btf.Union{Size: 4, Members: []btf.Member{{Name: "one", Type: intT}, {Name: "two", Type: uintT}}}, Offset: 224},
		{Name: "call", Type: ptr(&btf.FuncProto{Return: intT}), Offset: 256},
		{Name: "low", Type: uintT, Offset: 320, BitfieldSize: 3},
		{Name: "high", Type: intT, Offset: 323, BitfieldSize: 7},
		{Name: "flag", Type: boolT, Offset: 352},
		{Name: "buf", Type: ptr(&btf.TypeTag{Value: "user", Type: charT}), Offset: 384},
		{Name: "x", Type: &btf.Float{Name: "double", Size: 8}, Offset: 448},
		{Name: "wide", Type: &btf.Int{Name: "__int128", Size: 16}, Offset: 512},
		{Name: "color", Type: &btf.Enum{Name: "color", Size: 4, Signed: true, Values: []btf.EnumValue{{Name: "NEG", Value: ^uint64(0)}, {Name: "RED", Value: 5}}}, Offset: 640},
		{Name: "gone", Type: ptr(&btf.Fwd{Name: "gone"}), Offset: 704},
		{Name: "rest", Type: &btf.Array{Index: uintT, Type: longT, Nelems: 0}, Offset: 768},
	}
	return s
}

func TestStructFields(t *testing.T) {
	k, _ := build(t, sample())
	s, ok := k.Struct("sample")
	if !ok {
		t.Fatal("struct sample is missing")
	}
	if s.Size() != 96 || s.Align() != 8 {
		t.Errorf("size %d, alignment %d", s.Size(), s.Align())
	}
	color, _ := k.Enum("color")
	bytesOf := func(n int) types.Type { return types.Array{Elem: types.Int{Bits: 8}, Len: n} }
	for name, want := range map[string]types.Field{
		"next":  {Type: types.Pointer{Elem: s}},
		"comm":  {Type: types.String{Cap: 16}, Offset: 8},
		"raw":   {Type: bytesOf(4), Offset: 24},
		"two":   {Type: types.Int{Bits: 32}, Offset: 28},
		"call":  {Type: types.Pointer{Elem: types.Void{}}, Offset: 32},
		"low":   {Type: types.Int{Bits: 32}, Offset: 40, BitSize: 3},
		"high":  {Type: types.Int{Bits: 32, Signed: true}, Offset: 40, BitOffset: 3, BitSize: 7},
		"flag":  {Type: types.Bool{}, Offset: 44},
		"buf":   {Type: types.Pointer{Elem: types.Int{Bits: 8}, Space: types.User}, Offset: 48},
		"x":     {Type: bytesOf(8), Offset: 56},
		"wide":  {Type: bytesOf(16), Offset: 64},
		"color": {Type: color, Offset: 80},
		"rest":  {Type: types.Array{Elem: types.Int{Bits: 64}}, Offset: 96},
	} {
		got, ok := s.Lookup(name)
		space := func(f types.Field) types.Space { p, _ := f.Type.(types.Pointer); return p.Space }
		if !ok || !types.Equal(got.Type, want.Type) || space(got) != space(want) ||
			got.Offset != want.Offset || got.BitOffset != want.BitOffset || got.BitSize != want.BitSize {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	next, _ := s.Lookup("next")
	if next.Type.(types.Pointer).Elem != types.Type(s) {
		t.Error("the struct reached by a pointer is not the same")
	}
	if off, size, ok := k.FieldOffset("sample", "one"); off != 28 || size != 4 || !ok {
		t.Errorf("one is at %d, size %d, %v", off, size, ok)
	}
}

func TestEnumConstants(t *testing.T) {
	k, raw := build(t, sample(), &btf.Enum{Size: 8, Values: []btf.EnumValue{{Name: "HUGE_VALUE", Value: 1 << 40}}})
	scanned := fromRaw(raw)
	scanned.UseRaw(func() ([]byte, error) { return raw, nil })
	many := fromRaw(raw) // so many questions that an index is made
	many.UseRaw(func() ([]byte, error) { return raw, nil })
	for range 100 {
		many.EnumConst("NOPE")
	}
	for _, k := range []*ktypes.Kernel{k, scanned, many} {
		if e, v, ok := k.EnumConst("NEG"); !ok || v != -1 || e.Name != "color" {
			t.Errorf("NEG is %d of %v, %v", v, e, ok)
		}
		if e, v, ok := k.EnumConst("HUGE_VALUE"); !ok || v != 1<<40 || e.Name != "" || e.Bytes != 8 {
			t.Errorf("HUGE_VALUE is %d of %v, %v", v, e, ok)
		}
		if _, _, ok := k.EnumConst("NOPE"); ok {
			t.Error("NOPE is a constant")
		}
		if names := slices.Collect(k.StructNames()); !slices.Equal(names, []string{"sample"}) {
			t.Errorf("structs are %v", names)
		}
	}
}

func TestFunctions(t *testing.T) {
	s := sample()
	proto := &btf.FuncProto{Return: intT, Params: []btf.FuncParam{{Name: "s", Type: ptr(s)}, {Name: "path", Type: ptr(charT)}}}
	trace := &btf.FuncProto{Return: (*btf.Void)(nil), Params: []btf.FuncParam{{Type: ptr(nil2void())}, {Type: ptr(s)}}}
	named := &btf.FuncProto{Return: intT, Params: []btf.FuncParam{{Name: "__data", Type: ptr(nil2void())}, {Name: "what", Type: ptr(s)}}}
	k, _ := build(t,
		&btf.Func{Name: "do_it", Type: proto, Linkage: btf.GlobalFunc},
		&btf.Typedef{Name: "btf_trace_ev", Type: ptr(trace)},
		&btf.Func{Name: "__traceiter_ev", Type: named, Linkage: btf.GlobalFunc},
	)
	f, ok := k.Func("do_it")
	if !ok || f.Module != ktypes.Vmlinux || len(f.Params) != 2 || f.Ret != types.Type(types.Int{Bits: 32, Signed: true}) {
		t.Fatalf("do_it is %+v, %v", f, ok)
	}
	if p := f.Params[0].Type.(types.Pointer); p.Space != types.ByAddress || p.BTF {
		t.Errorf("s is %+v", p)
	}
	trusted := f.Trusted()
	if p := trusted.Params[0].Type.(types.Pointer); p.Space != types.Kernel || !p.BTF {
		t.Errorf("s is %+v for the verifier", p)
	}
	if p := trusted.Params[1].Type.(types.Pointer); p.Space != types.ByAddress || p.BTF {
		t.Errorf("path is %+v for the verifier", p)
	}
	ev, ok := k.RawTracepoint("ev")
	if !ok || len(ev.Params) != 1 || ev.Params[0].Name != "what" || ev.Ret != types.Type(types.Void{}) {
		t.Errorf("ev is %+v, %v", ev, ok)
	}
	var names []string
	for module, name := range k.FuncNames() {
		names = append(names, module+":"+name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"vmlinux:__traceiter_ev", "vmlinux:do_it"}) {
		t.Errorf("functions are %v", names)
	}
}

func nil2void() btf.Type { return (*btf.Void)(nil) }

func TestNothingIsLoadedBeforeItIsNeeded(t *testing.T) {
	calls := 0
	k := ktypes.New(func() (*btf.Spec, error) { calls++; return nil, errors.New("no BTF") })
	for _, name := range []string{"int", "char", "u32", "size_t", "__u64"} {
		if _, ok := k.Named(name); !ok {
			t.Errorf("%s is unknown", name)
		}
	}
	if calls != 0 {
		t.Error("BTF was loaded for basic types")
	}
	if _, ok := k.Struct("task_struct"); ok || k.Available() == nil {
		t.Error("a kernel without BTF has types")
	}
	if calls != 1 {
		t.Errorf("BTF was loaded %d times", calls)
	}
}

// TestMalformedTypes has types that refer to themselves and members that lie
// outside of their struct.
func TestMalformedTypes(t *testing.T) {
	loop := &btf.Typedef{Name: "loop"}
	loop.Type = &btf.Const{Type: loop}
	chain := &btf.Pointer{}
	chain.Target = &btf.Typedef{Name: "chain", Type: chain}
	inside := &btf.Struct{Name: "inside", Size: 8}
	inside.Members = []btf.Member{{Name: "me", Type: inside}, {Name: "far", Type: intT, Offset: 1 << 20}, {Name: "bit", Type: longT, Offset: 60, BitfieldSize: 200}}
	huge := &btf.Array{Index: uintT, Type: &btf.Array{Index: uintT, Type: longT, Nelems: 1 << 31}, Nelems: 1 << 31}
	self := &btf.Array{Index: uintT, Nelems: 2}
	self.Type = self
	k := ktypes.New(func() (*btf.Spec, error) { return nil, errors.New("no BTF") })
	for _, typ := range []btf.Type{loop, chain, inside, huge, self, &btf.Datasec{}, &btf.Enum{Size: 3}, &btf.Int{Size: 77}} {
		got := k.Convert(typ, types.Kernel, true)
		if got.Size() < 0 || got.Size() > 1<<30 {
			t.Errorf("%v has %d bytes", typ, got.Size())
		}
		if s, ok := got.(*types.Struct); ok {
			for _, f := range s.Fields() {
				if f.Offset+f.Type.Size() > s.Size() {
					t.Errorf("field %s is outside", f.Name)
				}
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	k, _ := build(t, sample())
	var wg sync.WaitGroup
	found := make([]*types.Struct, 8)
	for i := range found {
		wg.Go(func() {
			s, _ := k.Struct("sample")
			s.Fields()
			k.EnumConst("RED")
			found[i] = s
		})
	}
	wg.Wait()
	for _, s := range found {
		if s == nil || s != found[0] {
			t.Fatal("one struct became several types")
		}
	}
}

// FuzzRawBTF feeds malformed BTF to the scan and to the conversion.
func FuzzRawBTF(f *testing.F) {
	b, err := btf.NewBuilder([]btf.Type{sample()}, nil)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := b.Marshal(nil, &btf.MarshalOptions{Order: binary.LittleEndian})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		k := fromRaw(raw)
		k.UseRaw(func() ([]byte, error) { return raw, nil })
		k.EnumConst("RED")
		for name := range k.StructNames() {
			if s, ok := k.Struct(name); ok {
				for _, f := range s.Fields() {
					if f.Offset+f.Type.Size() > s.Size() {
						t.Errorf("field %s is outside", f.Name)
					}
				}
			}
		}
	})
}

package ktypes

import (
	"strconv"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// Func is the signature of a kernel function or of a raw tracepoint.
type Func struct {
	Name   string
	Module string // Vmlinux, or the module that has the function
	// Params have a Name and a Type only. The space of a pointer is User when
	// BTF says so, else types.ByAddress.
	Params []types.Field
	// Ret is types.Void{} when there is no result.
	Ret types.Type

	kernel *Kernel
	proto  *btf.FuncProto
	skip   int
}

// Trusted returns the signature as the verifier sees it in programs that get
// their arguments by BTF (fentry, fexit, tp_btf): pointers to structs are
// kernel pointers that can be read directly.
func (f *Func) Trusted() *Func {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	g := *f
	g.Params = make([]types.Field, len(f.Params))
	for i, p := range f.proto.Params[f.skip:] {
		t := f.kernel.convert(p.Type, types.ByAddress, true)
		if ptr, ok := t.(types.Pointer); ok && ptr.BTF {
			ptr.Space = types.Kernel
			t = ptr
		}
		g.Params[i] = types.Field{Name: f.Params[i].Name, Type: t}
	}
	return &g
}

// Func returns the signature of a kernel function.
func (k *Kernel) Func(name string) (*Func, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := find[*btf.Func](k, name)
	if !ok {
		return nil, false
	}
	proto, ok := f.typ.Type.(*btf.FuncProto)
	if !ok {
		return nil, false
	}
	return k.signature(name, f.module, proto, 0), true
}

// RawTracepoint returns the arguments of a raw tracepoint, which the kernel
// describes by the typedef btf_trace_<event>, without its leading pointer.
func (k *Kernel) RawTracepoint(event string) (*Func, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	def, ok := find[*btf.Typedef](k, "btf_trace_"+event)
	if !ok {
		return nil, false
	}
	ptr, ok := def.typ.Type.(*btf.Pointer)
	if !ok {
		return nil, false
	}
	proto, ok := ptr.Target.(*btf.FuncProto)
	if !ok || len(proto.Params) == 0 {
		return nil, false
	}
	f := k.signature(event, def.module, proto, 1)
	k.nameParams(f)
	return f, true
}

// nameParams takes the names of a tracepoint's arguments from the function
// that the kernel generates for it, as function types have none: __probestub_
// since Linux 6.5, __traceiter_ since 5.10.
func (k *Kernel) nameParams(f *Func) {
	for _, prefix := range []string{"__probestub_", "__traceiter_"} {
		stub, ok := find[*btf.Func](k, prefix+f.Name)
		if !ok {
			continue
		}
		proto, ok := stub.typ.Type.(*btf.FuncProto)
		if !ok || len(proto.Params) != len(f.Params)+1 {
			continue
		}
		for i, p := range proto.Params[1:] {
			if p.Name != "" {
				f.Params[i].Name = p.Name
			}
		}
		return
	}
}

// signature converts a prototype from parameter skip on. Parameters without a
// name are called arg0, arg1, …
func (k *Kernel) signature(name, module string, proto *btf.FuncProto, skip int) *Func {
	f := &Func{Name: name, Module: module, kernel: k, proto: proto, skip: skip}
	for i, p := range proto.Params[skip:] {
		field := types.Field{Name: p.Name, Type: k.convert(p.Type, types.ByAddress, false)}
		if field.Name == "" {
			field.Name = "arg" + strconv.Itoa(i)
		}
		f.Params = append(f.Params, field)
	}
	f.Ret = k.convert(proto.Return, types.ByAddress, false)
	return f
}

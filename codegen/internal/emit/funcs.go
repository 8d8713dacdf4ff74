package emit

import (
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// withFunction marks i as the start of f, with the BTF that the kernel demands
// of programs with more than one function.
func withFunction(i asm.Instruction, f *ir.Func) asm.Instruction {
	long := &btf.Int{Name: "long", Size: 8, Encoding: btf.Signed}
	proto := &btf.FuncProto{Return: long}
	for _, p := range f.Blocks[0].Params {
		var t btf.Type = long
		if p.Type == ir.Ptr {
			t = &btf.Pointer{Target: (*btf.Void)(nil)}
		}
		proto.Params = append(proto.Params, btf.FuncParam{Name: "arg", Type: t})
	}
	linkage := btf.StaticFunc
	i = i.WithSymbol(f.Name)
	return btf.WithFuncMetadata(i, &btf.Func{Name: f.Name, Type: proto, Linkage: linkage})
}

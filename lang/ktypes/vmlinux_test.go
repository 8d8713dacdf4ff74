package ktypes_test

import (
	"os"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/types"
)

const vmlinux = "/sys/kernel/btf/vmlinux"

// running returns the types of the running kernel.
func running(t testing.TB) *ktypes.Kernel {
	t.Helper()
	if _, err := os.Stat(vmlinux); err != nil {
		t.Skip("the running kernel has no BTF: ", err)
	}
	k := ktypes.New(btf.LoadKernelSpec)
	k.UseRaw(func() ([]byte, error) { return os.ReadFile(vmlinux) })
	return k
}

func TestRunningKernel(t *testing.T) {
	k := running(t)
	task, ok := k.Struct("task_struct")
	if !ok {
		t.Fatal("no struct task_struct")
	}
	if f, _ := task.Lookup("comm"); f.Type != types.Type(types.String{Cap: 16}) {
		t.Errorf("comm is %v", f.Type)
	}
	parent, _ := task.Lookup("real_parent")
	if p, ok := parent.Type.(types.Pointer); !ok || p.Elem != types.Type(task) {
		t.Errorf("real_parent is %v", parent.Type)
	}
	file, _ := k.Struct("file")
	inode, ok := file.Lookup("f_inode")
	if !ok {
		t.Fatal("no file.f_inode")
	}
	ino, ok := inode.Type.(types.Pointer).Elem.(*types.Struct).Lookup("i_ino")
	if !ok || ino.Type != types.Type(types.Int{Bits: 64}) {
		t.Errorf("i_ino is %v", ino.Type)
	}
	if _, ok := task.Lookup("rcu_users"); !ok { // inside an anonymous union
		t.Error("members of anonymous unions are not found")
	}
	if typ, ok := k.Named("pid_t"); !ok || typ != types.Type(types.Int{Bits: 32, Signed: true}) {
		t.Errorf("pid_t is %v", typ)
	}
	for path, want := range map[string]int{"next": 0, "prev": 8} {
		if off, size, ok := k.FieldOffset("list_head", path); !ok || off != want || size != 8 {
			t.Errorf("list_head.%s is at %d", path, off)
		}
	}
}

func TestRunningKernelBitField(t *testing.T) {
	s, ok := running(t).Struct("tcp_sock")
	if !ok {
		t.Skip("the kernel has no tcp_sock")
	}
	f, ok := s.Lookup("repair")
	if !ok || f.BitSize != 1 || f.BitOffset >= 8*f.Type.Size() || f.Offset+f.Type.Size() > s.Size() {
		t.Errorf("repair is %+v, %v", f, ok)
	}
}

func TestRunningKernelNames(t *testing.T) {
	k := running(t)
	if e, v, ok := k.EnumConst("BPF_MAP_TYPE_HASH"); !ok || v != 1 || e.Name != "bpf_map_type" {
		t.Errorf("BPF_MAP_TYPE_HASH is %d of %v, %v", v, e, ok)
	}
	f, ok := k.Func("vfs_read")
	if !ok || len(f.Params) != 4 || f.Params[0].Name != "file" {
		t.Errorf("vfs_read is %+v, %v", f, ok)
	}
	ev, ok := k.RawTracepoint("sched_switch")
	if !ok || len(ev.Params) < 3 || ev.Params[1].Name != "prev" {
		t.Errorf("sched_switch is %+v, %v", ev, ok)
	}
	n := 0
	for range k.FuncNames() {
		n++
	}
	if n < 1000 {
		t.Errorf("%d functions", n)
	}
}

// TestAllKernelTypes converts every type of the kernel and loads all fields.
func TestAllKernelTypes(t *testing.T) {
	k := running(t)
	spec, err := k.Spec()
	if err != nil {
		t.Fatal(err)
	}
	structs := 0
	for typ, err := range spec.All() {
		if err != nil {
			t.Fatal(err)
		}
		s, ok := k.Convert(typ, types.Kernel, false).(*types.Struct)
		if !ok {
			continue
		}
		structs++
		want := 0
		switch typ := typ.(type) {
		case *btf.Struct:
			want = len(typ.Members)
		case *btf.Union:
			want = len(typ.Members)
		default:
			continue
		}
		if got := len(s.Fields()); got != want {
			t.Errorf("struct %s has %d fields of %d", s.Name, got, want)
		}
		if size, err := btf.Sizeof(typ); err != nil || size != s.Size() {
			t.Errorf("struct %s has %d bytes of %d", s.Name, s.Size(), size)
		}
	}
	if structs < 1000 {
		t.Errorf("only %d structs", structs)
	}
}

func BenchmarkEnumConst(b *testing.B) {
	k := running(b)
	for _, name := range []string{"NO_SUCH_CONSTANT", "BPF_MAP_TYPE_HASH", "TCP_CLOSE"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				k.EnumConst(name)
			}
		})
	}
}

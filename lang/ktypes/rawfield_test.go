package ktypes

import (
	"os"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// TestRawFieldOffsets compares the answers from raw BTF with those of the
// decoded types.
func TestRawFieldOffsets(t *testing.T) {
	data, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		t.Skipf("the running kernel has no BTF: %v", err)
	}
	b, err := newBlob(data)
	if err != nil {
		t.Fatal(err)
	}
	k := New(btf.LoadKernelSpec)
	for _, c := range [][2]string{
		{"task_struct", "thread_info.cpu"}, {"task_struct", "pid"}, {"task_struct", "comm"}, {"task_struct", "real_parent"},
		{"file", "f_flags"}, {"list_head", "prev"}, {"task_struct", "no_such"}, {"no_such", "pid"},
	} {
		wantOff, wantSize, want := k.FieldOffset(c[0], c[1])
		off, size, ok := b.fieldOffset(c[0], c[1])
		if ok && (off != wantOff || size != wantSize) || ok && !want {
			t.Errorf("%s.%s: raw %d, %d; decoded %d, %d, %v", c[0], c[1], off, size, wantOff, wantSize, want)
		}
	}
	if _, _, ok := b.fieldOffset("task_struct", "thread_info.status"); !ok {
		t.Error("task_struct.thread_info.status is not found")
	}
}

func BenchmarkRawFieldOffset(b *testing.B) {
	data, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		b.Skip(err)
	}
	for b.Loop() {
		blob, _ := newBlob(data)
		blob.fieldOffset("task_struct", "thread_info.status")
	}
}

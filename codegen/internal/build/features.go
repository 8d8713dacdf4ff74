package build

// Features tells what the kernel that the program is compiled for offers beyond
// Linux 5.10, the minimum. The zero value is that minimum.
type Features struct {
	Release         string // for messages, such as "5.10"
	BPFLoop         bool   // bpf_loop, 5.17
	ForEachMapElem  bool   // bpf_for_each_map_elem, 5.13
	TaskBTF         bool   // bpf_get_current_task_btf, 5.11
	MapLookupPerCPU bool   // bpf_map_lookup_percpu_elem, 5.18
	NoPreallocSafe  bool   // maps without preallocation in tracing programs, 6.1
	KtimeTAI        bool   // bpf_ktime_get_tai_ns, 6.1
	AtomicFetch     bool   // atomic operations that give the old value, 5.12
	PathInIter      bool   // bpf_d_path in iterators, 5.12
	SignExtend      bool   // sign-extending moves, 6.6
	LongKeys        bool   // map keys of more than 512 bytes, 5.11
	LargeArrays     bool   // values of arrays of more than 4 MiB, 6.0
}

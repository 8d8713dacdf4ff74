//go:build ignore

// This program records the fixture of package hosttest from the machine it runs
// on: the formats of some trace events and the kernel types listed below. It
// needs root. Structs that are only pointed to become forward declarations,
// which keeps the recording small.
package main

import (
	"bytes"
	"compress/gzip"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/tools/txtar"
)

var structs = []string{
	"task_struct", "pt_regs", "list_head", "file", "path", "dentry", "qstr", "inode", "mm_struct", "cred", "sock",
	"sock_common", "sk_buff", "request", "nsproxy", "pid", "upid", "css_set", "cgroup", "kernfs_node", "vm_area_struct",
	"vfsmount", "mount", "super_block", "sockaddr", "sockaddr_in", "__kernel_timespec", "open_how", "bpf_iter_meta",
	"bpf_iter__task", "bpf_iter__task_file", "bpf_iter__task_vma", "seq_file", "bpf_perf_event_data",
	"thread_info", "signal_struct", "net", "net_device", "linux_binprm", "pid_namespace", "ns_common",
}

var enums = []string{"pid_type", "bpf_func_id", "bpf_attach_type", "bpf_link_type", "zone_type", "hrtimer_mode"}

var typedefs = []string{
	"btf_trace_sys_enter", "btf_trace_sys_exit", "btf_trace_sched_process_exit", "btf_trace_sched_switch",
	"btf_trace_sched_process_fork", "pid_t", "dev_t", "loff_t", "umode_t", "fmode_t", "gfp_t", "sector_t", "uid_t", "gid_t",
	"bpf_user_pt_regs_t", "atomic_t", "size_t",
}

var funcs = []string{
	"vfs_read", "vfs_write", "vfs_open", "do_sys_openat2", "filp_close", "fget", "tcp_sendmsg", "do_exit", "wake_up_new_task",
	"bpf_iter_task", "bpf_iter_task_file", "bpf_iter_task_vma",
	"__traceiter_sys_enter", "__traceiter_sys_exit", "__traceiter_sched_process_exit", "__traceiter_sched_switch",
	"__traceiter_sched_process_fork", "__probestub_sys_enter", "__probestub_sys_exit", "__probestub_sched_process_exit",
	"__probestub_sched_switch", "__probestub_sched_process_fork",
}

var events = []string{
	"raw_syscalls/sys_enter", "raw_syscalls/sys_exit", "sched/sched_process_fork", "sched/sched_process_exit",
	"sched/sched_process_exec", "sched/sched_switch", "sched/sched_waking", "timer/hrtimer_start", "block/block_rq_issue",
	"kmem/kmalloc", "net/netif_rx", "exceptions/page_fault_user",
}

var calls = []string{
	"read", "write", "openat", "close", "dup", "dup2", "dup3", "mkdirat", "lseek", "getppid", "nanosleep", "newfstat", "execve",
	"statfs", "kill", "mmap", "unlinkat",
}

func main() {
	for _, c := range calls {
		events = append(events, "syscalls/sys_enter_"+c, "syscalls/sys_exit_"+c)
	}
	if err := recordEvents(); err != nil {
		log.Fatal(err)
	}
	if err := record(); err != nil {
		log.Fatal(err)
	}
}

// recordEvents writes an archive in the layout of the tracing file system. The
// list of functions is not recorded: it holds those of the recorded types.
func recordEvents() error {
	slices.Sort(events)
	var names, functions strings.Builder
	archive := new(txtar.Archive)
	for _, e := range events {
		text, err := os.ReadFile("/sys/kernel/tracing/events/" + e + "/format")
		if err != nil {
			return err
		}
		archive.Files = append(archive.Files, txtar.File{Name: "events/" + e + "/format", Data: text})
		names.WriteString(strings.Replace(e, "/", ":", 1) + "\n")
	}
	for _, f := range funcs {
		functions.WriteString(f + "\n")
	}
	functions.WriteString("nf_hook_slow\nnf_register [nf_tables]\nkill_it.isra.0\n")
	archive.Files = append(archive.Files,
		txtar.File{Name: "available_events", Data: []byte(names.String())},
		txtar.File{Name: "available_filter_functions", Data: []byte(functions.String())})
	return os.WriteFile("testdata/tracefs.txtar", txtar.Format(archive), 0o644)
}

func record() error {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return err
	}
	var roots []btf.Type
	wanted := map[string]bool{}
	for _, name := range structs {
		wanted[name] = true
	}
	for _, list := range [][]string{structs, enums, typedefs, funcs} {
		for _, name := range list {
			types, err := spec.AnyTypesByName(name)
			if err != nil {
				log.Printf("%s: %v", name, err)
				continue
			}
			roots = append(roots, types...)
		}
	}
	p := pruner{wanted, map[btf.Type]bool{}}
	// The kernel has this struct where it has kprobe_multi links, which the
	// recording machine need not have.
	roots = append(roots, &btf.Struct{Name: "bpf_kprobe_multi_link", Size: 8})
	b, err := btf.NewBuilder(nil, nil)
	if err != nil {
		return err
	}
	for _, t := range roots {
		p.visit(t)
	}
	for _, t := range roots {
		if _, err := b.Add(t); err != nil {
			return err
		}
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	log.Printf("%d bytes of types, %d packed", len(raw), packed.Len())
	return os.WriteFile("testdata/vmlinux.btf.gz", packed.Bytes(), 0o644)
}

type pruner struct {
	wanted map[string]bool
	seen   map[btf.Type]bool
}

// forward returns a forward declaration in place of a struct that is not wanted.
func (p *pruner) forward(t btf.Type) btf.Type {
	switch t := t.(type) {
	case *btf.Struct:
		if t.Name != "" && !p.wanted[t.Name] {
			return &btf.Fwd{Name: t.Name, Kind: btf.FwdStruct}
		}
	case *btf.Union:
		if t.Name != "" && !p.wanted[t.Name] {
			return &btf.Fwd{Name: t.Name, Kind: btf.FwdUnion}
		}
	}
	return t
}

// visit prunes below t. What a pointer leads to is pruned also behind
// qualifiers.
func (p *pruner) visit(t btf.Type) {
	if t == nil || p.seen[t] {
		return
	}
	p.seen[t] = true
	switch t := t.(type) {
	case *btf.Pointer:
		t.Target = p.target(t.Target)
		p.visit(t.Target)
	case *btf.Struct:
		for _, m := range t.Members {
			p.visit(m.Type)
		}
	case *btf.Union:
		for _, m := range t.Members {
			p.visit(m.Type)
		}
	case *btf.Array:
		p.visit(t.Type)
	case *btf.Typedef:
		p.visit(t.Type)
	case *btf.Const:
		p.visit(t.Type)
	case *btf.Volatile:
		p.visit(t.Type)
	case *btf.TypeTag:
		p.visit(t.Type)
	case *btf.Func:
		p.visit(t.Type)
	case *btf.FuncProto:
		p.visit(t.Return)
		for _, param := range t.Params {
			p.visit(param.Type)
		}
	}
}

func (p *pruner) target(t btf.Type) btf.Type {
	switch q := t.(type) {
	case *btf.Const:
		if f := p.target(q.Type); f != q.Type {
			return &btf.Const{Type: f}
		}
	case *btf.Volatile:
		if f := p.target(q.Type); f != q.Type {
			return &btf.Volatile{Type: f}
		}
	case *btf.TypeTag:
		if f := p.target(q.Type); f != q.Type {
			return &btf.TypeTag{Type: f, Value: q.Value}
		}
	}
	return p.forward(t)
}

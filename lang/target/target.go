// Package target describes attach points that exist: what a script's attach
// point expands to on one host.
//
// A Target is plain data. A provider (package probes) makes it, the checker
// takes names and types of arguments from it, the code generator the places
// they lie in, the runtime what to attach to.
package target

import "github.com/gotrace/gotrace/lang/types"

// Provider is the kind of a probe, spelt as the canonical name of its provider.
type Provider string

// The providers.
const (
	Begin         Provider = "begin"
	End           Provider = "end"
	Self          Provider = "self"
	Test          Provider = "test"
	Bench         Provider = "bench"
	Kprobe        Provider = "kprobe"
	Kretprobe     Provider = "kretprobe"
	Fentry        Provider = "fentry"
	Fexit         Provider = "fexit"
	Uprobe        Provider = "uprobe"
	Uretprobe     Provider = "uretprobe"
	USDT          Provider = "usdt"
	Tracepoint    Provider = "tracepoint"
	RawTracepoint Provider = "rawtracepoint"
	Profile       Provider = "profile"
	Interval      Provider = "interval"
	Software      Provider = "software"
	Hardware      Provider = "hardware"
	Watchpoint    Provider = "watchpoint"
	Iter          Provider = "iter"
)

// Systemwide reports whether the kernel fires probes of this kind for all
// processes alike, so that the program has to see to option -p.
func (p Provider) Systemwide() bool {
	switch p {
	case Kprobe, Kretprobe, Fentry, Fexit, Tracepoint, RawTracepoint:
		return true
	}
	return false
}

// Program is the kernel's type of the program that serves a target; it decides
// the context that the program gets.
type Program uint8

// The program types.
const (
	ProgRaw        Program = iota // raw tracepoint: array of u64; also begin, end, self, test, bench, run by BPF_PROG_TEST_RUN
	ProgKprobe                    // struct pt_regs; also uprobes and USDT
	ProgTracepoint                // the event's record
	ProgPerfEvent                 // struct bpf_perf_event_data, which starts with struct pt_regs
	ProgTracing                   // fentry, fexit, tp_btf: array of u64 with BTF types
	ProgIter                      // the iterator's record
)

// Target is one concrete attach point.
type Target struct {
	Provider Provider
	// Name is the full name that `probe` and listings show.
	Name    string
	Program Program
	// Args are the arguments by name; Positional is argN: number N is at index
	// N. Ret is the return value.
	Args       []Arg
	Positional []Arg
	Ret        *Arg
	// Func is where `func` lies: the address of the traced function, or nil.
	Func *Arg
	// Space is the address space of pointers that are made of plain numbers.
	Space types.Space

	// What to attach to; which of them matter depends on the provider.
	Category, Event string // tracepoint: category and event; software, hardware, iter: event
	Module, Symbol  string // kernel function
	Offset          uint64 // bytes behind Symbol, or file offset in Path
	Address         uint64 // kprobe:0x…, watchpoint
	Path            string // file of a user probe
	RefCtr          uint64 // file offset of a USDT semaphore, 0: none
	Period          uint64 // ns for interval and profile; count for software and hardware
	Freq            bool   // Period is a frequency in Hz
	Length          int    // watchpoint: bytes
	Mode            string // watchpoint: r, w, x; iter: pin path
	Pid             int    // only in this process, the one of option -p; 0: all
	// Wildcard tells that a wildcard stands for the target, among others: a run
	// can do without it where the kernel refuses it.
	Wildcard bool
	// Joint tells that one link of the kernel serves all that a wildcard stands
	// for in Path: together they cost about as much as one.
	Joint bool
	// Syscall is set when the target is a system call event that a raw
	// tracepoint serves.
	Syscall *Syscall
}

// Pinned reports whether t is an iterator that stays when gotrace has ended, as
// a file that runs it for whoever reads it.
func (t *Target) Pinned() bool { return t.Provider == Iter && t.Mode != "" }

// Syscall tells how a raw tracepoint (sys_enter, sys_exit) stands for an event
// of the categories syscalls and raw_syscalls.
type Syscall struct {
	Exit bool
	// Number is the system call that the event is about, or -1 for
	// raw_syscalls, which sees all of them.
	Number int
	// NumberLoc is where the number of the current call lies.
	NumberLoc Loc
	// Compat is where the mark of a 32-bit task lies and CompatMask its bits;
	// the kernel's own syscalls events do not fire for such calls. A zero mask
	// means that the machine has none.
	Compat     Loc
	CompatMask uint64
}

// Arg is one argument.
type Arg struct {
	Name string
	Type types.Type
	Loc  Loc
	// Problem says why the argument can not be read, "" if it can. Only its use
	// is an error.
	Problem string
}

// LocKind says how an argument is found.
type LocKind uint8

// The kinds of Loc.
const (
	LocNone    LocKind = iota
	LocCtx             // Size bytes at Off in the context
	LocRegs            // Size bytes at Off behind the pointer to struct pt_regs at context word Base
	LocDynamic         // address: context + the low 16 bits of the uint32 at Off (__data_loc)
	LocRelDyn          // likewise relative to the end of the field (__rel_loc)
	LocTask            // Size bytes at Off in the current struct task_struct
	LocConst           // the number Const
	LocMem             // Size bytes at the user address (register at Off in the context) + Const (+ register at Index * Scale)
	LocIP              // result of the bpf_get_func_ip helper
	LocArgs            // array of Size/8 registers: Offs behind the pt_regs pointer at context word Base
	LocCtxAddr         // address of byte Off of the context: in-place arrays and strings of event records
)

// Loc is where a value lies when the probe fires. Offsets and sizes in bytes.
type Loc struct {
	Kind   LocKind
	Off    int
	Size   int
	Signed bool
	Base   int   // index of a 64-bit context word
	Index  int   // offset of the index register in the context, -1: none
	Scale  int   // factor of the index register
	Offs   []int // LocArgs: offset of each register in struct pt_regs
	// CompatOffs takes the place of Offs when the task is a 32-bit one (see
	// Syscall.Compat); nil: the same.
	CompatOffs []int
	Const      int64
	// Trusted tells that the pointer read is known to the verifier by BTF.
	Trusted bool
}

package tracepoint

import (
	"strings"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
	"github.com/gotrace/gotrace/probes/internal/tracefs"
	"github.com/gotrace/gotrace/probes/syscalls"
)

// The raw tracepoints that all system calls pass, and their context words: the
// registers, then the number of the call or its result.
const (
	rawEnter = "sys_enter"
	rawExit  = "sys_exit"

	regsWord  = 0
	valueWord = 1
)

// asSyscall makes t a system call event that a raw tracepoint serves. Compared
// with the event itself this is cheaper when it fires and detaches at once. It
// reports false, and leaves t alone, for events of other categories and where
// the machine, the number of the call or the place of the mark of 32-bit calls
// is not known; those are attached to as any other event. So are those whose
// kernel stack is asked for, as it would begin with the raw tracepoint's frames.
func asSyscall(h *host.Host, t *target.Target, format *tracefs.Format) bool {
	if t.Category != "syscalls" && t.Category != "raw_syscalls" {
		return false
	}
	regs, ok := ptregs.For(h.Arch())
	if !ok {
		return false
	}
	sc := &target.Syscall{Number: -1, NumberLoc: word(valueWord, true)}
	direction, call, _ := strings.Cut(strings.TrimPrefix(t.Event, "sys_"), "_")
	switch direction {
	case "enter":
	case "exit":
		sc.Exit = true
		sc.NumberLoc = target.Loc{
			Kind: target.LocRegs, Base: regsWord, Off: regs.SyscallNumber, Size: regs.SyscallNumberSize, Signed: true,
		}
	default:
		return false
	}
	if t.Category == "syscalls" {
		if sc.Number, ok = syscalls.Number(h.Arch(), call); !ok {
			return false
		}
	}
	off, size, ok := h.Kernel().FieldOffset("task_struct", regs.CompatField)
	if !ok {
		return false
	}
	sc.Compat = target.Loc{Kind: target.LocTask, Off: off, Size: size}
	sc.CompatMask = regs.CompatMask
	args, ok := syscallArgs(h, format, regs, sc)
	if !ok {
		return false
	}
	t.Program, t.Syscall, t.Args = target.ProgRaw, sc, args
	return true
}

// word is a 64-bit word of the context.
func word(index int, signed bool) target.Loc {
	return target.Loc{Kind: target.LocCtx, Off: 8 * index, Size: 8, Signed: signed}
}

// syscallArgs finds the fields of a system call event in the registers.
func syscallArgs(h *host.Host, format *tracefs.Format, regs *ptregs.Layout, sc *target.Syscall) ([]target.Arg, bool) {
	types := typist{h.Kernel(), types.User}
	var args []target.Arg
	n := 0
	for i := range format.Fields {
		f := &format.Fields[i]
		arg := types.arg(f)
		switch {
		case f.Loc != tracefs.InPlace:
			return nil, false
		case f.Name == "__syscall_nr" || f.Name == "id":
			arg.Loc = sc.NumberLoc
			arg.Loc.Size = min(f.Size, arg.Loc.Size)
		case f.Name == "ret" && sc.Exit:
			arg.Loc = word(valueWord, true)
		case f.Name == "args" && sc.Number < 0 && len(regs.SyscallArgs)*ptregs.Word == f.Size:
			arg.Loc = target.Loc{
				Kind: target.LocArgs, Base: regsWord, Size: f.Size, Offs: regs.SyscallArgs, CompatOffs: regs.CompatArgs,
			}
		case !sc.Exit && sc.Number >= 0 && n < len(regs.SyscallArgs) && f.Size <= ptregs.Word:
			arg.Loc = target.Loc{
				Kind: target.LocRegs, Base: regsWord, Off: regs.SyscallArgs[n], Size: f.Size, Signed: f.Signed,
			}
			n++
		default:
			return nil, false
		}
		args = append(args, arg)
	}
	return args, true
}

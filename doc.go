// Package gotrace compiles and runs scripts of the bpftrace language without
// LLVM or clang.
//
// Compile turns a script into a Program: it parses and checks it against the
// types of a kernel and generates eBPF. What it knows of the machine comes from
// Config.Host. It needs no privilege and changes nothing, with one exception:
// on the running machine Compile, List and SystemInfo mount tracefs when they
// need it, it is missing, and they may. A Program is immutable. Start loads and
// attaches it, as often as wanted; the Session that it returns hands events to
// a Sink and answers questions about maps.
//
//	prog, err := gotrace.Compile("opens.gt", `
//		tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }`, nil)
//	if err != nil {
//		return err // a *DiagnosticList if the script is at fault
//	}
//	s, err := prog.Start(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	err = s.Wait() // until exit() or ctx is done; then s.Snapshot("@")
//
// Sessions, events and snapshots are types of other packages under names of this
// one; the comment of each name lists what it has. An Event is valid only until
// the Sink returns.
//
// Only this package promises a stable API, which takes in the members of other
// packages' types that its comments name.
package gotrace

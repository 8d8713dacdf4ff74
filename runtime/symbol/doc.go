// Package symbol turns kernel and user addresses into names, and stacks into text.
//
// Input: addresses and process ids as programs in the kernel record them, /proc (kallsyms, maps, map_files), ELF files with their
// separate debug files, and perf maps of just-in-time compilers. Output: Symbol values and the text of language reference 14.6.
//
// Invariants:
//   - Creating a Kernel or a User reads nothing; the first lookup that needs a file reads it.
//   - Every file read here may be hostile. Allocation is bounded by what a file really holds and by fixed limits, never by a number
//     that the file states. A broken file has no symbols; it never stops the tracer.
//   - All types may be used from several goroutines.
package symbol

// Symbol is what is known about one address.
type Symbol struct {
	// Name is the name in the symbol table, still mangled. Demangle makes it readable.
	Name string
	// Offset is the distance in bytes from the start of the symbol.
	Offset uint64
	// Module is the kernel module without brackets ("bpf" for loaded BPF programs), empty for the kernel itself and for user symbols.
	Module string
	// File is the mapped file, as the process names it: a path, "[vdso]", or the perf map that gave the name. Empty in the kernel.
	File string
	// FileOffset is the position of the address in File in bytes; 0 when the code is not backed by a file.
	FileOffset uint64
}

// Process says whose addresses are looked up.
type Process struct {
	// PID is the process id (thread group id) in the PID namespace of the /proc that User was given.
	PID int
	// Program is the executable a probe names, if any. With CachePerProgram it finds the symbols of a process that is already gone.
	Program string
}

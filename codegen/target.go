package codegen

import (
	"github.com/gotrace/gotrace/codegen/internal/build"
	"github.com/gotrace/gotrace/lang/source"
)

// Features tells what the kernel that a script is compiled for offers beyond
// Linux 5.10, the minimum. The zero value is that minimum.
type Features = build.Features

// Target is the machine that a script is compiled for.
type Target struct {
	// Arch is the name that Go has for the architecture, such as amd64.
	Arch     string
	Features Features
	// NumCPU is the number of possible processors; aggregations are read from
	// all of them. At least 1.
	NumCPU int
	// Syscalls returns the names of the system calls by number, "" where there
	// is none. It is called only if a script asks for names; nil: no names.
	Syscalls func() []string
}

// Options tune a compilation. The zero value compiles without optimisation.
type Options struct {
	// Opt is the level: 0 runs only the passes that the kernel needs, 1 and 2
	// all of them; 2 is for production.
	Opt int
	// Files resolves the positions of the records; nil leaves them empty.
	Files *source.Set
	// Dump, if not nil, gets the text of a program after a stage: "ir" as built,
	// "ir=PASS" after a pass that changed it, "lower", "regalloc", "asm". It is
	// called from one goroutine at a time.
	Dump func(stage, probe, text string)
	// Verify checks the invariants between the stages, which finds compiler bugs
	// where they happen.
	Verify bool
}

// Command gotrace compiles and runs scripts of the bpftrace language.
//
// It is a thin layer over package gotrace: flags.go reads the command line,
// run.go chooses what to do, trace.go runs a script, list.go lists. Exit codes: 0
// when the run went well, the code of exit() if the script gave one, 1 for
// errors in the script or the command line, for output that can not be written
// and listings that lack privileges, 2 for errors in C definitions and settings
// of the environment, 255 when loading or attaching failed.
package main

import (
	"os"
	"runtime"
)

func main() {
	// Begin probes run on the calling thread: scripts expect the main one.
	runtime.LockOSThread()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// load makes system calls for programs to run at.
type load struct {
	runs int
	call func(i int)
}

var (
	getppid  = load{200_000, parent}
	openat   = load{60_000, openMissing}
	few      = load{20_000, parent}
	fewOpens = load{20_000, openMissing}
)

func parent(int) { unix.Getppid() }

// openMissing tries to open one of ten files that do not exist.
func openMissing(i int) {
	if fd, err := unix.Open(fmt.Sprintf("/nonexistent/%d", i%10), unix.O_RDONLY, 0); err == nil {
		unix.Close(fd)
	}
}

func (l load) run() {
	for i := range l.runs {
		l.call(i)
	}
}

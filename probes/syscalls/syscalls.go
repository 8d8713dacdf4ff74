// Package syscalls relates the numbers of system calls to their names, for the
// machines that gotrace knows (in the words of GOARCH).
//
// Names are those of the manual pages and headers (fstat). The kernel's trace
// events are called after the functions that serve the calls (newfstat); Number
// takes those.
package syscalls

//go:generate go run gen.go

import (
	"strconv"
	"strings"
)

// table returns the lines "NUMBER NAME" of a machine, with a line end before
// the first one too, so that whole lines can be searched for.
func table(arch string) string {
	switch arch {
	case "amd64":
		return amd64Table
	case "arm64":
		return arm64Table
	}
	return ""
}

// Number finds the number of the system call that the events sys_enter_EVENT
// and sys_exit_EVENT are about. Events of calls that only 32-bit programs have,
// or of a kernel newer than the table, have none.
func Number(arch, event string) (int, bool) {
	text := table(arch)
	end := strings.Index(text, " "+callName(arch, event)+"\n")
	if end < 0 {
		return 0, false
	}
	start := strings.LastIndexByte(text[:end], '\n') + 1
	n, err := strconv.Atoi(text[start:end])
	return n, err == nil
}

// callName turns the name of an event into that of the system call. The
// exceptions are the entries of the kernel's system call tables whose function
// is called otherwise.
func callName(arch, event string) string {
	switch event {
	case "newstat", "newlstat", "newfstat", "newuname":
		return event[len("new"):]
	case "umount":
		return "umount2"
	case "sendfile64":
		return "sendfile"
	case "fadvise64_64":
		if arch == "arm64" {
			return "fadvise64"
		}
	}
	return event
}

// Names returns the names of the system calls of a machine by number, "" where
// there is none.
func Names(arch string) []string {
	var names []string
	for line := range strings.Lines(table(arch)) {
		num, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(num)
		if !ok || err != nil {
			continue
		}
		for len(names) <= n {
			names = append(names, "")
		}
		names[n] = name
	}
	return names
}

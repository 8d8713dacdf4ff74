package main

import (
	"io"
	"os"
)

// useColor follows BPFTRACE_COLOR: auto, always, never.
func (a *app) useColor() (bool, error) {
	switch v := variables(os.Environ())["COLOR"]; v {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "", "auto":
		return isTerminal(a.stdout.Writer) && isTerminal(a.stderr), nil
	default:
		return false, usagef("invalid value %q for BPFTRACE_COLOR: use auto, always or never", v)
	}
}

// isTerminal is asked once a run; opening the terminal library is left to the
// colours that need it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Mode()&os.ModeDevice != 0 && !isNull(info)
}

// isNull reports whether a file is /dev/null, which is a character device too.
func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

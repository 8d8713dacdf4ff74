package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// source reads the program from -e, a file, or standard input.
func (a *app) source() (name, src string, err error) {
	o := a.opt
	switch {
	case o.hasProgram:
		return "stdin", o.program, nil
	case o.file == "":
		return "", "", usagef("no program: give one with -e, or a file")
	case o.file == "-":
		text, err := readScript(a.stdin)
		return "stdin", text, err
	}
	f, err := os.Open(o.file)
	var pe *os.PathError
	if errors.As(err, &pe) {
		return "", "", fmt.Errorf("failed to open file '%s': %s", o.file, capital(pe.Err.Error()))
	}
	defer f.Close()
	text, err := readScript(f)
	return o.file, text, err
}

// maxScript is the largest script that is read, in bytes: a guard against
// devices and pipes without end.
const maxScript = 64 << 20

func readScript(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err == nil && len(text) > maxScript {
		err = fmt.Errorf("the script is larger than %d MiB", maxScript>>20)
	}
	return string(text), err
}

// capital is text with a large first letter, as the C library words errors.
func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

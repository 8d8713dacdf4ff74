package host

import (
	"errors"
	"io"
	"io/fs"
	"strings"
)

// MaxFile is the largest file that ReadFile reads, in bytes. C headers and
// scripts have some thousands.
const MaxFile = 16 << 20

// Why files are not opened or read.
var (
	errNotRegular = errors.New("not a regular file")
	errDirectory  = errors.New("is a directory")
	errKernelFile = errors.New("is no text but a file of the kernel's")
	errTooLarge   = errors.New("larger than 16 MiB")
)

// Open opens a file of the root file system by an absolute or relative path.
// Scripts name the files that are opened, and a device or a named pipe may
// block, never end, or do something when it is opened: only regular files are,
// and pipes that the process was given, such as a shell's <(command).
func (h *Host) Open(path string) (fs.File, error) {
	info, err := h.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := h.mayOpen(path, info); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := h.cfg.Root.Open(rooted(h.Abs(path)))
	return f, naming(path, err)
}

func (h *Host) mayOpen(path string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode&fs.ModeNamedPipe != 0 && isDescriptor(h.Abs(path)):
		return nil
	case mode.IsDir():
		return errDirectory
	}
	return errNotRegular
}

// isDescriptor reports whether a path names an open file of this process.
func isDescriptor(abs string) bool {
	return strings.HasPrefix(abs, "/dev/fd/") || strings.HasPrefix(abs, "/proc/self/fd/") || abs == "/dev/stdin"
}

// ReadFile reads a file of the root file system, of at most MaxFile bytes. What
// the kernel makes up while it is read (/proc, tracefs) says nothing of its size
// beforehand and may block: it is not read.
func (h *Host) ReadFile(path string) ([]byte, error) {
	f, err := h.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := h.readAll(f, path)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}

func (h *Host) readAll(f fs.File, path string) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	abs := h.Abs(path)
	kernel := strings.HasPrefix(abs, "/proc/") || strings.HasPrefix(abs, "/sys/")
	switch {
	case info.Size() > MaxFile:
		return nil, errTooLarge
	case info.Mode().IsRegular() && info.Size() == 0 && kernel:
		return nil, errKernelFile
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = errTooLarge
	}
	return data, err
}

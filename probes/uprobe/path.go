package uprobe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
	"github.com/gotrace/gotrace/probes/provider"
)

// binaries finds the files that the binary part of a user probe means: absolute
// paths, at least one when the error is nil. An empty name means the program of
// the process in opt.
func binaries(h *host.Host, name string, opt *target.ResolveOptions) ([]string, error) {
	switch {
	case name == "" && opt.Pid == 0:
		return nil, target.Errorf(target.Syntax, "a user probe without a binary needs a process (-p)")
	case name == "":
		path, err := fs.ReadLink(h.Proc(), strconv.Itoa(opt.Pid)+"/exe")
		if err != nil {
			return nil, target.Errorf(target.Missing, "program of process %d: %v", opt.Pid, err)
		}
		return []string{path}, nil
	case name == "*":
		return mapped(h, opt)
	case strings.Contains(name, "*"):
		return glob(h, name, opt)
	}
	if archive, member, ok := elfsym.IsArchive(name); ok {
		return []string{h.Abs(archive) + "!/" + member}, nil
	}
	if strings.Contains(name, "/") {
		return checked(h, h.Abs(name))
	}
	if strings.HasPrefix(name, "lib") {
		if path, ok := library(h, name); ok {
			return []string{path}, nil
		}
	}
	for dir := range strings.SplitSeq(h.Getenv("PATH"), ":") {
		path := filepath.Join(dir, name)
		if info, err := h.Stat(path); dir != "" && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return []string{h.Abs(path)}, nil
		}
	}
	if info, err := h.Stat(name); err == nil && info.Mode().IsRegular() {
		return []string{h.Abs(name)}, nil
	}
	return nil, target.Errorf(target.Missing, "no program or library %s", name)
}

// CanNotOpen says why a file can not be read.
func CanNotOpen(path string, err error) error {
	kind := target.Unsupported
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = target.Missing
	case errors.Is(err, fs.ErrPermission):
		kind = target.NotAllowed
	}
	return target.Errorf(kind, "can not open %s: %v", path, err)
}

// checked makes sure that a path is a file.
func checked(h *host.Host, path string) ([]string, error) {
	info, err := h.Stat(path)
	switch {
	case err != nil:
		return nil, CanNotOpen(path, err)
	case !info.Mode().IsRegular():
		return nil, target.Errorf(target.Missing, "%s is not a regular file", path)
	}
	return []string{path}, nil
}

// maxFound is how many files and directories a pattern may lead through: links
// such as /proc/self/root lead in circles.
const maxFound = 100_000

// glob expands "*" in the components of a path. It does not match a slash.
func glob(h *host.Host, pattern string, opt *target.ResolveOptions) ([]string, error) {
	found := []string{"/"}
	seen := 0
	for part := range strings.SplitSeq(strings.TrimPrefix(h.Abs(pattern), "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.Contains(part, "*") {
				next = append(next, filepath.Join(dir, part))
				continue
			}
			entries, err := h.ReadDir(dir)
			if hidden(err) {
				opt.Problem(CanNotOpen(dir, err))
			}
			for _, e := range entries {
				if provider.Match(part, e.Name()) {
					next = append(next, filepath.Join(dir, e.Name()))
				}
			}
			if seen+len(next) > maxFound {
				return nil, target.Errorf(target.Unsupported, "%s leads through more than %d files and directories", pattern, maxFound)
			}
		}
		seen += len(next)
		found = next
	}
	found = slices.DeleteFunc(found, func(path string) bool {
		ok, err := isELF(h, path)
		if hidden(err) {
			opt.Problem(CanNotOpen(path, err))
		}
		return !ok
	})
	if len(found) == 0 {
		return nil, target.Errorf(target.Missing, "no program matches %s", pattern)
	}
	return found, nil
}

// hidden reports whether err, of a path that a wildcard led to, says more than
// that there is nothing to look for: no such file, or no directory.
func hidden(err error) bool {
	return err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, fs.ErrInvalid)
}

// isELF reports whether a path leads to an ELF file. Devices and pipes, which
// can hold up whoever opens them, are not opened.
func isELF(h *host.Host, path string) (bool, error) {
	info, err := h.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	f, err := h.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	n, err := io.ReadFull(f, magic)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil // shorter than any
	}
	return n == len(magic) && string(magic) == "\x7fELF", err
}

// mapped lists the executable files that a process has mapped, or all
// processes.
func mapped(h *host.Host, opt *target.ResolveOptions) ([]string, error) {
	pids, err := processes(h, opt.Pid)
	if err != nil {
		return nil, target.Errorf(target.Unsupported, "list of processes: %v", err)
	}
	seen := map[string]bool{}
	var refused []error
	for _, p := range pids {
		text, err := fs.ReadFile(h.Proc(), p+"/maps")
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ESRCH) { // else it has ended
			refused = append(refused, err)
		}
		for line := range bytes.Lines(text) {
			if path, ok := mappedFile(string(line)); ok {
				seen[path] = true
			}
		}
	}
	list := slices.Sorted(maps.Keys(seen))
	list = slices.DeleteFunc(list, func(path string) bool { ok, _ := isELF(h, path); return !ok }) // of another root, perhaps
	switch {
	case len(list) == 0 && len(refused) > 0:
		return nil, target.Errorf(target.NotAllowed, "what processes have mapped: %v", refused[0])
	case len(list) == 0:
		return nil, target.Errorf(target.Missing, "no mapped file found")
	case len(refused) > 0:
		opt.Problem(target.Errorf(target.NotAllowed, "what %d of %d processes have mapped can not be read: %v", len(refused), len(pids), refused[0]))
	}
	return list, nil
}

// processes lists process ids: pid, or all for 0.
func processes(h *host.Host, pid int) ([]string, error) {
	if pid != 0 {
		return []string{strconv.Itoa(pid)}, nil
	}
	entries, err := fs.ReadDir(h.Proc(), ".")
	var pids []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, e.Name())
		}
	}
	return pids, err
}

// mappedFile reads the path of an executable mapping from a line of
// /proc/PID/maps, see proc(5).
func mappedFile(line string) (string, bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || len(fields[1]) < 3 || fields[1][2] != 'x' {
		return "", false
	}
	start := strings.IndexByte(line, '/')
	if start < 0 || !strings.HasPrefix(fields[5], "/") {
		return "", false
	}
	path := strings.TrimRight(line[start:], "\n")
	return path, !strings.HasSuffix(path, " (deleted)")
}

// libraryDirs is where the linker looks besides its cache.
func libraryDirs() []string {
	return []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}
}

// library finds a library by its name with or without version: in the linker's
// cache, then in the standard directories.
func library(h *host.Host, name string) (string, bool) {
	fits := func(file string) bool {
		rest, ok := strings.CutPrefix(file, name)
		return ok && (rest == "" || rest == ".so" || strings.HasPrefix(rest, ".so.") || strings.Contains(name, ".so") && rest[0] == '.')
	}
	if data, err := h.ReadFile("/etc/ld.so.cache"); err == nil {
		for entry := range cacheEntries(data) {
			if !fits(entry.name) {
				continue
			}
			if ok, _ := isELF(h, entry.path); ok {
				return entry.path, true
			}
		}
	}
	for _, dir := range libraryDirs() {
		entries, err := h.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); fits(e.Name()) {
				if ok, _ := isELF(h, path); ok {
					return path, true
				}
			}
		}
	}
	return "", false
}

// KernelPath is the path that the kernel opens for a file of a process: through
// the root directory of that process when it has another one.
func KernelPath(h *host.Host, path string, pid int) string {
	if pid == 0 {
		return path
	}
	inside := fmt.Sprintf("/proc/%d/root%s", pid, path)
	theirs, err1 := h.Stat(inside)
	ours, err2 := h.Stat(path)
	if err1 == nil && (err2 != nil || !os.SameFile(theirs, ours)) {
		return inside
	}
	return path
}

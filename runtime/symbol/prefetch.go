package symbol

import (
	"errors"
	"io/fs"
	"strconv"
)

// Prefetch reads the mappings of a process and the symbols of all code that it has mapped, so that its addresses can be named when the
// process and its files are gone. It does nothing with CacheNone. The error wraps fs.ErrNotExist when there is no such process.
func (u *User) Prefetch(pid int) error {
	if u.opt.Cache == CacheNone {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	proc, err := u.load(pid)
	if err != nil {
		return err
	}
	u.keep(proc)
	for i := range proc.maps {
		u.tableOf(proc, &proc.maps[i])
	}
	return nil
}

// Remember reads the mappings of a process that are new since they were read, and no symbols: as long as the mapped files stay, its
// addresses can be named when it is gone. It does nothing with CacheNone, and keeps what is known of a process that is ending.
func (u *User) Remember(pid int) error {
	if u.opt.Cache == CacheNone {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	proc, err := u.load(pid)
	if err != nil {
		return err
	}
	if known := u.procs.byPID[pid]; known != nil && known.exeID == proc.exeID {
		known.maps = proc.maps
		return nil
	}
	u.keep(proc)
	return nil
}

// PrefetchProgram is Prefetch for all processes that run the program at path, as the tracer sees it. Processes that end meanwhile are
// passed over.
func (u *User) PrefetchProgram(path string) error {
	info, err := fs.Stat(u.opt.Root, below(".", path))
	if err != nil {
		return err
	}
	program := identify(info, path)
	entries, err := fs.ReadDir(u.opt.Proc, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // not a process
		}
		info, err := fs.Stat(u.opt.Proc, u.procFile(pid, "exe"))
		if err != nil || identify(info, "") != program {
			continue
		}
		if err := u.Prefetch(pid); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

package symbol

import (
	"io/fs"
	"sync"
)

// CacheMode says how long the mappings of a process are kept (the setting cache_user_symbols). Symbol tables of files are shared
// between processes in every mode.
type CacheMode uint8

const (
	// CachePerPID keeps the mappings of each process.
	CachePerPID CacheMode = iota
	// CachePerProgram also answers for a process that is gone from the mappings of another one that ran the same program. Right where
	// addresses are not randomised.
	CachePerProgram
	// CacheNone keeps nothing: least memory, and everything is read again for each stack.
	CacheNone
)

// UserOptions are the sources of a User.
type UserOptions struct {
	// Proc is the proc file system, usually os.DirFS("/proc").
	Proc fs.FS
	// Root is the file system of the tracer, usually os.DirFS("/"). Files of processes that are gone and separate debug files are found
	// there.
	Root fs.FS
	// DebugDirs are directories of separate debug files, absolute paths, that are searched before /usr/lib/debug.
	DebugDirs []string
	Cache     CacheMode
}

// User names addresses of processes. It reads /proc/PID/maps and the ELF files mapped there, with their separate debug files, the vdso,
// and the perf maps of just-in-time compilers (/tmp/perf-PID.map).
type User struct {
	opt   UserOptions
	mu    sync.Mutex
	files fileCache
	procs processCache
}

const defaultDebugDir = "/usr/lib/debug"

// NewUser returns a User. It reads nothing yet.
func NewUser(opt UserOptions) *User {
	opt.DebugDirs = withDefaultDir(opt.DebugDirs)
	return &User{opt: opt}
}

// withDefaultDir returns dirs and, behind them, where distributions put debug files.
func withDefaultDir(dirs []string) []string {
	return append(dirs[:len(dirs):len(dirs)], defaultDebugDir)
}

// Lookup names an address in a process. ok is false when no symbol covers the address, or the process is gone and its mappings were
// not kept.
func (u *User) Lookup(p Process, addr uint64) (s Symbol, ok bool) {
	s = u.LookupAll(p, []uint64{addr})[0]
	return s, s.Name != ""
}

// LookupAll names the frames of one stack; the result has an element for every address. An element without Name is unknown; its File
// and FileOffset are set when at least the mapping is known.
func (u *User) LookupAll(p Process, addrs []uint64) []Symbol {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]Symbol, len(addrs))
	proc := u.process(p)
	if proc == nil {
		return out
	}
	for i, addr := range addrs {
		out[i] = u.lookup(proc, addr)
	}
	return out
}

package symbol

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strconv"
)

// maxProcesses is how many processes are remembered. The oldest goes first.
const maxProcesses = 4096

// Rereading mappings because an address lies in none (dlopen, exec) is paid from a budget: each address looked up adds one credit, each
// reading costs several. A broken stack with random addresses would otherwise make every frame read the maps again.
const (
	maxCredit  = 64
	readCredit = 16
)

// process is what is known of one process.
type process struct {
	pid    int
	exe    string // path as in /proc/PID/exe, "" when unreadable
	exeID  fileID
	maps   []mapping
	credit int
	jit    jitNames
}

// jitNames are the names of a perf map. The map grows while the process runs.
type jitNames struct {
	path  string // as the process sees it
	table *table
	size  int64 // of the file when it was read
}

// processCache keeps processes by id, and the last process of each program.
type processCache struct {
	byPID     map[int]*process
	order     []int
	byProgram map[string]*process
}

func (u *User) procFile(pid int, name string) string { return strconv.Itoa(pid) + "/" + name }

// process returns what is known of p, read now if necessary; nil when the process is gone and was not kept.
func (u *User) process(p Process) *process {
	if u.opt.Cache == CacheNone {
		u.files = fileCache{}
		proc, err := u.load(p.PID)
		if err != nil {
			return nil
		}
		return proc
	}
	known := u.procs.byPID[p.PID]
	if known != nil {
		// A process that called execve(2) has other mappings; one that is gone keeps those it had.
		info, err := fs.Stat(u.opt.Proc, u.procFile(p.PID, "exe"))
		if err != nil || identify(info, known.exe) == known.exeID {
			return known
		}
	}
	proc, err := u.load(p.PID)
	if err == nil {
		u.keep(proc)
		return proc
	}
	if known == nil && u.opt.Cache == CachePerProgram {
		return u.procs.byProgram[p.Program]
	}
	return known
}

// load reads the mappings of a running process.
func (u *User) load(pid int) (*process, error) {
	proc := &process{pid: pid, credit: maxCredit}
	if err := u.readMaps(proc); err != nil {
		return nil, err
	}
	exe := u.procFile(pid, "exe")
	if target, err := fs.ReadLink(u.opt.Proc, exe); err == nil {
		proc.exe = mappedPath(target)
	}
	if info, err := fs.Stat(u.opt.Proc, exe); err == nil {
		proc.exeID = identify(info, proc.exe)
	}
	return proc, nil
}

func (u *User) readMaps(proc *process) error {
	f, err := u.opt.Proc.Open(u.procFile(proc.pid, "maps"))
	if err != nil {
		return fmt.Errorf("process %d: %w", proc.pid, err)
	}
	defer f.Close()
	maps, err := parseMaps(f)
	if err != nil {
		return fmt.Errorf("process %d: %w", proc.pid, err)
	}
	// Kernel threads have no mappings; a process that is exiting has none any more, and the old ones are still good.
	if len(maps) == 0 {
		return fmt.Errorf("process %d has no code mapped: %w", proc.pid, fs.ErrNotExist)
	}
	proc.maps = maps
	return nil
}

func (u *User) keep(proc *process) {
	c := &u.procs
	if c.byPID == nil {
		c.byPID, c.byProgram = make(map[int]*process), make(map[string]*process)
	}
	if _, known := c.byPID[proc.pid]; !known {
		if len(c.order) == maxProcesses {
			u.forgetOldest()
		}
		c.order = append(c.order, proc.pid)
	}
	c.byPID[proc.pid] = proc
	if u.opt.Cache == CachePerProgram && proc.exe != "" {
		c.byProgram[proc.exe] = proc
	}
}

func (u *User) forgetOldest() {
	c := &u.procs
	old := c.byPID[c.order[0]]
	delete(c.byPID, old.pid)
	c.order = c.order[1:]
	if c.byProgram[old.exe] == old {
		delete(c.byProgram, old.exe)
	}
}

// lookup names one address. The result has no Name when no symbol covers it.
func (u *User) lookup(proc *process, addr uint64) Symbol {
	proc.credit = min(proc.credit+1, maxCredit)
	m := findMapping(proc.maps, addr)
	if m == nil && proc.credit >= readCredit && u.opt.Cache != CacheNone {
		proc.credit -= readCredit
		if u.readMaps(proc) == nil {
			m = findMapping(proc.maps, addr)
		}
	}
	if m == nil {
		return Symbol{}
	}
	t := u.tableOf(proc, m)
	if name, off, ok := t.fileSymbol(m.fileOffset(addr)); ok {
		return Symbol{Name: name, Offset: off, File: m.path, FileOffset: m.fileOffset(addr)}
	}
	// Compilers also put code in memory that looks like a file: memfd_create(2).
	if m.path != vdso && (t == nil || len(t.syms) == 0) {
		if name, off, ok := u.jitName(proc, addr); ok {
			return Symbol{Name: name, Offset: off, File: proc.jit.path}
		}
	}
	if !m.backed() {
		return Symbol{}
	}
	return Symbol{File: m.path, FileOffset: m.fileOffset(addr)}
}

// vdso is the name in maps of the code that the kernel maps into every process.
const vdso = "[vdso]"

// tableOf returns the symbols of the file behind a mapping, nil when there are none. The mapping keeps them: the file may be out of
// reach when the process is gone.
func (u *User) tableOf(proc *process, m *mapping) *table {
	switch {
	case m.table != nil:
	case m.path == vdso:
		m.table = u.vdsoTable(proc, m)
	case m.backed():
		m.table = u.fileTable(proc, m)
	}
	return m.table
}

// openPlace is one way to open the file behind a mapping.
type openPlace struct {
	fsys fs.FS
	name string
	root debugPlace // where "/" of the path is
}

// places lists the ways, the most certain first: the mapped file itself, even when it was removed (needs CAP_CHECKPOINT_RESTORE),
// the path as the process sees it, and the path as the tracer sees it, which is all there is when the process is gone.
func (u *User) places(proc *process, m *mapping) [3]openPlace {
	pid := strconv.Itoa(proc.pid)
	inside := debugPlace{u.opt.Proc, pid + "/root"}
	return [3]openPlace{
		{u.opt.Proc, pid + "/map_files/" + m.rangeName(), inside},
		{u.opt.Proc, below(inside.dir, m.path), inside},
		{u.opt.Root, below(".", m.path), debugPlace{u.opt.Root, "."}},
	}
}

func (u *User) fileTable(proc *process, m *mapping) *table {
	for i, p := range u.places(proc, m) {
		if p.fsys == nil || !fs.ValidPath(p.name) {
			continue
		}
		info, err := fs.Stat(p.fsys, p.name)
		if err != nil {
			continue
		}
		id := identify(info, m.path)
		// Another file may have taken the path since.
		if i > 0 && id.ino != 0 && id.ino != m.inode {
			continue
		}
		if t, ok := u.files.tables[id]; ok {
			return t
		}
		t := u.readTable(p, m.path)
		if t == nil {
			continue
		}
		u.files.put(id, t)
		return t
	}
	return nil
}

// readTable returns nil when the file cannot be opened, and an empty or partial table when it is broken.
func (u *User) readTable(p openPlace, mapped string) *table {
	f, r, err := openRegular(p.fsys, p.name)
	if err != nil {
		return nil
	}
	defer f.Close()
	search := debugSearch{places: []debugPlace{p.root}, dirs: u.opt.DebugDirs, path: mapped}
	if u.opt.Root != nil && p.root.dir != "." {
		search.places = append(search.places, debugPlace{u.opt.Root, "."})
	}
	t, _ := buildTable(r, search) // a broken file has the symbols that could be read: that is all a stack can show
	if t == nil {
		t = new(table)
	}
	return t
}

// maxVDSO bounds the size of the vdso; it has a few pages.
const maxVDSO = 1 << 20

// vdsoTable reads the vdso from the memory of the process. All processes of one architecture share it, so its size identifies it: 64-bit
// and 32-bit ones differ.
func (u *User) vdsoTable(proc *process, m *mapping) *table {
	id := fileID{path: vdso + strconv.FormatUint(m.end-m.start, 10)}
	if t, ok := u.files.tables[id]; ok {
		return t
	}
	f, err := u.opt.Proc.Open(u.procFile(proc.pid, "mem"))
	if err != nil {
		return nil
	}
	defer f.Close()
	mem, ok := f.(io.ReaderAt)
	if !ok || m.end-m.start > maxVDSO {
		return nil
	}
	image := make([]byte, m.end-m.start)
	if _, err := mem.ReadAt(image, int64(m.start)); err != nil {
		return nil
	}
	t, err := buildTable(bytes.NewReader(image), debugSearch{})
	if err != nil {
		t = new(table)
	}
	u.files.put(id, t)
	return t
}

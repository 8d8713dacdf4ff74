package symbol

import (
	"io/fs"
	"strconv"
	"strings"
)

// jitName looks the address up in the perf map of the process. The map is read when it is first needed, and again when a name is missing
// and the file has grown.
func (u *User) jitName(proc *process, addr uint64) (name string, offset uint64, ok bool) {
	j := &proc.jit
	if j.table != nil {
		if name, offset, ok = j.table.at(addr); ok {
			return name, offset, true
		}
	}
	if !u.readPerfMap(proc) {
		return "", 0, false
	}
	return j.table.at(addr)
}

// readPerfMap reports whether there was something new to read. Programs write the map below their own /tmp, under the process
// id that they see themselves.
func (u *User) readPerfMap(proc *process) bool {
	j := &proc.jit
	if j.path == "" {
		j.path = "/tmp/perf-" + u.innerPID(proc.pid) + ".map"
	}
	file := below(u.procFile(proc.pid, "root"), j.path)
	info, err := fs.Stat(u.opt.Proc, file)
	if err != nil || !info.Mode().IsRegular() || (j.table != nil && info.Size() == j.size) {
		return false
	}
	f, err := u.opt.Proc.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	t, err := parsePerfMap(f)
	if err != nil {
		return false
	}
	j.table, j.size = t, info.Size()
	return true
}

// innerPID is the id of the process in its own PID namespace: the last number of the NSpid line.
func (u *User) innerPID(pid int) string {
	status, err := fs.ReadFile(u.opt.Proc, u.procFile(pid, "status"))
	if err == nil {
		for line := range strings.Lines(string(status)) {
			ids, ok := strings.CutPrefix(line, "NSpid:")
			if fields := strings.Fields(ids); ok && len(fields) > 0 {
				return fields[len(fields)-1]
			}
		}
	}
	return strconv.Itoa(pid)
}

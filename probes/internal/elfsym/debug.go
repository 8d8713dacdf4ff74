package elfsym

import (
	"bytes"
	"encoding/hex"
	"path/filepath"

	"github.com/gotrace/gotrace/probes/host"
)

// debugDir is where distributions put separate debug files.
const debugDir = "/usr/lib/debug"

// OpenDebug opens the separate debug file that belongs to f, the file at path:
// by its build id, then by its .gnu_debuglink. It returns nil when there is
// none. dirs are searched first.
func OpenDebug(h *host.Host, f *File, path string, dirs []string) *File {
	for _, candidate := range debugPaths(f, path, append(dirs[:len(dirs):len(dirs)], debugDir)) {
		if candidate == path {
			continue
		}
		if d, err := Open(h, candidate); err == nil {
			if bytes.Equal(buildID(d), buildID(f)) {
				return d
			}
			d.Close()
		}
	}
	return nil
}

func debugPaths(f *File, path string, dirs []string) (list []string) {
	if id := hex.EncodeToString(buildID(f)); len(id) > 2 {
		for _, dir := range dirs {
			list = append(list, filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug"))
		}
	}
	s := f.Section(".gnu_debuglink")
	if s == nil || s.Size > maxNotes {
		return list
	}
	data, err := s.Data()
	if err != nil {
		return list
	}
	name := cstring(data, 0)
	if name == "" || name != filepath.Base(name) {
		return list
	}
	here := filepath.Dir(path)
	list = append(list, filepath.Join(here, name), filepath.Join(here, ".debug", name))
	for _, dir := range dirs {
		list = append(list, filepath.Join(dir, here, name), filepath.Join(dir, name))
	}
	return list
}

// buildID returns the id that the linker gave a file, or nil.
func buildID(f *File) []byte {
	for n := range f.notes(".note.gnu.build-id") {
		if n.kind == noteBuildID && n.name == "GNU" {
			return n.desc
		}
	}
	return nil
}

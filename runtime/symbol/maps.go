package symbol

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
)

// maxMappings bounds the executable mappings of one process; the default of vm.max_map_count is 65530 for all mappings.
const maxMappings = 1 << 17

// mapping is one executable mapping of a process.
type mapping struct {
	start, end uint64
	offset     uint64 // position of start in the file
	inode      uint64 // 0 for code that has no file
	path       string // as the process sees it; "[vdso]", "[anon:…]" or "" without file
	table      *table // once it was needed
}

func (m *mapping) fileOffset(addr uint64) uint64 { return addr - m.start + m.offset }

// rangeName is the name of the mapping in /proc/PID/map_files.
func (m *mapping) rangeName() string { return fmt.Sprintf("%x-%x", m.start, m.end) }

// backed reports whether the code comes from a file. Memory of memfd_create and shared anonymous memory has an inode too, and a
// path that nobody can open.
func (m *mapping) backed() bool { return m.inode != 0 && strings.HasPrefix(m.path, "/") }

// parseMaps reads the executable mappings of /proc/PID/maps (proc(5)), sorted by address.
func parseMaps(r io.Reader) ([]mapping, error) {
	var maps []mapping
	in := bufio.NewReaderSize(r, 16<<10)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("process mappings: %w", err)
		}
		if m, ok := parseMapping(line); ok {
			if len(maps) == maxMappings {
				return nil, errors.New("process mappings: too many")
			}
			maps = append(maps, m)
		}
		if err == io.EOF {
			break
		}
	}
	sort.SliceStable(maps, func(i, j int) bool { return maps[i].start < maps[j].start })
	return maps, nil
}

// parseMapping reads "START-END PERM OFFSET DEVICE INODE   PATH". ok is false for mappings that are not executable.
func parseMapping(line []byte) (m mapping, ok bool) {
	bounds, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '})
	perm, rest, _ := bytes.Cut(rest, []byte{' '})
	offset, rest, _ := bytes.Cut(rest, []byte{' '})
	_, rest, _ = bytes.Cut(rest, []byte{' '}) // the device: overlayfs and btrfs show other ones in stat(2)
	inode, path, _ := bytes.Cut(rest, []byte{' '})
	if len(perm) < 3 || perm[2] != 'x' {
		return mapping{}, false
	}
	from, to, _ := bytes.Cut(bounds, []byte{'-'})
	var okStart, okEnd, okOffset bool
	m.start, okStart = parseHex(from)
	m.end, okEnd = parseHex(to)
	m.offset, okOffset = parseHex(offset)
	ino, err := strconv.ParseUint(string(inode), 10, 64)
	if !okStart || !okEnd || !okOffset || err != nil || m.start >= m.end {
		return mapping{}, false
	}
	m.inode = ino
	m.path = mappedPath(string(bytes.TrimLeft(path, " ")))
	return m, true
}

// mappedPath undoes what the kernel does to a path in maps: a line end is written as \012, a removed file is marked.
func mappedPath(path string) string {
	path = strings.TrimSuffix(path, " (deleted)")
	return strings.ReplaceAll(path, `\012`, "\n")
}

// findMapping returns the mapping that covers the address, nil when none does.
func findMapping(maps []mapping, addr uint64) *mapping {
	i := sort.Search(len(maps), func(i int) bool { return maps[i].end > addr })
	if i == len(maps) || addr < maps[i].start {
		return nil
	}
	return &maps[i]
}

package elfsym

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gotrace/gotrace/probes/host"
)

// archiveMark separates an archive from the path inside it.
const archiveMark = "!/"

// IsArchive splits a path such as "app.apk!/lib/x.so".
func IsArchive(path string) (archive, member string, ok bool) {
	return strings.Cut(path, archiveMark)
}

// OpenMember opens an ELF file that is stored without compression in a zip
// archive.
func OpenMember(h *host.Host, archive, member string) (*File, error) {
	f, err := h.Open(archive)
	if err != nil {
		return nil, err
	}
	file, err := openMember(f, member)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", archive, err), f.Close())
	}
	file.close = f
	return file, nil
}

func openMember(f io.Closer, member string) (*File, error) {
	r, ok := f.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil, errors.New("not a regular file")
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	for _, m := range z.File {
		if m.Name != member {
			continue
		}
		if m.Method != zip.Store {
			return nil, fmt.Errorf("%s is compressed", member)
		}
		off, err := m.DataOffset()
		if err != nil {
			return nil, err
		}
		if m.UncompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("%s has an impossible size", member)
		}
		return read(io.NewSectionReader(r, off, int64(m.UncompressedSize64)), uint64(off))
	}
	return nil, fmt.Errorf("no member %s", member)
}

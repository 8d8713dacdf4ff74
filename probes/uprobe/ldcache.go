package uprobe

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// cacheEntry is a library in the linker's cache.
type cacheEntry struct{ name, path string }

// The format of /etc/ld.so.cache, from glibc's sysdeps/generic/dl-cache.h: this
// magic, a header of 48 bytes, entries of 24 bytes each, strings. Offsets of
// strings count from the magic, which an older format may precede.
const (
	cacheMagic  = "glibc-ld.so.cache1.1"
	cacheHeader = 48
	cacheRecord = 24
)

// cacheEntries goes over the libraries that the linker's cache lists. What is
// malformed is left out.
func cacheEntries(data []byte) iter.Seq[cacheEntry] {
	return func(yield func(cacheEntry) bool) {
		start := bytes.Index(data, []byte(cacheMagic))
		if start < 0 {
			return
		}
		data = data[start:]
		if len(data) < cacheHeader {
			return
		}
		count := binary.NativeEndian.Uint32(data[len(cacheMagic):])
		records := data[cacheHeader:]
		for ; count > 0 && len(records) >= cacheRecord; count-- {
			e := cacheEntry{
				name: text(data, binary.NativeEndian.Uint32(records[4:])),
				path: text(data, binary.NativeEndian.Uint32(records[8:])),
			}
			if e.name != "" && e.path != "" && !yield(e) {
				return
			}
			records = records[cacheRecord:]
		}
	}
}

// maxText bounds the strings of the cache, so that reading takes time
// proportional to its size.
const maxText = 4096

// text reads a string that ends with a zero byte.
func text(data []byte, off uint32) string {
	if uint64(off) >= uint64(len(data)) {
		return ""
	}
	data = data[off:]
	b, _, ok := bytes.Cut(data[:min(len(data), maxText)], []byte{0})
	if !ok {
		return ""
	}
	return string(b)
}

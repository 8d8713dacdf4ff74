package maps

import (
	"errors"
	"reflect"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

var errBucketFull = errors.New("a bucket of the hash holds more than a batch")

// readBatches reads the map with few system calls (kernel 5.6).
func (b *builder) readBatches(m *ebpf.Map) error {
	cpus, err := partCount(b.desc)
	if err != nil {
		return err
	}
	size := b.desc.KeySize + cpus*b.desc.ValueSize
	n := min(batchEntries, max(b.desc.MaxEntries, 1), max(1, maxBatchBytes/size))
	var cursor ebpf.MapBatchCursor
	for {
		keys, values := byteArrays(n, b.desc.KeySize), byteArrays(n*cpus, b.desc.ValueSize)
		got, err := m.BatchLookup(&cursor, keys.Interface(), values.Interface(), nil)
		done := errors.Is(err, ebpf.ErrKeyNotExist)
		if errors.Is(err, unix.ENOSPC) {
			return errBucketFull
		}
		if err != nil && !done {
			return err
		}
		for i := range got {
			b.add(keys.Index(i).Bytes(), parts(values, i*cpus, cpus))
		}
		if done {
			return nil
		}
	}
}

// parts returns count elements of values from first on.
func parts(values reflect.Value, first, count int) [][]byte {
	out := make([][]byte, count)
	for i := range out {
		out[i] = values.Index(first + i).Bytes()
	}
	return out
}

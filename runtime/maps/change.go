package maps

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/object"
)

// Clear removes all elements of m, which was made from desc; a scalar map then
// counts as never assigned. Elements that programs add meanwhile may stay. The
// error wraps ErrIncomplete when others may have stayed, too.
func Clear(m *ebpf.Map, desc *object.Map) error {
	var err error
	if desc.Key == nil {
		err = clearScalar(m, desc)
	} else {
		err = eachKey(m, desc, func(key []byte) error { return ignoreMissing(m.Delete(key)) })
	}
	if err != nil {
		return fmt.Errorf("clear(%s): %w", desc.Name, err)
	}
	return nil
}

// Zero sets all values of m to zero and keeps the keys. The error wraps
// ErrIncomplete when some values may have been passed over.
func Zero(m *ebpf.Map, desc *object.Map) error {
	var err error
	if desc.Key == nil {
		err = zeroScalar(m, desc)
	} else {
		err = zeroKeyed(m, desc)
	}
	if err != nil {
		return fmt.Errorf("zero(%s): %w", desc.Name, err)
	}
	return nil
}

// zeroScalar keeps the mark of presence of each part.
func zeroScalar(m *ebpf.Map, desc *object.Map) error {
	values, err := lookup(m, desc, uint32(0))
	if err != nil {
		return err
	}
	for _, v := range values {
		if desc.Present >= 0 && desc.Present <= len(v) {
			clear(v[:desc.Present])
		} else {
			clear(v)
		}
	}
	return update(m, desc, uint32(0), values, ebpf.UpdateAny)
}

func clearScalar(m *ebpf.Map, desc *object.Map) error {
	zero, err := zeros(desc)
	if err != nil {
		return err
	}
	return update(m, desc, uint32(0), zero, ebpf.UpdateAny)
}

func zeroKeyed(m *ebpf.Map, desc *object.Map) error {
	zero, err := zeros(desc)
	if err != nil {
		return err
	}
	return eachKey(m, desc, func(key []byte) error {
		return ignoreMissing(update(m, desc, key, zero, ebpf.UpdateExist))
	})
}

// zeros returns a value of zeros, one for each part.
func zeros(desc *object.Map) ([][]byte, error) {
	n, err := partCount(desc)
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, desc.ValueSize)
	}
	return out, err
}

// partCount is the number of parts that an element has.
func partCount(desc *object.Map) (int, error) {
	if !desc.PerCPU {
		return 1, nil
	}
	n, err := ebpf.PossibleCPU()
	if err != nil {
		return 0, fmt.Errorf("number of CPUs: %w", err)
	}
	return n, nil
}

func update(m *ebpf.Map, desc *object.Map, key any, values [][]byte, flags ebpf.MapUpdateFlags) error {
	if desc.PerCPU {
		return m.Update(key, values, flags)
	}
	return m.Update(key, values[0], flags)
}

// ignoreMissing forgives that a program deleted the element first.
func ignoreMissing(err error) error {
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil
	}
	return err
}

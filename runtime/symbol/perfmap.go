package symbol

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
)

// maxPerfMap bounds what is read of a perf map, in bytes.
const maxPerfMap = 256 << 20

// parsePerfMap reads the format of tools/perf/Documentation/jit-interface.txt of the kernel: "START SIZE NAME" a line, the numbers in
// hexadecimal, the name with spaces. Compilers append when they reuse memory, so the last line for an address counts.
func parsePerfMap(r io.Reader) (*table, error) {
	in := bufio.NewReaderSize(io.LimitReader(r, maxPerfMap), 64<<10)
	var b tableBuilder
	for {
		line, err := in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && err != io.EOF && !full {
			return nil, err
		}
		if !full && !b.addPerfLine(line) {
			break
		}
		if err == io.EOF {
			break
		}
	}
	t := new(table)
	b.build(t)
	return t, nil
}

func (b *tableBuilder) addPerfLine(line []byte) bool {
	startText, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte{' '})
	sizeText, name, _ := bytes.Cut(rest, []byte{' '})
	start, okStart := parseHex(bytes.TrimPrefix(startText, []byte("0x")))
	size, okSize := parseHex(bytes.TrimPrefix(sizeText, []byte("0x")))
	if !okStart || !okSize || size == 0 || size > math.MaxUint32 || len(name) == 0 || bytes.IndexByte(name, 0) >= 0 {
		return true
	}
	return b.add(name, start, size, math.MaxUint32-uint32(len(b.cands)))
}

package symbol

import "bytes"

// parseHex reads hexadecimal digits without a prefix. It exists because strconv needs a string, an allocation for each line.
func parseHex(text []byte) (v uint64, ok bool) {
	if len(text) == 0 || len(text) > 16 {
		return 0, false
	}
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint64(c)
	}
	return v, true
}

// cBytes returns the bytes of b from at up to the zero byte, nil when at lies outside or no zero byte follows.
func cBytes(b []byte, at uint32) []byte {
	if uint64(at) >= uint64(len(b)) {
		return nil
	}
	end := bytes.IndexByte(b[at:], 0)
	if end < 0 {
		return nil
	}
	return b[at : int(at)+end]
}

func cString(b []byte, at uint32) string { return string(cBytes(b, at)) }

// hasCString reports whether the zero-terminated string at the position is s.
func hasCString(b []byte, at uint32, s string) bool {
	end := uint64(at) + uint64(len(s))
	return end < uint64(len(b)) && b[end] == 0 && string(b[at:end]) == s
}

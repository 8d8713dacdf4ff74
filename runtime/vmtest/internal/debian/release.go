package debian

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// fingerprint is what a Release file says about one of a suite's indexes.
type fingerprint struct {
	sha256 string
	size   int64
}

// parseRelease finds the fingerprint of one file in the SHA256 section of a
// Release file whose signature has been checked.
func parseRelease(text, name string) (fingerprint, error) {
	inSection := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, " ") {
			inSection = line == "SHA256:"
			continue
		}
		fields := strings.Fields(line)
		if !inSection || len(fields) != 3 || fields[2] != name {
			continue
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || size <= 0 || !isSHA256(fields[0]) {
			return fingerprint{}, fmt.Errorf("release file: bad entry %.120q", line)
		}
		return fingerprint{sha256: fields[0], size: size}, nil
	}
	if err := lines.Err(); err != nil {
		return fingerprint{}, fmt.Errorf("release file: %w", err)
	}
	return fingerprint{}, fmt.Errorf("release file: no SHA256 of %s", name)
}

package main

import (
	"bytes"
	"strings"
	"testing"
)

// Warnings stand behind errors, and not at all with --no-warnings.
func TestWarningsBehindErrors(t *testing.T) {
	const src = `begin { 1; $x = nope; }`
	for option, want := range map[string]bool{"--quiet": true, "--no-warnings": false} {
		var out, msgs bytes.Buffer
		if code := run([]string{option, "-e", src}, strings.NewReader(""), &out, &msgs); code != exitError {
			t.Errorf("%s: exit code %d", option, code)
		}
		text := msgs.String()
		failed, warned := strings.Index(text, "ERROR"), strings.Index(text, "WARNING")
		if failed < 0 || (warned >= 0) != want || want && warned < failed {
			t.Errorf("%s: %q", option, text)
		}
	}
}

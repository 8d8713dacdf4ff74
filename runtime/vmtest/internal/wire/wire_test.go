package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFramesComeBack(t *testing.T) {
	var line bytes.Buffer
	sent := Command{Args: []string{"a", "b c"}, Dir: "/"}
	if err := errors.Join(WriteJSON(&line, Exec, sent), Write(&line, Kill, nil)); err != nil {
		t.Fatal(err)
	}
	kind, payload, err := Read(&line)
	var got Command
	if err != nil || kind != Exec || json.Unmarshal(payload, &got) != nil || strings.Join(got.Args, "|") != "a|b c" {
		t.Errorf("first frame: kind %d, %q, %v", kind, payload, err)
	}
	if kind, payload, err := Read(&line); err != nil || kind != Kill || len(payload) != 0 {
		t.Errorf("second frame: kind %d, %q, %v", kind, payload, err)
	}
	if _, _, err := Read(&line); err != io.EOF {
		t.Errorf("after the last frame: %v, want io.EOF", err)
	}
}

func TestHostileFrames(t *testing.T) {
	for name, bytes := range map[string]string{
		"kind zero":      "\x00\x00\x00\x00\x00",
		"unknown kind":   "\xff\x00\x00\x00\x00",
		"huge payload":   "\x05\xff\xff\xff\xff",
		"cut header":     "\x05\x00",
		"cut payload":    "\x05\x00\x00\x00\x04ab",
		"missing bytes":  "\x05\x00\x00\x00\x04",
		"garbage (text)": "Linux version 6.1.0",
	} {
		if _, _, err := Read(strings.NewReader(bytes)); err == nil || err == io.EOF {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := Write(io.Discard, Stdout, make([]byte, MaxPayload+1)); err == nil {
		t.Error("a payload above the limit was written")
	}
}

// Package wire is the protocol between the host and the agent in the guest,
// spoken over one virtio-serial port.
//
// A message is a frame: one byte of kind, the payload's length as a 32-bit
// big-endian number, the payload. The guest opens with Hello; then the host
// sends Exec and the guest answers with any number of Stdout and Stderr and one
// Exit. One command runs at a time. Kill ends the running command and is
// ignored when none runs, so a Kill that crosses an Exit is harmless.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// Port is the name of the virtio-serial port.
const Port = "gotrace.vmtest"

// ConfigPath is where the host leaves the guest's Config in the initramfs.
const ConfigPath = "/.vmtest/config.json"

// MaxPayload is the largest payload in bytes that is read or written.
const MaxPayload = 1 << 20

const headerSize = 5

// Kind tells what a frame holds.
type Kind byte

// The kinds of frames, with the type of the payload.
const (
	Hello    Kind = iota + 1 // guest to host: GuestInfo
	Exec                     // host to guest: Command
	Kill                     // host to guest: none
	Shutdown                 // host to guest: none
	Stdout                   // guest to host: raw bytes
	Stderr                   // guest to host: raw bytes
	Exit                     // guest to host: Status
)

// Config is read by the agent at boot.
type Config struct {
	Modules []string // paths of kernel modules, in load order
}

// GuestInfo describes a guest that is up.
type GuestInfo struct {
	Release  string   // as `uname -r`
	Problems []string // what could not be set up; empty in a good guest
}

// Command is a program to run: an argument vector, further environment
// variables as KEY=VALUE and a working directory.
type Command struct {
	Args []string
	Env  []string
	Dir  string
}

// Status is how a command ended: its exit code, or 128 plus the number of the
// signal that ended it. Error is set when it could not be started.
type Status struct {
	Code  int
	Error string
}

// Write sends one frame. The writer sees a single Write call.
func Write(w io.Writer, kind Kind, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("wire: payload of %d bytes is above the limit of %d", len(payload), MaxPayload)
	}
	frame := make([]byte, headerSize, headerSize+len(payload))
	frame[0] = byte(kind)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(payload)))
	_, err := w.Write(append(frame, payload...))
	return err
}

// WriteJSON sends one frame with v as its payload.
func WriteJSON(w io.Writer, kind Kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	return Write(w, kind, payload)
}

// Read receives one frame. It returns io.EOF only between frames.
func Read(r io.Reader) (Kind, []byte, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	kind, size := Kind(head[0]), binary.BigEndian.Uint32(head[1:])
	if kind < Hello || kind > Exit {
		return 0, nil, fmt.Errorf("wire: unknown kind of frame %d", kind)
	}
	if size > MaxPayload {
		return 0, nil, fmt.Errorf("wire: payload of %d bytes is above the limit of %d", size, MaxPayload)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("wire: frame is cut off: %w", io.ErrUnexpectedEOF)
	}
	return kind, payload, nil
}

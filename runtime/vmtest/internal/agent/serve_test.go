package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

// host is the host's end of the link to an agent under test.
type host struct {
	t    *testing.T
	link net.Conn
}

func startAgent(t *testing.T) host {
	t.Helper()
	ours, theirs := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(theirs) }()
	t.Cleanup(func() {
		if err := wire.Write(ours, wire.Shutdown, nil); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	})
	if err := ours.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return host{t, ours}
}

func (h host) send(kind wire.Kind, payload any) {
	h.t.Helper()
	if err := wire.WriteJSON(h.link, kind, payload); err != nil {
		h.t.Fatal(err)
	}
}

// result collects output until the command's end.
func (h host) result(stopAt string) (stdout, stderr string, status wire.Status) {
	h.t.Helper()
	var out, errOut bytes.Buffer
	for {
		kind, payload, err := wire.Read(h.link)
		if err != nil {
			h.t.Fatal(err)
		}
		switch kind {
		case wire.Stdout:
			out.Write(payload)
			if stopAt != "" && strings.Contains(out.String(), stopAt) {
				return out.String(), "", status
			}
		case wire.Stderr:
			errOut.Write(payload)
		case wire.Exit:
			if err := json.Unmarshal(payload, &status); err != nil {
				h.t.Fatal(err)
			}
			return out.String(), errOut.String(), status
		default:
			h.t.Fatalf("unexpected frame of kind %d", kind)
		}
	}
}

func shell(script string) wire.Command {
	return wire.Command{Args: []string{"sh", "-c", script}, Env: []string{"X=env"}, Dir: "/"}
}

func TestCommands(t *testing.T) {
	tests := []struct {
		name           string
		command        wire.Command
		stdout, stderr string
		code           int
		fails          bool
	}{
		{"output and status", shell("echo $X; pwd >&2; exit 3"), "env\n", "/\n", 3, false},
		{"signal", shell("kill -KILL $$"), "", "", 137, false},
		{"no such program", wire.Command{Args: []string{"/no/such"}}, "", "", 127, true},
		{"no arguments", wire.Command{}, "", "", 127, true},
		{"background process holds the output", shell("sleep 1000 & echo x"), "x\n", "", 0, false},
	}
	h := startAgent(t)
	for _, tt := range tests {
		h.send(wire.Exec, tt.command)
		stdout, stderr, status := h.result("")
		if stdout != tt.stdout || stderr != tt.stderr || status.Code != tt.code || (status.Error != "") != tt.fails {
			t.Errorf("%s: stdout %q, stderr %q, status %+v", tt.name, stdout, stderr, status)
		}
	}
}

func TestKill(t *testing.T) {
	h := startAgent(t)
	h.send(wire.Kill, nil) // nothing runs: ignored
	h.send(wire.Exec, shell("echo up; sleep 1000; echo never"))
	h.result("up")
	h.send(wire.Kill, nil)
	if stdout, _, status := h.result(""); stdout != "" || status.Code != 137 {
		t.Errorf("stdout %q, status %+v", stdout, status)
	}
}

func TestHostileHost(t *testing.T) {
	for name, bytes := range map[string]string{
		"guest's frame":  "\x01\x00\x00\x00\x00",
		"command broken": "\x02\x00\x00\x00\x01{",
		"unknown kind":   "\x77\x00\x00\x00\x00",
		"host is gone":   "",
	} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = ours.Write([]byte(bytes))
			ours.Close()
		}()
		if err := serve(theirs); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRefusesToRunElsewhere: the agent would mount over this machine's files.
func TestRefusesToRunElsewhere(t *testing.T) {
	if os.Getpid() == 1 {
		t.Skip("runs as process 1")
	}
	if isGuest() {
		t.Error("this process counts as the first of a guest")
	}
}

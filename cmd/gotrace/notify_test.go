package main

import (
	"bytes"
	"net"
	"path/filepath"
	"testing"
)

// A service manager gets READY=1 on its socket, be that a file or a name in the
// abstract name space; one that is not there is worth a warning.
func TestNotifySocket(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "socket"), "@gotrace-test-" + filepath.Base(t.TempDir())} {
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", path)
		var out, msgs bytes.Buffer
		a := &app{stderr: &msgs}
		a.notify(&out)()
		got := make([]byte, 64)
		n, err := manager.Read(got)
		if string(got[:n]) != "READY=1\n" || err != nil || msgs.Len() > 0 {
			t.Errorf("%s: got %q, %v; messages %q", path, got[:n], err, msgs.String())
		}
		manager.Close()
		a.notify(&out)()
		if msgs.Len() == 0 {
			t.Errorf("%s: nobody listens, but that is not said", path)
		}
	}
}

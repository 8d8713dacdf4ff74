package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mirror serves the given files.
func mirror(t *testing.T, files map[string]string) *Repository {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if content, ok := files[r.URL.Path]; ok {
			_, _ = w.Write([]byte(content))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return &Repository{Base: server.URL, Client: server.Client()}
}

func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestFingerprintIsChecked(t *testing.T) {
	r := mirror(t, map[string]string{"/pool/x.deb": "good"})
	tests := []struct {
		name string
		want fingerprint
		ok   bool
	}{
		{"right", fingerprint{hash("good"), 4}, true},
		{"other content", fingerprint{hash("evil"), 4}, false},
		{"longer than announced", fingerprint{hash("good"), 3}, false},
		{"above the limit", fingerprint{hash("good"), 100}, false},
	}
	for _, tt := range tests {
		data, err := r.getChecked(context.Background(), "pool/x.deb", tt.want, 99)
		if (err == nil) != tt.ok || tt.ok && string(data) != "good" {
			t.Errorf("%s: %q, %v", tt.name, data, err)
		}
	}
	if _, err := r.get(context.Background(), "pool/absent", 10); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("missing file: %v", err)
	}
}

func TestUnsignedSuiteIsRefused(t *testing.T) {
	if _, err := exec.LookPath("gpgv"); err != nil {
		t.Skip("gpgv is not installed")
	}
	r := mirror(t, map[string]string{"/dists/sid/InRelease": "SHA256:\n " + sum + " 10 " + indexName + "\n"})
	if _, err := r.Index(context.Background(), "sid"); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("unsigned suite: error %v", err)
	}
}

// TestUnpack makes a package with dpkg-deb and sees that a wrong one leaves
// nothing behind.
func TestUnpack(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not installed")
	}
	deb := buildPackage(t)
	r := mirror(t, map[string]string{"/pool/demo.deb": deb})
	p := Package{Name: "demo", Filename: "pool/demo.deb", Size: int64(len(deb)), SHA256: hash(deb)}
	dir := filepath.Join(t.TempDir(), "cache/demo")
	if err := r.Unpack(context.Background(), []Package{p}, dir); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "usr/share/demo")); err != nil || string(content) != "payload" {
		t.Errorf("unpacked %q, %v", content, err)
	}

	p.SHA256 = sum
	dir = filepath.Join(t.TempDir(), "demo")
	if err := r.Unpack(context.Background(), []Package{p}, dir); err == nil {
		t.Error("a package of another fingerprint was unpacked")
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func buildPackage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"DEBIAN/control": "Package: demo\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n",
		"usr/share/demo": "payload",
	} {
		file := filepath.Join(dir, "tree", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "demo.deb")
	if out, err := exec.Command("dpkg-deb", "--build", filepath.Join(dir, "tree"), file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ulikunitz/xz"
)

const (
	keyring      = "/usr/share/keyrings/debian-archive-keyring.gpg"
	indexName    = "main/binary-amd64/Packages.xz"
	maxRelease   = 4 << 20   // bytes; InRelease of a suite has 150 kB
	maxIndexFile = 128 << 20 // bytes, compressed; sid has 11 MB
	maxIndexText = 1 << 30   // bytes, unpacked; sid has 65 MB
	maxPackage   = 1 << 30   // bytes; a kernel image has 100 MB at most
)

// Repository is a Debian mirror. The zero value is not usable: Base and Client
// must be set. It remembers the indexes it has read; its methods must not be
// called concurrently.
type Repository struct {
	Base    string // URL before "/dists" and "/pool"
	Client  *http.Client
	Log     func(format string, args ...any) // progress; may be nil
	indexes map[string]*Index
}

// Index returns the packages of a suite's main component for amd64.
func (r *Repository) Index(ctx context.Context, suite string) (*Index, error) {
	if index, ok := r.indexes[suite]; ok {
		return index, nil
	}
	r.log("reading the package index of %s", suite)
	index, err := r.fetchIndex(ctx, suite)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", suite, err)
	}
	if r.indexes == nil {
		r.indexes = map[string]*Index{}
	}
	r.indexes[suite] = index
	return index, nil
}

func (r *Repository) fetchIndex(ctx context.Context, suite string) (*Index, error) {
	signed, err := r.get(ctx, "dists/"+suite+"/InRelease", maxRelease)
	if err != nil {
		return nil, err
	}
	release, err := verifySignature(ctx, signed)
	if err != nil {
		return nil, err
	}
	want, err := parseRelease(string(release), indexName)
	if err != nil {
		return nil, err
	}
	packed, err := r.getChecked(ctx, "dists/"+suite+"/"+indexName, want, maxIndexFile)
	if err != nil {
		return nil, err
	}
	text, err := xz.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return ParseIndex(&limitedReader{r: text, left: maxIndexText})
}

// Unpack fetches packages and unpacks all of them into dir, which must not
// exist yet and appears only when it is complete.
func (r *Repository) Unpack(ctx context.Context, packages []Package, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), ".partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	tree := filepath.Join(partial, "tree")
	for _, p := range packages {
		if err := r.unpackOne(ctx, p, filepath.Join(partial, "deb"), tree); err != nil {
			return fmt.Errorf("package %s %s: %w", p.Name, p.Version, err)
		}
	}
	return os.Rename(tree, dir)
}

func (r *Repository) unpackOne(ctx context.Context, p Package, file, tree string) error {
	r.log("fetching %s %s (%d kB)", p.Name, p.Version, p.Size>>10)
	data, err := r.getChecked(ctx, p.Filename, fingerprint{p.SHA256, p.Size}, maxPackage)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "dpkg-deb", "--extract", file, tree))
}

// getChecked fetches a file whose size and SHA256 are known.
func (r *Repository) getChecked(ctx context.Context, name string, want fingerprint, limit int64) ([]byte, error) {
	if want.size > limit {
		return nil, fmt.Errorf("%s: %d bytes is above the limit of %d", name, want.size, limit)
	}
	data, err := r.get(ctx, name, want.size)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want.sha256 {
		return nil, fmt.Errorf("%s: SHA256 is %s, must be %s", name, got, want.sha256)
	}
	return data, nil
}

// get fetches a file of at most limit bytes.
func (r *Repository) get(ctx context.Context, name string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Base+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	response, err := r.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the mirror answers %s", name, response.Status)
	}
	data, err := io.ReadAll(&limitedReader{r: response.Body, left: limit})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// verifySignature returns the text of a clear-signed message that a key of
// Debian's archive keyring has signed.
func verifySignature(ctx context.Context, signed []byte) ([]byte, error) {
	var text bytes.Buffer
	cmd := exec.CommandContext(ctx, "gpgv", "--keyring", keyring, "--output", "-")
	cmd.Stdin, cmd.Stdout = bytes.NewReader(signed), &text
	if err := run(cmd); err != nil {
		return nil, fmt.Errorf("signature of the release file (needs gpgv, debian-archive-keyring): %w", err)
	}
	return text.Bytes(), nil
}

// run puts what a failing program said into the error.
func run(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd.Args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

func (r *Repository) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(format, args...)
	}
}

var errTooLong = errors.New("more data than announced or allowed")

// limitedReader is an io.LimitedReader that reports an overrun as an error.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

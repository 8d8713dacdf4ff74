package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// ErrNoMirror is returned when apt's sources name no Debian mirror.
var ErrNoMirror = errors.New("apt's sources name no Debian mirror")

// FindMirror returns the base URL of the first Debian mirror in the sources of
// etcApt, the file system at /etc/apt: the part before "/dists". A mirror
// counts as Debian's when its path ends in "/debian" and it is reached over
// http or https; security and third-party archives are passed over. Both
// formats of sources.list(5) are read.
func FindMirror(etcApt fs.FS) (string, error) {
	files, err := fs.Glob(etcApt, "sources.list.d/*")
	if err != nil {
		return "", err
	}
	slices.Sort(files)
	for _, name := range append(files, "sources.list") {
		var uris []string
		switch path.Ext(name) {
		case ".sources":
			uris, err = readSources(etcApt, name, deb822URIs)
		case ".list":
			uris, err = readSources(etcApt, name, oneLineURI)
		default:
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		for _, uri := range uris {
			if base, ok := debianBase(uri); ok {
				return base, nil
			}
		}
	}
	return "", ErrNoMirror
}

func readSources(fsys fs.FS, name string, parse func(line string) []string) ([]string, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var uris []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		uris = append(uris, parse(strings.TrimSpace(lines.Text()))...)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return uris, nil
}

// deb822URIs reads a "URIs:" field.
func deb822URIs(line string) []string {
	key, value, ok := strings.Cut(line, ":")
	if !ok || !strings.EqualFold(key, "URIs") {
		return nil
	}
	return strings.Fields(value)
}

// oneLineURI reads a line such as "deb [arch=amd64] URI suite component".
func oneLineURI(line string) []string {
	rest, ok := strings.CutPrefix(line, "deb")
	if !ok || rest == strings.TrimLeft(rest, " \t") {
		return nil
	}
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "[") {
		if _, rest, ok = strings.Cut(rest, "]"); !ok {
			return nil
		}
	}
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return nil
	}
	return fields[:1]
}

func debianBase(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	base := strings.TrimRight(uri, "/")
	return base, strings.HasSuffix(base, "/debian")
}

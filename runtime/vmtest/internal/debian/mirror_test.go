package debian

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestFindMirror(t *testing.T) {
	tests := []struct {
		name, file, text, want string
	}{
		{"deb822", "sources.list.d/debian.sources",
			"Types: deb\n# old: http://old.example/debian\nURIs: http://mirror.example/debian\nSuites: bookworm\n",
			"http://mirror.example/debian"},
		{"several URIs, final slash", "sources.list.d/debian.sources",
			"uris: https://mirror.example/debian-security https://mirror.example/debian/\n",
			"https://mirror.example/debian"},
		{"one line", "sources.list",
			"deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"},
		{"one line with options", "sources.list",
			"deb\t[ arch=amd64 signed-by=/k ] http://mirror.example/pub/debian/ sid main\n",
			"http://mirror.example/pub/debian"},
		{"third party first", "sources.list",
			"deb http://other.example/apt stable main\ndeb http://mirror.example/debian sid main\n",
			"http://mirror.example/debian"},
		{"commented out", "sources.list", "# deb http://mirror.example/debian sid main\n", ""},
		{"source packages only", "sources.list", "deb-src http://mirror.example/debian sid main\n", ""},
		{"not over the network", "sources.list", "deb file:/srv/debian sid main\n", ""},
		{"options never closed", "sources.list", "deb [ http://mirror.example/debian sid main\n", ""},
		{"no suite", "sources.list", "deb http://mirror.example/debian\n", ""},
		{"disabled by its extension", "sources.list.d/debian.sources.save", "URIs: http://mirror.example/debian\n", ""},
		{"broken URL", "sources.list", "deb http://[::1/debian sid main\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FindMirror(fstest.MapFS{tt.file: {Data: []byte(tt.text)}})
			if got != tt.want || errors.Is(err, ErrNoMirror) != (tt.want == "") {
				t.Errorf("FindMirror = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

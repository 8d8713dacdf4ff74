package debian

import (
	"strings"
	"testing"
)

const sum = "efe19f605b6f54a8352e68d85a629abb2d30b72a085faef603a9152590baa791"

// stanza returns the entry of a package, with further fields.
func stanza(name, version string, fields ...string) string {
	return "Package: " + name + "\nVersion: " + version + "\nFilename: pool/" + name + ".deb\nSize: 10\nSHA256: " +
		sum + "\nDescription: text\n with: a continuation\n" + strings.Join(append(fields, "\n"), "\n")
}

func parse(t *testing.T, text string) *Index {
	t.Helper()
	index, err := ParseIndex(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestParseIndex(t *testing.T) {
	index := parse(t, stanza("tool", "1.2-3",
		"Pre-Depends: libc6 (>= 2.34)", "Depends: a | b [amd64], python3:any (>= 3)", "Provides: awk (= 1), editor"))
	p, ok := index.Lookup("tool")
	if !ok || p.Version != "1.2-3" || p.Filename != "pool/tool.deb" || p.Size != 10 || p.SHA256 != sum {
		t.Errorf("package %+v, %v", p, ok)
	}
	var rows []string
	for _, row := range p.Depends {
		rows = append(rows, strings.Join(row, "|"))
	}
	if got := strings.Join(rows, " "); got != "libc6 a|b python3" {
		t.Errorf("depends on %q", got)
	}
	if got := strings.Join(p.Provides, " "); got != "awk editor" {
		t.Errorf("provides %q", got)
	}
}

func TestNewestVersionWins(t *testing.T) {
	index := parse(t, stanza("tool", "1.10")+stanza("tool", "1.9")+stanza("tool2", "1.8"))
	if p, _ := index.Lookup("tool"); p.Version != "1.10" {
		t.Errorf("Lookup finds %s", p.Version)
	}
	p, ok := index.Newest(func(name string) bool { return strings.HasPrefix(name, "tool") })
	if !ok || p.Name != "tool" {
		t.Errorf("Newest finds %q, %v", p.Name, ok)
	}
	if _, ok := index.Newest(func(string) bool { return false }); ok {
		t.Error("Newest finds something that does not match")
	}
}

func TestHostileIndex(t *testing.T) {
	good := stanza("tool", "1")
	parse(t, good)
	for name, text := range map[string]string{
		"path to the parent":   strings.Replace(good, "pool/", "../../", 1),
		"hidden parent":        strings.Replace(good, "pool/", "pool/../../", 1),
		"absolute path":        strings.Replace(good, "pool/", "/pool/", 1),
		"query in the path":    strings.Replace(good, "pool/", "pool?x=", 1),
		"no fingerprint":       strings.Replace(good, "SHA256: "+sum, "X: y", 1),
		"short fingerprint":    strings.Replace(good, sum, sum[:62], 1),
		"not hexadecimal":      strings.Replace(good, sum, strings.Repeat("z", 64), 1),
		"negative size":        strings.Replace(good, "Size: 10", "Size: -1", 1),
		"huge size":            strings.Replace(good, "Size: 10", "Size: 99999999999999999999", 1),
		"slash in the name":    strings.Replace(good, "Package: tool", "Package: a/b", 1),
		"option as a name":     strings.Replace(good, "Package: tool", "Package: -rf", 1),
		"no name":              strings.Replace(good, "Package: tool", "X: y", 1),
		"binary":               "\x7fELF\x02\x01\x01",
		"line without an end":  "Package: " + strings.Repeat("x", maxLine),
		"field without colon":  "Package\n",
		"last stanza is wrong": good + "Package: tool\n",
	} {
		if index, err := ParseIndex(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted as %v", name, index.packages)
		}
	}
}

func TestClosure(t *testing.T) {
	index := parse(t, stanza("app", "1", "Depends: lib, mail-server, fast | slow")+
		stanza("lib", "1", "Depends: base")+
		stanza("base", "1", "Depends: lib")+ // a cycle
		stanza("slow", "1")+
		stanza("mta", "1", "Provides: mail-server"))
	packages, err := index.Closure("app")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, " "); got != "base lib mta slow app" {
		t.Errorf("closure is %q", got)
	}
	if _, err := index.Closure("absent"); err == nil {
		t.Error("a package that does not exist was found")
	}
	if _, err := parse(t, stanza("app", "1", "Depends: absent | gone")).Closure("app"); err == nil ||
		!strings.Contains(err.Error(), "absent or gone") {
		t.Errorf("missing dependency: error %v", err)
	}
}

func TestClosureKeepsAChosenAlternative(t *testing.T) {
	index := parse(t, stanza("slow", "1")+stanza("fast", "1")+stanza("app", "1", "Depends: fast | slow"))
	packages, err := index.Closure("slow", "app")
	if err != nil || len(packages) != 2 {
		t.Errorf("closure is %v, %v; want slow and app only", packages, err)
	}
}

// TestCompareVersions lists versions in ascending order.
func TestCompareVersions(t *testing.T) {
	ascending := []string{
		"", "0.9~~", "0.9~", "0.9~rc1-1", "0.9", "0.9a", "0.9+b1", "0.10", "1.0-1", "1.0-1+b1", "1.0-2", "1.0-10",
		"6.1.176-1", "6.12.117-1", "1:0.5", "2:0.1",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := CompareVersions(a, b); sign(got) != sign(i-j) {
				t.Errorf("CompareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
	if CompareVersions("1.007", "1.7") != 0 {
		t.Error("leading zeros count")
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestParseRelease(t *testing.T) {
	const name = "main/binary-amd64/Packages.xz"
	head := "Suite: stable\nMD5Sum:\n " + sum[:32] + " 5 " + name + "\nSHA256:\n"
	got, err := parseRelease(head+" "+sum+" 1234 "+name+"\n", name)
	if err != nil || got != (fingerprint{sum, 1234}) {
		t.Errorf("parseRelease = %+v, %v", got, err)
	}
	for text, rest := range map[string]string{
		"other file": " " + sum + " 1234 " + name + ".old\n",
		"only MD5":   "",
		"bad size":   " " + sum + " -4 " + name + "\n",
		"bad sum":    " " + sum[1:] + " 1234 " + name + "\n",
	} {
		if got, err := parseRelease(head+rest, name); err == nil {
			t.Errorf("%s: accepted as %+v", text, got)
		}
	}
}

package symbol

import (
	"bufio"
	"io/fs"
	"strconv"
	"strings"
	"sync"
)

// Users names user ids by etc/passwd. Names from other sources (NSS: LDAP, systemd) are not known: they would need the C library.
type Users struct {
	root  fs.FS
	once  sync.Once
	names map[uint32]string
}

// NewUsers returns a Users that reads etc/passwd in root, usually os.DirFS("/"), at the first lookup.
func NewUsers(root fs.FS) *Users { return &Users{root: root} }

// Name returns the name of a user id; ok is false for an unknown one, and for all when the file cannot be read.
func (u *Users) Name(uid uint32) (name string, ok bool) {
	u.once.Do(u.load)
	name, ok = u.names[uid]
	return name, ok
}

// load reads NAME:PASSWORD:UID:… lines, see passwd(5). The first line of an id counts, as for getpwuid(3).
func (u *Users) load() {
	u.names = make(map[uint32]string)
	f, err := u.root.Open("etc/passwd")
	if err != nil {
		return
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.SplitN(in.Text(), ":", 4)
		if len(fields) < 4 {
			continue
		}
		uid, err := strconv.ParseUint(fields[2], 10, 32)
		if _, known := u.names[uint32(uid)]; err == nil && !known {
			u.names[uint32(uid)] = fields[0]
		}
	}
}

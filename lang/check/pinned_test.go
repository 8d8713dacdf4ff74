package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestPinnedIterator shows what a pinned iterator can not do, as gotrace has
// ended when it runs, and that one that is not pinned can.
func TestPinnedIterator(t *testing.T) {
	const format = "printf() can not print "
	for program, want := range map[string]string{
		`print(1);`:                                    "print() can not be used in a pinned iterator",
		`@a = 1; print(@a);`:                           "print() can not be used",
		`time();`:                                      "time() can not be used",
		`cat("/dev/null");`:                            "cat() can not be used",
		`join(0);`:                                     "join() can not be used",
		`errorf("x");`:                                 "errorf() can not be used",
		`warnf("x");`:                                  "warnf() can not be used",
		`exit();`:                                      "exit() can not be used",
		`assert(pid > 0, "x");`:                        "assert() can not be used",
		`@a = 1; clear(@a);`:                           "clear() can not be used",
		`@a = 1; zero(@a);`:                            "zero() can not be used",
		`printf("%r", buf(ctx.task.comm, 4));`:         format + "%r",
		`printf("%s", buf(ctx.task.comm, 4));`:         format + "a value of type buffer",
		`printf("%o", pid);`:                           format + "%o",
		`printf("%gr", pid);`:                          format + "%gr",
		`printf("%#x", pid);`:                          format + "%x with the flag #",
		`printf("%20p", pid);`:                         format + "a pointer with a width",
		`printf("%200s", comm);`:                       format + "a field of 200 columns",
		`printf("%s", (1, 2));`:                        format + "a value of type tuple",
		`printf("%s", kstack);`:                        format + "a value of type kstack",
		`printf("%s", ksym(0));`:                       format + "a value of type ksym",
		`printf("%s", strftime("%H", nsecs));`:         format + "a value of type timestamp",
		`printf("%s", (enum pid_type)0);`:              format + "the name of an enum",
		`printf("%d %s %c %x", 1, comm, 65, pid);`:     "",
		`printf("%d", (enum pid_type)0); return;`:      "",
		`@a[pid] = 1; printf("%d", has_key(@a, pid));`: "",
	} {
		_, list := compile(hosttest.New(), "enum pid_type { PID, TID } iter:task:pin { "+program+" }")
		if got := list.Error(); list.HasErrors() != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: want %q, got %q", program, want, got)
		}
		if _, list := compile(hosttest.New(), "enum pid_type { PID, TID } iter:task { "+program+" }"); list.HasErrors() {
			t.Errorf("%s, not pinned: %s", program, list.Error())
		}
	}
}

// TestUnreadMaps shows which maps of a pinned iterator draw a warning: what it
// only writes nobody prints.
func TestUnreadMaps(t *testing.T) {
	for program, want := range map[string]bool{
		`@ = count();`:          true,
		`@++;`:                  true,
		`@ += 2;`:               true,
		`@[pid] = 1;`:           true,
		`printf("%d", @++);`:    false,
		`@++; printf("%d", @);`: false,
		`@[pid] = 1; if (has_key(@, 1)) { return; }`:   false,
		`@[pid] = 1; for ($kv : @) { printf("x"); }`:   false,
		`@[pid] = 1; if (delete(@, pid)) { return; }`:  false,
		`@[pid] = count(); printf("%d", (uint8)@[1]);`: false,
	} {
		if got := warnings(t, "iter:task:pin { "+program+" }"); strings.Contains(got, "is not read") != want {
			t.Errorf("%s: want a warning: %v, got %q", program, want, got)
		}
		if got := warnings(t, "iter:task { "+program+" }"); strings.Contains(got, "is not read") {
			t.Errorf("%s, not pinned: %q", program, got)
		}
	}
}

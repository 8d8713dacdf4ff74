package symbol

import (
	"fmt"
	"testing"
	"testing/fstest"
)

func TestUsers(t *testing.T) {
	u := NewUsers(fstest.MapFS{"etc/passwd": {Data: []byte("root:x:0:0:root:/root:/bin/sh\n# x\n\nada:x:1000:1:::\nsecond:x:1000:1:::\nbad:x:y:1\n")}})
	for uid, want := range map[uint32]string{0: "root", 1000: "ada", 7: "", 1<<32 - 1: ""} {
		if got, ok := u.Name(uid); got != want || ok != (want != "") {
			t.Errorf("user %d is %q, %v", uid, got, ok)
		}
	}
	if got, ok := NewUsers(fstest.MapFS{}).Name(0); ok {
		t.Errorf("without passwd user 0 is %q", got)
	}
}

func ExampleDemangle() {
	fmt.Println(Demangle("_ZNK2ns3Foo3barEv"))
	// Output: ns::Foo::bar() const
}

package session

import (
	"errors"
	"testing"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// Reports become one list, which errors.As finds, in their order; other errors
// stay beside it.
func TestJoinReports(t *testing.T) {
	report := func(msg string) error {
		list := &diag.List{}
		list.Errorf(diag.AttachFailed, source.Span{}, "%s", msg)
		return list
	}
	other := errors.New("other")
	for _, tt := range []struct {
		errs    []error
		reports int
		other   bool
	}{
		{nil, 0, false},
		{[]error{nil, nil}, 0, false},
		{[]error{nil, other}, 0, true},
		{[]error{report("a"), nil}, 1, false},
		{[]error{report("a"), report("b"), report("c")}, 3, false},
		{[]error{other, report("a"), nil, report("b")}, 2, true},
	} {
		err := joinReports(tt.errs...)
		if (err != nil) != (tt.reports > 0 || tt.other) {
			t.Errorf("%v: %v", tt.errs, err)
		}
		list := &diag.List{}
		errors.As(err, &list)
		for i, d := range list.Diags {
			if d.Msg != string(rune('a'+i)) {
				t.Errorf("%v: report %d is %q", tt.errs, i, d.Msg)
			}
		}
		if len(list.Diags) != tt.reports || errors.Is(err, other) != tt.other {
			t.Errorf("%v: %v", tt.errs, err)
		}
	}
}

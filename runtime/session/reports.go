package session

import (
	"errors"

	"github.com/gotrace/gotrace/lang/diag"
)

// joinReports joins errors as errors.Join does, after making one list of those
// that are reports: errors.As finds one list only, which is to have them all. Of
// shortages the first stands for all.
func joinReports(errs ...error) error {
	var reports *diag.List
	var others []error
	short := false
	for _, err := range errs {
		list, ok := err.(*diag.List)
		_, isShort := err.(*shortage)
		switch {
		case isShort && short:
		case !ok:
			short = short || isShort
			others = append(others, err)
		case reports == nil:
			reports = &diag.List{Files: list.Files, Diags: list.Diags}
		default:
			reports.Diags = append(reports.Diags, list.Diags...)
		}
	}
	rest := errors.Join(others...)
	switch {
	case reports == nil:
		return rest
	case rest == nil:
		return reports
	}
	return errors.Join(reports, rest)
}

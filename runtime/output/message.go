package output

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/runtime/event"
)

// appendHead writes "file:line:from-to: WARNING: " or, of a place that spans
// lines, "file:first-last: WARNING: ", and the message.
func appendHead(dst []byte, pos *object.Position, severity diag.Severity, msg string, color bool) []byte {
	start := len(dst)
	if pos != nil && pos.File != "" {
		dst = append(append(dst, pos.File...), ':')
		dst = strconv.AppendInt(dst, int64(pos.Line), 10)
		if spansLines(pos) {
			dst = strconv.AppendInt(append(dst, '-'), int64(pos.Line2), 10)
		} else {
			dst = strconv.AppendInt(append(dst, ':'), int64(pos.Col), 10)
			dst = strconv.AppendInt(append(dst, '-'), int64(pos.EndCol), 10)
		}
		dst = append(dst, ": "...)
	}
	dst = append(append(append(dst, severity.String()...), ": "...), msg...)
	if color {
		dst = append(dst[:start], diag.Paint(severity, string(dst[start:]))...)
	}
	return append(dst, '\n')
}

func spansLines(pos *object.Position) bool { return pos.Line2 > pos.Line }

// appendSource shows the line of the script and marks the place in it.
func appendSource(dst []byte, pos *object.Position) []byte {
	if pos == nil || pos.File == "" {
		return dst
	}
	text := strings.TrimSuffix(pos.SourceLine, "\n")
	if !spansLines(pos) {
		return append(dst, diag.Excerpt(text, pos.Col, pos.EndCol)...)
	}
	for line := range strings.SplitSeq(text, "\n") {
		dst = append(append(dst, diag.Plain(line)...), '\n')
	}
	return dst
}

// appendOuter shows the calls that a place in a macro was expanded from.
func appendOuter(dst []byte, pos *object.Position, severity diag.Severity, color bool) []byte {
	if pos == nil {
		return dst
	}
	for pos = pos.Outer; pos != nil; pos = pos.Outer {
		dst = appendHead(dst, pos, severity, "expanded from", color)
		dst = appendSource(dst, pos)
	}
	return dst
}

// appendMessage writes an errorf or warnf. Its last line end is its own or the
// one that is added.
func (f *Formatter) appendMessage(dst []byte, e *event.Message, color bool) []byte {
	f.scratch = f.AppendText(f.scratch[:0], e.Text)
	text := strings.TrimSuffix(string(f.scratch), "\n")
	dst = appendHead(dst, e.Pos, e.Severity, text, color)
	return appendOuter(dst, e.Pos, e.Severity, color)
}

func appendWarning(dst []byte, e *event.Warning, color bool) []byte {
	dst = appendHead(dst, e.Pos, diag.Warning, e.Msg, color)
	dst = appendSource(dst, e.Pos)
	return appendOuter(dst, e.Pos, diag.Warning, color)
}

func appendHelperError(dst []byte, e *event.HelperError, color bool) []byte {
	dst = appendHead(dst, e.Pos, diag.Warning, helperMessage(e), color)
	dst = append(append(dst, "Additional Info - helper: "...), e.Helper...)
	dst = strconv.AppendInt(append(dst, ", retcode: "...), e.Code, 10)
	dst = appendSource(append(dst, '\n'), e.Pos)
	return appendOuter(dst, e.Pos, diag.Warning, color)
}

// stackLostMessage says why a stack was lost.
func stackLostMessage(e *event.StackLost) string {
	if e.Code == -int64(syscall.E2BIG) {
		return "Stack lost: the map of stacks is full"
	}
	return "Stack lost: " + errorText(e.Code)
}

func appendLostTotal(dst []byte, e *event.LostTotal, color bool) []byte {
	return appendHead(dst, nil, diag.Warning, "Total lost event count: "+strconv.FormatUint(e.Count, 10), color)
}

// helperMessage says what a failed helper means for the script.
func helperMessage(e *event.HelperError) string {
	switch {
	case e.Helper == "map_update_elem" && e.Code == -int64(syscall.E2BIG):
		return "Map full; can't update element. Try increasing max_map_keys config or manually setting the max entries in a map declaration e.g. `let @a = hash(5000)`"
	case e.Helper == "map_lookup_elem" && e.Code == 0:
		return "Can't lookup map element because it does not exist."
	case e.Helper == "map_delete_elem" && e.Code == -int64(syscall.ENOENT):
		return "Can't delete map element because it does not exist."
	}
	return errorText(e.Code)
}

// errorText is strerror(3) of a negative errno. The syscall package has its
// texts with a small first letter.
func errorText(code int64) string {
	errno := -code
	if errno == 0 {
		return "Success"
	}
	text := ""
	if errno > 0 && errno < 1<<31 {
		text = syscall.Errno(errno).Error()
	}
	if text == "" || strings.HasPrefix(text, "errno ") {
		return "Unknown error " + strconv.FormatInt(errno, 10)
	}
	return capital(text)
}

func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

package output

import (
	"strconv"
	"time"

	"github.com/gotrace/gotrace/runtime/event"
)

// Tags of the report on tests, always coloured.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	reset = "\x1b[0m"

	tagBar    = green + "[==========]" + reset + " "
	tagRun    = green + "[ RUN      ]" + reset + " "
	tagOK     = green + "[       OK ]" + reset + " "
	tagPassed = green + "[  PASSED  ]" + reset + " "
	tagFailed = red + "[  FAILED  ]" + reset + " "
)

// Columns of the table of benchmarks.
const (
	benchColumns = 41
	timeColumns  = 15
	benchHead    = "Iterations"
)

// appendReport writes the events of --test and --bench.
func appendReport(dst []byte, e event.Event) []byte {
	switch e := e.(type) {
	case *event.TestsBegin:
		dst = appendCount(append(dst, tagBar+"Running "...), e.Count, "test")
		return append(dst, ".\n"...)
	case *event.TestBegin:
		return append(append(append(dst, tagRun...), e.Name...), '\n')
	case *event.TestResult:
		return appendTestResult(dst, e)
	case *event.TestsEnd:
		return appendTestsEnd(dst, e)
	case *event.Bench:
		return appendBench(dst, e.Results)
	}
	return dst
}

// appendTestResult shows what a failed test printed, and drops that of others.
func appendTestResult(dst []byte, e *event.TestResult) []byte {
	tag := tagOK
	if !e.Passed {
		dst = append(dst, e.Output...)
		tag = tagFailed
	}
	dst = append(append(append(dst, tag...), e.Name...), " ("...)
	return append(appendDuration(dst, e.Duration), ")\n"...)
}

// appendDuration writes whole units, the largest that gives at least one.
func appendDuration(dst []byte, d time.Duration) []byte {
	switch {
	case d >= time.Second:
		return append(strconv.AppendInt(dst, int64(d/time.Second), 10), " s"...)
	case d >= time.Millisecond:
		return append(strconv.AppendInt(dst, int64(d/time.Millisecond), 10), " ms"...)
	case d >= time.Microsecond:
		return append(strconv.AppendInt(dst, int64(d/time.Microsecond), 10), " μs"...)
	}
	return append(strconv.AppendInt(dst, int64(d), 10), " ns"...)
}

func appendTestsEnd(dst []byte, e *event.TestsEnd) []byte {
	dst = appendCount(append(dst, tagBar...), e.Passed+len(e.Failed), "test")
	dst = appendCount(append(dst, " ran.\n"+tagPassed...), e.Passed, "test")
	dst = append(dst, ".\n"...)
	if len(e.Failed) == 0 {
		return dst
	}
	dst = appendCount(append(dst, tagFailed...), len(e.Failed), "test")
	dst = append(dst, ", listed below:\n"...)
	for _, name := range e.Failed {
		dst = append(append(append(dst, tagFailed...), name...), '\n')
	}
	return dst
}

func appendBench(dst []byte, results []event.BenchResult) []byte {
	width := benchColumns
	for i := range results {
		width = max(width, len(results[i].Name)+1)
	}
	dst = appendColumn(dst, "Benchmark", width)
	dst = append(appendColumn(dst, "Time(ns)", timeColumns), benchHead+"\n"...)
	for range width + timeColumns + len(benchHead) {
		dst = append(dst, '-')
	}
	dst = append(dst, '\n')
	for i := range results {
		r := &results[i]
		dst = appendColumn(dst, r.Name, width)
		dst = appendColumn(dst, strconv.FormatInt(int64(r.Average), 10), timeColumns)
		dst = append(strconv.AppendUint(dst, r.Iterations, 10), '\n')
	}
	return dst
}

func appendColumn(dst []byte, text string, width int) []byte {
	return appendSpaces(append(dst, text...), width-len(text))
}

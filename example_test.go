package gotrace_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/gotrace/gotrace"
)

// Compiling needs no privilege. What cannot run is reported with its place.
func ExampleCompile() {
	_, err := gotrace.Compile("hello.gt", `begin { print($greeting); }`, nil)
	fmt.Println(err)
	// Output:
	// hello.gt:1:15-24: ERROR: Undefined or undeclared variable: $greeting
	// begin { print($greeting); }
	//               ~~~~~~~~~
}

// The reports of a faulty script are data.
func ExampleCompile_diagnostics() {
	_, err := gotrace.Compile("two.gt", `begin { $x = nothing; print($y); }`, nil)
	var list *gotrace.DiagnosticList
	if errors.As(err, &list) {
		for _, d := range list.Diags {
			at := list.Files.Position(d.Span.Start)
			fmt.Printf("GT%d in line %d, column %d\n", d.Code, at.Line, at.Col)
		}
	}
	// Output:
	// GT3001 in line 1, column 14
	// GT3001 in line 1, column 29
}

// A Program shows what it will attach to and what the kernel will run.
func ExampleProgram_Object() {
	prog, err := gotrace.Compile("count.gt", `interval:s:1 { @seconds++; }`, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range prog.Targets() {
		fmt.Println(t.Name)
	}
	for _, m := range prog.Object().Maps {
		if m.Name[0] == '@' {
			fmt.Println(m.Name, "holds", m.Value)
		}
	}
	// Output:
	// interval:s:1
	// @seconds holds int64
}

func ExampleFormat() {
	text, err := gotrace.Format("tidy.gt", `BEGIN{@a=count();print(@a)}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// BEGIN
	// {
	//   @a = count();
	//   print(@a);
	// }
}

// Tracing needs the privileges of the kernel: root, or CAP_BPF and CAP_PERFMON.
func ExampleProgram_Start() {
	prog, err := gotrace.Compile("opens.gt", `tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }`, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	session, err := prog.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	if err := session.Wait(); err != nil { // until Ctrl-C
		log.Fatal(err)
	}
	snap, err := session.Snapshot("@")
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range snap.Entries {
		fmt.Printf("%s opened %d files\n", e.Key.Text(), e.Agg.Value)
	}
}

// The keys and values of a Snapshot are what the kernel stores, of a stack a
// hash. The Session turns them into text.
func ExampleSession_text() {
	prog, err := gotrace.Compile("stacks.gt", `profile:hz:99 { @[kstack, comm] = count(); } interval:s:5 { exit(); }`, nil)
	if err != nil {
		log.Fatal(err)
	}
	session, err := prog.Start(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close() // which takes the stacks away
	if err := session.Wait(); err != nil {
		log.Fatal(err)
	}
	snap, err := session.Snapshot("@")
	if err != nil {
		log.Fatal(err)
	}
	snap.Top(3)
	for _, e := range snap.Entries {
		fmt.Println(e.Agg.Value, "times", session.Text(e.Key))
	}
}

// printer is a Sink of our own.
type printer struct{}

// Event implements gotrace.Sink.
func (printer) Event(e gotrace.Event) error {
	fmt.Printf("%T\n", e)
	return nil
}

// Map implements gotrace.Sink.
func (printer) Map(s *gotrace.Snapshot) error {
	fmt.Println(s.Name, "has", len(s.Entries), "elements")
	return nil
}

// What a script says can go to a Sink instead of a stream.
func ExampleRunOptions_sink() {
	prog, err := gotrace.Compile("squares.gt", `begin { for ($i : 0..10) { @square[$i] = $i * $i; } }`, nil)
	if err != nil {
		log.Fatal(err)
	}
	session, err := prog.Start(context.Background(), &gotrace.RunOptions{Sink: printer{}})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	if err := session.Wait(); err != nil {
		log.Fatal(err)
	}
}

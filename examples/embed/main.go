// Command embed runs a gotrace script inside a Go program and draws a picture
// of its own from the script's map: the sizes of reads, once a second.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/gotrace/gotrace"
)

const script = `tracepoint:syscalls:sys_exit_read /args.ret > 0/ { @sizes = hist(args.ret); }`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := trace(ctx); err != nil {
		log.Fatal(err)
	}
}

func trace(ctx context.Context) error {
	prog, err := gotrace.Compile("reads.gt", script, nil)
	if err != nil {
		return err
	}
	session, err := prog.Start(ctx, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	for ctx.Err() == nil {
		time.Sleep(time.Second)
		snap, err := session.Snapshot("@sizes")
		if err != nil {
			return err
		}
		draw(snap)
	}
	return session.Wait() // prints the map as gotrace itself draws it
}

// draw prints one line: a block for each bucket, as high as its share.
func draw(snap *gotrace.Snapshot) {
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	for _, e := range snap.Entries {
		most := max(slices.Max(e.Agg.Buckets), 1)
		var line []rune
		for _, n := range e.Agg.Buckets {
			line = append(line, blocks[(n*8+most-1)/most])
		}
		fmt.Printf("%8d reads |%s|\n", e.Agg.Value, string(line))
	}
}

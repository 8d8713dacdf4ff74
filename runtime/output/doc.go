// Package output prints the events and maps of a run.
//
// Input: events of package event, snapshots of package maps. Output: text
// (language reference, section 14) or JSON lines (section 15) that equal those
// of bpftrace 0.27, byte for byte. Programs that embed gotrace implement Sink
// themselves and may use a Formatter for values.
//
// Invariants:
//   - Formatting appends to byte slices that are used again; printing an event
//     does not allocate once the buffers have grown.
//   - Values are hostile: what a type promises and the bytes do not hold reads
//     as zero.
//   - A reader that goes away (EPIPE) is no failure: see ErrClosed.
package output

// Package event turns the records that programs write to the ring buffer into
// typed events.
//
// Input: the ring buffer map, or single records as bytes, and the descriptions
// in object.Object. Output: values of the types that implement Event. Beside
// what arrives from the kernel there are events that the session makes itself
// (Lost, Attached, Output, …), so that one Sink sees the whole run.
//
// Invariants:
//   - A record may hold anything. One that does not fit its description is an
//     error that wraps ErrMalformed; it never stops the reader, and no byte
//     outside of the record is read.
//   - A decoded event, with the layout.Values in it, is good until the next one
//     is decoded: the decoder keeps one event for each record description and
//     fills it anew, so that decoding does not allocate.
package event

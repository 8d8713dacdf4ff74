// Package maps reads the maps of a script.
//
// Input: a kernel map and its object.Map. Output: a Snapshot, with the parts
// that aggregations keep for each CPU combined, in the order of the language
// reference, section 8.4. Clear and Zero change the kernel map.
//
// Invariants:
//   - Contents are hostile: sizes come from the description, never from data.
//   - A Snapshot owns its memory and does not change.
//   - A map that programs write meanwhile is read element by element: the
//     snapshot holds every element that was there all the time, once, or says
//     that it may not (Snapshot.Incomplete).
package maps

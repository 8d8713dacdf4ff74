// Package progtest makes random well-typed scripts, says what they do, and makes
// those that show a fault small.
//
// Input is a seed and the features that the kernel offers; output is a Script: a
// tree with its text, its types and, from Run, everything that can be seen of a
// run: results, event records and the contents of maps.
//
// The package is a second, independent reading of the language reference: it
// infers types (4.3), computes (4.4 to 4.11) and keeps maps and aggregations (8,
// 9) on its own and shares no code with the compiler, so that a mistake that all
// optimisation levels share shows as well.
//
// Invariants:
//   - Scripts are deterministic: they end, use no clock or processor number, do
//     not shift by 64 or more, and what bodies of loops over maps do does not
//     depend on the order of the elements.
//   - Addresses are not seen: they are read through, compared with zero, and kept
//     in variables, and in maps up to the end of a block. What they point to is
//     in scope.
//   - The variables of a script have distinct names.
//   - The same seed and features give the same script on every machine.
package progtest

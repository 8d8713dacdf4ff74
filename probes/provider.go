// Package probes finds what attach points stand for on a machine, lists what
// could be traced, and attaches programs.
//
// Input are the texts of attach points, a host.Host with the facts of the
// machine, and loaded programs; output are targets (package lang/target) and
// links that keep programs attached. A Registry only dispatches: each kind of
// probe has a package of its own below this one, with the contract in package
// provider.
package probes

import "github.com/gotrace/gotrace/probes/provider"

// The parts of the contract that users of a Registry meet.
type (
	// LoadSpec is what the kernel must be told when a program is loaded.
	LoadSpec = provider.LoadSpec
	// AttachOptions are facts known only when a session starts.
	AttachOptions = provider.AttachOptions
	// Entry is one attach point of a listing.
	Entry = provider.Entry
)

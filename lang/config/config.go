// Package config holds the settings of a script: the config block, environment
// variables and options (language reference, section 12).
package config

import "github.com/gotrace/gotrace/lang/types"

// Config is the settings in force. The zero value is not useful; start from
// Default.
type Config struct {
	MaxStrlen        int // bytes, capacity of str(), buf(), path()
	MaxMapKeys       int // entries of undeclared maps
	MaxCatBytes      int // bytes that cat() prints at most
	MaxProbes        int
	MaxBPFProgs      int
	PerfRBPages      int // pages of the ring buffer; 0: by memory
	OnStackLimit     int // bytes
	LogSize          int // bytes of the verifier log
	License          string
	MissingProbes    string // error, warn or ignore
	StackMode        types.StackMode
	StrTruncTrailer  string
	CacheUserSymbols string // PER_PID, PER_PROGRAM, NONE, or "" for the default of the run
	CppDemangle      bool
	LazySymbols      bool
	PrintMapsOnExit  bool
	ShowDebugInfo    bool
	UseBlazesym      bool
	// HelperErrors is the -k option: failed helpers are reported when run.
	HelperErrors bool
}

// Default returns the settings of a script that sets none.
func Default() Config {
	return Config{
		MaxStrlen:       1024,
		MaxMapKeys:      4096,
		MaxCatBytes:     10240,
		MaxProbes:       1024,
		MaxBPFProgs:     1024,
		OnStackLimit:    32,
		LogSize:         1000000,
		License:         "GPL",
		MissingProbes:   "error",
		StrTruncTrailer: "..",
		CppDemangle:     true,
		LazySymbols:     true,
		PrintMapsOnExit: true,
		ShowDebugInfo:   true,
		UseBlazesym:     true,
	}
}

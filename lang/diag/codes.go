package diag

// Code identifies a kind of diagnostic, stable over releases, so that tools and
// tests do not depend on wording. It prints as GT and four digits.
type Code uint16

// The codes, by stage. Codes are never reused.
const (
	Syntax      Code = 1001 // the grammar does not allow this here
	BadLiteral  Code = 1002 // malformed or overflowing literal
	BadString   Code = 1003 // unterminated string, unknown escape
	PartOrder   Code = 1004 // config, import or definition out of order
	CDefinition Code = 1101 // error in a C definition; exit code 2
	BadImport   Code = 1201
	BadConfig   Code = 1301
	BadParam    Code = 1401 // positional or named parameter
	MacroError  Code = 1501

	AttachSyntax Code = 2001 // malformed attach point
	NoSuchProbe  Code = 2002 // nothing matches the attach point
	ProbeLimit   Code = 2003 // max_probes, max_bpf_progs

	UnknownName   Code = 3001 // identifier, function, variable, field, type
	TypeMismatch  Code = 3002
	BadArgument   Code = 3003 // number, type or value of call arguments
	NotHere       Code = 3004 // construct not available in this probe
	BadOperand    Code = 3005
	BadControl    Code = 3006 // break, continue, return, exit where not allowed
	BadMap        Code = 3007
	BadFormat     Code = 3008 // printf format
	ConstantFault Code = 3009 // overflow or division by zero while folding
	NeedsUnsafe   Code = 3010
	NeedsKernel   Code = 3011 // kernel lacks a feature
	TooLarge      Code = 3012 // beyond a limit of the compiler or of the kernel
	Unsupported   Code = 3900 // part of the language that gotrace lacks

	Discarded    Code = 4001 // warnings
	Deprecated   Code = 4002
	Unstable     Code = 4003
	Unused       Code = 4004
	SignMismatch Code = 4005
	Ignored      Code = 4006
	MissingProbe Code = 4007

	Internal         Code = 9000 // a compiler bug
	VerifierRejected Code = 9001
	LoadFailed       Code = 9002
	AttachFailed     Code = 9003
	NoPrivilege      Code = 9004
)

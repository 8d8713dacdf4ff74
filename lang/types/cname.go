package types

// CName returns the type that a one-word name of C or of its customary headers
// has on every 64-bit Linux: char, int, u32, uint32_t, __u32, size_t, … char is
// unsigned, as in the kernel. Names whose type depends on the kernel, such as
// pid_t, are not among them.
func CName(name string) (Type, bool) {
	switch name {
	case "void":
		return Void{}, true
	case "bool", "_Bool":
		return Bool{}, true
	case "char", "u8", "__u8", "uint8_t", "u_char", "u_int8_t":
		return Int{8, false}, true
	case "s8", "__s8", "int8_t":
		return Int{8, true}, true
	case "u16", "__u16", "uint16_t", "ushort", "u_short", "u_int16_t", "__le16", "__be16":
		return Int{16, false}, true
	case "short", "s16", "__s16", "int16_t":
		return Int{16, true}, true
	case "unsigned", "u32", "__u32", "uint32_t", "uint", "u_int", "u_int32_t", "__le32", "__be32":
		return Int{32, false}, true
	case "int", "signed", "s32", "__s32", "int32_t":
		return Int{32, true}, true
	case "u64", "__u64", "uint64_t", "size_t", "uintptr_t", "ulong", "u_long", "u_int64_t", "__le64", "__be64":
		return Int{64, false}, true
	case "long", "s64", "__s64", "int64_t", "ssize_t", "intptr_t", "ptrdiff_t":
		return Int{64, true}, true
	}
	return nil, false
}

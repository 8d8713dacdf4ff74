package types

// BitField places a bit-field of type t and width bits that starts at bit pos
// of a struct of size bytes. It lies in a word of its type where there is one
// inside the struct, else (packed structs) in the smallest word that holds it,
// whose type it then has. Bits count as on little-endian machines. It is false
// if no word of up to 8 bytes holds the field.
func BitField(name string, t Type, pos, width, size int) (Field, bool) {
	f := Field{Name: name, Type: t, BitSize: width}
	if pos < 0 || width < 1 {
		return Field{}, false
	}
	if IsScalar(t) {
		word := t.Size()
		f.Offset = pos / (8 * word) * word
		f.BitOffset = pos - 8*f.Offset
		if f.BitOffset+width <= 8*word && f.Offset+word <= size {
			return f, true
		}
	}
	for _, word := range [...]int{1, 2, 4, 8} {
		first := min(pos/8, size-word)
		if bit := pos - 8*first; first >= 0 && bit+width <= 8*word {
			f.Type, f.Offset, f.BitOffset = Int{Bits: 8 * word, Signed: IsSigned(t)}, first, bit
			return f, true
		}
	}
	return Field{}, false
}

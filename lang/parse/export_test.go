package parse

// NewParser builds the parser anew, for measuring that.
func NewParser() { newParser() }

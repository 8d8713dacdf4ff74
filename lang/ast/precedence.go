package ast

// LowestPrecedence is that of the binary operator that binds least.
const LowestPrecedence = 1

// Precedence orders the binary operators as C does, and so does the language;
// they all associate to the left. It is 0 for anything else.
func Precedence(op string) int {
	switch op {
	case "||":
		return LowestPrecedence
	case "&&":
		return 2
	case "|":
		return 3
	case "^":
		return 4
	case "&":
		return 5
	case "==", "!=":
		return 6
	case "<", "<=", ">", ">=":
		return 7
	case "<<", ">>":
		return 8
	case "+", "-":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

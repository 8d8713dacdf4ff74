package ast

// Stmt is a statement.
type Stmt interface {
	Node
	stmt()
}

// Let declares a scratch variable.
type Let struct {
	Base
	Var   *VarRef
	Type  *TypeExpr // nil when not given
	Value Expr      // nil when not given
}

// Assign is `target op value`.
type Assign struct {
	Base
	Target Expr   // VarRef, MapRef, MapIndex
	Op     string // "=", "+=", …
	Value  Expr
}

// Discard is `_ = expr;`.
type Discard struct {
	Base
	X Expr
}

// ExprStmt is an expression (also an If, a Block or an IncDec) as a statement.
type ExprStmt struct {
	Base
	X Expr
}

// For iterates over a map or over a range; exactly one of Map and Lo/Hi is set.
type For struct {
	Base
	Var    *VarRef
	Map    *MapRef
	Lo, Hi Expr
	Body   *Block
}

// While is a loop with a condition.
type While struct {
	Base
	Cond Expr
	Body *Block
}

// Unroll repeats its body a constant number of times.
type Unroll struct {
	Base
	Count Expr
	Body  *Block
}

// Break leaves the innermost loop.
type Break struct{ Base }

// Continue goes to the next turn of the innermost loop.
type Continue struct{ Base }

// Return ends this run of the probe.
type Return struct {
	Base
	Value Expr // nil when not given
}

// ImportStmt is an import inside a block.
type ImportStmt struct {
	Base
	Import *Import
}

// BadStmt stands for source that could not be parsed as a statement.
type BadStmt struct{ Base }

func (*Let) stmt()        {}
func (*Assign) stmt()     {}
func (*Discard) stmt()    {}
func (*ExprStmt) stmt()   {}
func (*For) stmt()        {}
func (*While) stmt()      {}
func (*Unroll) stmt()     {}
func (*Break) stmt()      {}
func (*Continue) stmt()   {}
func (*Return) stmt()     {}
func (*ImportStmt) stmt() {}
func (*BadStmt) stmt()    {}

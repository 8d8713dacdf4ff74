package ast

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

// IntLit is an integer literal of any form. Durations are in nanoseconds.
type IntLit struct {
	Base
	Value uint64
	Text  string // as written
}

// StrLit is a string literal; Value has its escapes resolved.
type StrLit struct {
	Base
	Value string
	Text  string // as written, with the quotes
}

// BoolLit is true or false.
type BoolLit struct {
	Base
	Value bool
}

// VarRef is `$name`; Name is without the sigil.
type VarRef struct {
	Base
	Name string
}

// MapRef is a map as a whole; Name is with its @, so "@" is the anonymous map.
type MapRef struct {
	Base
	Name string
}

// MapIndex is `@m[k]` or `@m[k1, k2]`.
type MapIndex struct {
	Base
	Map  *MapRef
	Keys []Expr // at least one
}

// Param is a positional parameter `$N`, N at least 1.
type Param struct {
	Base
	N int
}

// ParamCount is `$#`.
type ParamCount struct{ Base }

// Ident is a bare name: a builtin, macro, enum constant, C macro or macro
// parameter.
type Ident struct {
	Base
	Name string
}

// Call is `name(args)`.
type Call struct {
	Base
	Fun  *Ident
	Args []Expr // TypeArg among them
}

// TypeArg is `typeof(…)` as a call argument.
type TypeArg struct {
	Base
	X *TypeOrExpr
}

// Tuple is `(a, b)`, `(a,)` or `()`.
type Tuple struct {
	Base
	Elems []Expr
}

// Record is `(name=expr, …)`.
type Record struct {
	Base
	Fields []*RecordField
}

// RecordField is one field of a Record.
type RecordField struct {
	Base
	Name  *Ident
	Value Expr
}

// Block is `{ …; result }`: the body of a construct or an expression.
type Block struct {
	Base
	Stmts  []Stmt
	Result Expr // the last expression without semicolon, or nil
}

// If is a statement or an expression. Else is a *Block, an *If or nil.
type If struct {
	Base
	Cond Expr
	Then *Block
	Else Expr
}

// Sizeof is `sizeof(x)`.
type Sizeof struct {
	Base
	X *TypeOrExpr
}

// Offsetof is `offsetof(x, a.b)`.
type Offsetof struct {
	Base
	X    *TypeOrExpr
	Path []*Ident
}

// Typeinfo is `typeinfo(x)`.
type Typeinfo struct {
	Base
	X *TypeOrExpr
}

// Comptime is `comptime x`.
type Comptime struct {
	Base
	X Expr
}

// Unary is a prefix operator: - ! ~ * &.
type Unary struct {
	Base
	Op string
	X  Expr
}

// IncDec is ++ or --, before or after its operand.
type IncDec struct {
	Base
	Op     string // "++" or "--"
	Prefix bool
	X      Expr // VarRef, MapRef or MapIndex
}

// Binary is any operator of two operands, && and || among them.
type Binary struct {
	Base
	Op   string
	OpAt uint32 // offset of the operator
	X, Y Expr
}

// Cond is `c ? t : f`; Then is nil in `c ?: f`.
type Cond struct {
	Base
	Cond, Then, Else Expr
}

// Cast is `(type)x`.
type Cast struct {
	Base
	Type *TypeExpr
	X    Expr
}

// Field is `x.name` or `x->name`.
type Field struct {
	Base
	X     Expr
	Name  *Ident
	Arrow bool
}

// TupleField is `x.N`.
type TupleField struct {
	Base
	X Expr
	N int
}

// Index is `x[i]` on anything but a map.
type Index struct {
	Base
	X, I Expr
}

// BadExpr stands for source that could not be parsed as an expression.
type BadExpr struct{ Base }

func (*IntLit) expr()     {}
func (*StrLit) expr()     {}
func (*BoolLit) expr()    {}
func (*VarRef) expr()     {}
func (*MapRef) expr()     {}
func (*MapIndex) expr()   {}
func (*Param) expr()      {}
func (*ParamCount) expr() {}
func (*Ident) expr()      {}
func (*Call) expr()       {}
func (*TypeArg) expr()    {}
func (*Tuple) expr()      {}
func (*Record) expr()     {}
func (*Block) expr()      {}
func (*If) expr()         {}
func (*Sizeof) expr()     {}
func (*Offsetof) expr()   {}
func (*Typeinfo) expr()   {}
func (*Comptime) expr()   {}
func (*Unary) expr()      {}
func (*IncDec) expr()     {}
func (*Binary) expr()     {}
func (*Cond) expr()       {}
func (*Cast) expr()       {}
func (*Field) expr()      {}
func (*TupleField) expr() {}
func (*Index) expr()      {}
func (*BadExpr) expr()    {}

// Package ast declares the syntax tree of a script.
//
// The tree is what was written: no names resolved, no macros expanded, no
// types. Every node has its Span; the tree is not changed after parsing, so
// later stages keep what they learn in tables of their own, keyed by node.
package ast

import "github.com/gotrace/gotrace/lang/source"

// Node is any part of the tree.
type Node interface{ Pos() source.Span }

// Base gives a node its position.
type Base struct{ Span source.Span }

// Pos returns the bytes that the node was written with.
func (b Base) Pos() source.Span { return b.Span }

// Script is one source file.
type Script struct {
	Base
	File     *source.File
	Shebang  string // without its line end, "" when absent
	CDefs    []*CDef
	Config   *Config
	Imports  []*Import // in source order
	Items    []Item    // probes, macros, map declarations, functions
	Comments []*Comment
}

// Comment is one comment with its delimiters, in source order, outside the tree.
type Comment struct {
	Base
	Text string
}

// CDef is the verbatim text of one C definition or one preprocessor line
// (with its continuation lines) at the top of a script.
type CDef struct {
	Base
	Text string
}

// Config is the `config = { … }` block.
type Config struct {
	Base
	Settings []*Setting
}

// Setting is one `name = value` of a config block.
type Setting struct {
	Base
	Name  *Ident
	Value Expr // IntLit, StrLit, BoolLit or Ident
}

// Import is `import "path";`, at the top or as a statement.
type Import struct {
	Base
	Path *StrLit
}

// Item is what may stand after the config block.
type Item interface {
	Node
	item()
}

// Probe is a list of attach points with one body.
type Probe struct {
	Base
	Attach []*AttachPoint
	Pred   Expr // nil when there is none
	Body   *Block
}

// AttachPoint is the raw text of one attach point, quotes and $N included; its
// parts are split where the positional parameters are known.
type AttachPoint struct {
	Base
	Text string
}

// Macro is a macro definition.
type Macro struct {
	Base
	Name   *Ident
	Params []Expr // VarRef, MapRef or Ident
	Body   *Block
}

// MapDecl is `let @m = kind(entries);`.
type MapDecl struct {
	Base
	Map     *MapRef
	Kind    *Ident
	Entries *IntLit
}

// Fn is a function definition. It is parsed and kept for the formatter; the
// language has no way to call it.
type Fn struct {
	Base
	Name   *Ident
	Params []*FnParam
	Result *TypeExpr
	Body   *Block
}

// FnParam is one parameter of a Fn.
type FnParam struct {
	Base
	Var  *VarRef
	Type *TypeExpr
}

// BadItem stands for source that could not be parsed as an item.
type BadItem struct{ Base }

func (*Probe) item()   {}
func (*Macro) item()   {}
func (*MapDecl) item() {}
func (*Fn) item()      {}
func (*BadItem) item() {}

// TypeExpr is a type as written: a base with any mix of * and [N] behind it,
// read from left to right.
type TypeExpr struct {
	Base
	Tag      string      // "struct", "union", "enum" or ""
	Name     *Ident      // nil when Typeof is set
	Typeof   *TypeOrExpr // the operand of typeof(…)
	Suffixes []TypeSuffix
}

// TypeSuffix is one * or [N] of a TypeExpr.
type TypeSuffix struct {
	Base
	Array bool
	Len   Expr // IntLit or Param; nil in [] and for pointers
}

// TypeOrExpr is the operand of sizeof, offsetof, typeof and typeinfo; exactly
// one of the two is set. A bare name is a Type.
type TypeOrExpr struct {
	Base
	Type *TypeExpr
	Expr Expr
}

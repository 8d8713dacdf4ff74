package parse

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
)

// The grammar of everything but expressions, as participle reads it from the
// struct tags. Fields of interface type are productions written in Go: ast.Expr
// and its variants in expr.go, blocks, statements and items in production.go.
// lower.go turns the structs into the tree.

// tokens is embedded for the tokens that a production was made of.
type tokens struct{ Tokens []lexer.Token }

// condition is the condition of if, while and unroll: anything in
// parentheses, or a unary expression.
type condition interface{ ast.Expr }

// typeOrExpr is the operand of sizeof and its kin.
type typeOrExpr interface{ operand() *ast.TypeOrExpr }

type script struct {
	Items []item `parser:"@@*"`
}

type configItem struct {
	tokens
	Settings []*settingItem `parser:"'config':Keyword '=' '{' ( @@ ';'* )* '}'"`
}

type settingItem struct {
	tokens
	Name  lexer.Token  `parser:"@Ident '='"`
	Value settingValue `parser:"@@ (?= ';' | '}' )"`
}

type settingValue struct {
	Token lexer.Token `parser:"@( String | Int | Ident )"`
}

type importItem struct {
	tokens
	Path lexer.Token `parser:"'import':Keyword @String ';'"`
}

type mapItem struct {
	tokens
	Map     lexer.Token `parser:"'let':Keyword @Map '='"`
	Kind    lexer.Token `parser:"@Ident"`
	Entries lexer.Token `parser:"'(' @Int ')' ';'?"`
}

type macroItem struct {
	tokens
	Name   lexer.Token   `parser:"'macro':Keyword @Ident"`
	Params []*macroParam `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Body   body          `parser:"@@"`
}

type macroParam struct {
	Token lexer.Token `parser:"@( Ident | Var | Map )"`
}

type fnItem struct {
	tokens
	Name   lexer.Token `parser:"'fn':Keyword @Ident"`
	Params []*fnParam  `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Result *typeExpr   `parser:"':' @@"`
	Body   body        `parser:"@@"`
}

type fnParam struct {
	tokens
	Var  lexer.Token `parser:"@Var"`
	Type *typeExpr   `parser:"':' @@"`
}

type probeItem struct {
	tokens
	Attach attachList `parser:"@@"`
	Pred   ast.Expr   `parser:"( Pred @@ Pred )?"`
	Body   body       `parser:"@@"`
}

type letStmt struct {
	tokens
	Var   lexer.Token  `parser:"'let' @Var"`
	Type  *typeExpr    `parser:"( ':' @@ )?"`
	Star  *lexer.Token `parser:"( ( @'*=' | '=' )"` // a type's last star, joined to the sign
	Value ast.Expr     `parser:"@@ )?"`
}

type discardStmt struct {
	tokens
	X ast.Expr `parser:"'_' '=' @@"`
}

type forStmt struct {
	tokens
	Head *forHead `parser:"'for' ( '(' @@ ')' | @@ )"`
	Body body     `parser:"@@"`
}

type forHead struct {
	Var  lexer.Token `parser:"@Var ':'"`
	Over forRange    `parser:"@@"`
}

type whileStmt struct {
	tokens
	Cond condition `parser:"'while' @@"`
	Body body      `parser:"@@"`
}

type unrollStmt struct {
	tokens
	Count condition `parser:"'unroll' @@"`
	Body  body      `parser:"@@"`
}

type jumpStmt struct {
	tokens
	Word string `parser:"@( 'break' | 'continue' )"`
}

type importStmt struct {
	tokens
	Path lexer.Token `parser:"'import' @String"`
}

type returnStmt struct {
	tokens
	Value ast.Expr `parser:"'return' @@?"`
}

// ifExpr is an if with its chain of else arms, as a list: a chain of a
// thousand arms then costs no stack.
type ifExpr struct {
	tokens
	Cond condition  `parser:"'if' @@"`
	Then body       `parser:"@@"`
	Else []*elseArm `parser:"( 'else' @@ )*"`
}

type elseArm struct {
	tokens
	Cond condition `parser:"( 'if' @@ )?"`
	Body body      `parser:"@@"`
}

type typeExpr struct {
	tokens
	Typeof   typeOrExpr    `parser:"( 'typeof' '(' @@ ')'"`
	Tag      string        `parser:"| ( @( 'struct' | 'union' | 'enum' ) )?"`
	Name     *lexer.Token  `parser:"  @Ident )"`
	Suffixes []*typeSuffix `parser:"@@*"`
}

type typeSuffix struct {
	tokens
	Star  bool         `parser:"@'*'"`
	Array bool         `parser:"| @'['"`
	Len   *lexer.Token `parser:"  @Int? ']'"`
}

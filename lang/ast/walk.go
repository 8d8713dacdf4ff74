package ast

// Inspect calls f for n and the nodes below it, a node before its children and
// children in source order. It does not go below a node for which f is false.
// Comments are not among the children of a Script.
func Inspect(n Node, f func(Node) bool) {
	if f(n) {
		Children(n, func(c Node) { Inspect(c, f) })
	}
}

// Children calls f for each direct child of n, in source order.
func Children(n Node, f func(Node)) {
	c := children(f)
	switch n := n.(type) {
	case *Script:
		c.script(n)
	case Item:
		c.item(n)
	case Stmt:
		c.stmt(n)
	case Expr:
		c.expr(n)
	default:
		c.part(n)
	}
}

// children receives the children of one node.
type children func(Node)

func (f children) opt(x Expr) {
	if x != nil {
		f(x)
	}
}

func (f children) typ(t *TypeExpr) {
	if t != nil {
		f(t)
	}
}

func each[T Node](f children, list []T) {
	for _, n := range list {
		f(n)
	}
}

func (f children) script(n *Script) {
	each(f, n.CDefs)
	// Config and imports may come in any order among themselves.
	config := n.Config
	for _, imp := range n.Imports {
		if config != nil && config.Span.Start < imp.Span.Start {
			f(config)
			config = nil
		}
		f(imp)
	}
	if config != nil {
		f(config)
	}
	each(f, n.Items)
}

func (f children) item(n Item) {
	switch n := n.(type) {
	case *Probe:
		each(f, n.Attach)
		f.opt(n.Pred)
		f(n.Body)
	case *Macro:
		f(n.Name)
		each(f, n.Params)
		f(n.Body)
	case *MapDecl:
		f(n.Map)
		f(n.Kind)
		f(n.Entries)
	case *Fn:
		f(n.Name)
		each(f, n.Params)
		f.typ(n.Result)
		f(n.Body)
	}
}

// part is for the nodes that are neither item, statement nor expression.
func (f children) part(n Node) {
	switch n := n.(type) {
	case *Config:
		each(f, n.Settings)
	case *Setting:
		f(n.Name)
		f(n.Value)
	case *Import:
		f(n.Path)
	case *FnParam:
		f(n.Var)
		f(n.Type)
	case *RecordField:
		f(n.Name)
		f(n.Value)
	case *TypeExpr:
		if n.Typeof != nil {
			f(n.Typeof)
		} else if n.Name != nil {
			f(n.Name)
		}
		for _, s := range n.Suffixes {
			f.opt(s.Len)
		}
	case *TypeOrExpr:
		f.typ(n.Type)
		f.opt(n.Expr)
	}
}

func (f children) stmt(n Stmt) {
	switch n := n.(type) {
	case *Let:
		f(n.Var)
		f.typ(n.Type)
		f.opt(n.Value)
	case *Assign:
		f(n.Target)
		f(n.Value)
	case *Discard:
		f(n.X)
	case *ExprStmt:
		f(n.X)
	case *For:
		f(n.Var)
		if n.Map != nil {
			f(n.Map)
		}
		f.opt(n.Lo)
		f.opt(n.Hi)
		f(n.Body)
	case *While:
		f(n.Cond)
		f(n.Body)
	case *Unroll:
		f(n.Count)
		f(n.Body)
	case *Return:
		f.opt(n.Value)
	case *ImportStmt:
		f(n.Import)
	}
}

func (f children) expr(n Expr) {
	switch n := n.(type) {
	case *Unary:
		f(n.X)
	case *IncDec:
		f(n.X)
	case *Binary:
		f(n.X)
		f(n.Y)
	case *Cond:
		f(n.Cond)
		f.opt(n.Then)
		f(n.Else)
	case *Cast:
		f(n.Type)
		f(n.X)
	case *Field:
		f(n.X)
		f(n.Name)
	case *TupleField:
		f(n.X)
	case *Index:
		f(n.X)
		f(n.I)
	case *MapIndex:
		f(n.Map)
		each(f, n.Keys)
	case *Call:
		f(n.Fun)
		each(f, n.Args)
	case *Tuple:
		each(f, n.Elems)
	case *Record:
		each(f, n.Fields)
	default:
		f.compound(n)
	}
}

// compound is for blocks, and for the operators on types.
func (f children) compound(n Expr) {
	switch n := n.(type) {
	case *Block:
		each(f, n.Stmts)
		f.opt(n.Result)
	case *If:
		f(n.Cond)
		f(n.Then)
		f.opt(n.Else)
	case *Sizeof:
		f(n.X)
	case *Offsetof:
		f(n.X)
		each(f, n.Path)
	case *Typeinfo:
		f(n.X)
	case *TypeArg:
		f(n.X)
	case *Comptime:
		f(n.X)
	}
}

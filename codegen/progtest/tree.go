package progtest

// Op is the operation of an Expr or the form of a Stmt.
type Op uint8

// The expressions.
const (
	Lit       Op = iota // N, negative if Text is "-"
	BoolLit             // N
	StrLit              // Text
	Var                 // Name
	Arg                 // argN
	ArgField            // args.Name
	Builtin             // Name: comm, pid, tid
	MapRead             // Name; Kids is the key, none in a scalar map
	Unary               // Text Kids[0]
	Binary              // Kids[0] Text Kids[1]
	Logical             // Kids[0] Text Kids[1]
	Cond                // Kids[0] ? Kids[1] : Kids[2]
	Elvis               // Kids[0] ?: Kids[1]
	IfExpr              // if (Kids[0]) { Kids[1] } else { Kids[2] }
	BlockExpr           // { Body; Kids[0] }
	Cast                // (To)Kids[0]
	MakeTuple           // Kids; a record if Names is set
	Field               // Kids[0].N, of records .Name
	Index               // Kids[0][Kids[1]]
	Call                // Name(Kids)
	IncDec              // Text on Kids[0], before it if N is 1
	HasKey              // has_key(@Name, Kids)
	Delete              // delete(@Name, Kids)
	Find                // find(@Name, Kids[0], $Text)
	Len                 // len(@Name)
	AddrVar             // &$Name
	AddrMap             // &@Name, a scalar map
	Deref               // *Kids[0], or Kids[0][0] if N is 1
)

// The statements.
const (
	Let      Op = iota + 64 // let $Name : Type = X[0]; Type and X may be missing
	Assign                  // X[0] Text X[1]
	Discard                 // _ = X[0]
	Eval                    // X[0]
	If                      // X[0], Blocks[0], Blocks[1] may be missing
	ForRange                // $Name : X[0]..X[1], Blocks[0]
	ForMap                  // $Name : @Text, Blocks[0]
	While                   // X[0], Blocks[0]
	Unroll                  // N, Blocks[0]
	Scope                   // Blocks[0]
	Break
	Continue
	Return   // X[0] may be missing
	Printf   // Text, X
	Print    // X[0]
	MapEvent // Text (print, clear, zero) of @Name
	Exit     // X[0] may be missing
	Agg      // X[0] = Text(X[1], Params); count has no X[1]
)

// Expr is an expression. Which fields count is said at the operations.
type Expr struct {
	Op    Op
	Name  string
	Text  string
	N     uint64
	To    *Type
	Names []string
	Kids  []*Expr
	Body  *Block

	info info // set by infer
}

// Stmt is a statement.
type Stmt struct {
	Op     Op
	Name   string
	Text   string
	N      uint64
	Type   *Type
	X      []*Expr
	Params []uint64
	Blocks []*Block
}

// Block is a sequence of statements.
type Block struct{ Stmts []*Stmt }

// Probe is a probe of a script; each has an attach point of its own.
type Probe struct {
	Predicate *Expr // or nil
	Body      *Block
}

// Script is a random program.
type Script struct {
	Seed   uint64
	Strlen int // max_strlen, 0 for the default
	Probes []*Probe

	maps map[string]*mapType
	vars map[string]*slot
}

// MaxArgs is the number of arguments of each probe: the words of the context
// of a raw tracepoint.
const MaxArgs = 12

// ArgType is a named argument of the probes.
type ArgType struct {
	Name   string
	Bits   int
	Signed bool
}

// ArgTypes returns the arguments that scripts read by name: argument i is in
// word i of the context.
func ArgTypes() [MaxArgs]ArgType {
	return [MaxArgs]ArgType{
		{"a", 8, true}, {"b", 8, false}, {"c", 16, true}, {"d", 16, false}, {"e", 32, true}, {"f", 32, false},
		{"g", 64, true}, {"h", 64, false}, {"i", 64, true}, {"j", 64, false}, {"k", 32, true}, {"l", 64, false},
	}
}

// walk calls f for each expression below x, x last, and each statement in them.
func (x *Expr) walk(f func(*Expr)) {
	for _, k := range x.Kids {
		k.walk(f)
	}
	if x.Body != nil {
		x.Body.walk(f)
	}
	f(x)
}

// walk calls f for each expression in b.
func (b *Block) walk(f func(*Expr)) {
	for _, s := range b.Stmts {
		for _, x := range s.X {
			x.walk(f)
		}
		for _, inner := range s.Blocks {
			inner.walk(f)
		}
	}
}

// clone copies the tree below x.
func (x *Expr) clone() *Expr {
	y := *x
	y.Kids = make([]*Expr, len(x.Kids))
	for i, k := range x.Kids {
		y.Kids[i] = k.clone()
	}
	if x.Body != nil {
		y.Body = x.Body.clone()
	}
	return &y
}

func (b *Block) clone() *Block {
	c := &Block{}
	for _, s := range b.Stmts {
		t := *s
		t.X = make([]*Expr, len(s.X))
		for i, x := range s.X {
			t.X[i] = x.clone()
		}
		t.Blocks = make([]*Block, len(s.Blocks))
		for i, inner := range s.Blocks {
			t.Blocks[i] = inner.clone()
		}
		c.Stmts = append(c.Stmts, &t)
	}
	return c
}

// Clone copies the tree of s.
func (s *Script) Clone() *Script {
	c := &Script{Seed: s.Seed, Strlen: s.Strlen}
	for _, p := range s.Probes {
		q := &Probe{Body: p.Body.clone()}
		if p.Predicate != nil {
			q.Predicate = p.Predicate.clone()
		}
		c.Probes = append(c.Probes, q)
	}
	return c
}

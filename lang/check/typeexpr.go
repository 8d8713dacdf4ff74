package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/types"
)

// maxTypeSize bounds types made by scripts, in bytes.
const maxTypeSize = 1 << 20

// baseType returns the language's own types by name.
func baseType(name string) (types.Type, bool) {
	switch name {
	case "void":
		return types.Void{}, true
	case "bool":
		return types.Bool{}, true
	case "int8", "int16", "int32", "int64":
		return types.Int{Bits: atoi(name[3:]), Signed: true}, true
	case "uint8", "uint16", "uint32", "uint64":
		return types.Int{Bits: atoi(name[4:])}, true
	case "string":
		return types.String{}, true
	case "buffer":
		return types.Buffer{Cap: 4}, true
	case "inet":
		return types.Opaque{Kind: types.Inet}, true
	case "macaddr_t":
		return types.Opaque{Kind: types.MAC}, true
	case "timestamp":
		return types.Opaque{Kind: types.Timestamp}, true
	case "username_t":
		return types.Opaque{Kind: types.Username}, true
	case "cgroup_path_t":
		return types.Opaque{Kind: types.CgroupPath}, true
	case "ksym_t":
		return types.Opaque{Kind: types.KSym}, true
	case "usym_t":
		return types.Opaque{Kind: types.USym}, true
	case "kstack_t":
		return types.Stack{Limit: defaultFrames}, true
	case "ustack_t":
		return types.Stack{User: true, Limit: defaultFrames}, true
	}
	return aggType(name)
}

func aggType(name string) (types.Type, bool) {
	signed := len(name) > 0 && name[0] != 'u'
	if !signed {
		name = name[1:]
	}
	for k := types.Count; k <= types.TSeries; k++ {
		if (types.Agg{Kind: k, Signed: true}).String() == name && (signed || k >= types.Sum && k <= types.Stats) {
			return types.Agg{Kind: k, Signed: signed}, true
		}
	}
	return nil, false
}

func atoi(s string) int {
	n := 0
	for _, d := range s {
		n = 10*n + int(d-'0')
	}
	return n
}

// typeExpr resolves a type as written; unknown after a reported error.
func (c *checker) typeExpr(x *ast.TypeExpr) types.Type {
	t := c.typeBase(x)
	if isUnknown(t) {
		return t
	}
	for i, s := range x.Suffixes {
		t = c.applySuffix(t, s, i == 0, x)
		if isUnknown(t) {
			return t
		}
	}
	return t
}

func (c *checker) typeBase(x *ast.TypeExpr) types.Type {
	if x.Typeof != nil {
		return c.typeOrExpr(x.Typeof)
	}
	name := x.Name.Name
	if x.Tag == "" {
		if t, ok := c.macroType(name); ok {
			return t
		}
		if t, ok := c.typeNamed(name); ok {
			return t
		}
	} else if t, ok := c.tagged(x.Tag, name); ok {
		return t
	}
	what := name
	if x.Tag != "" {
		what = x.Tag + " " + name
	}
	d := c.diags.Errorf(diag.UnknownName, x.Pos(), "Cannot resolve unknown type \"%s\"", what)
	if err := c.env.Kernel.Available(); err != nil {
		d.Hint("the kernel's types are not available: %v", err)
	} else if x.Tag == "struct" {
		if near := c.nearest(name, c.env.Kernel.StructNames()); near != "" {
			d.Hint("did you mean \"struct %s\"?", near)
		}
	}
	return unknown{}
}

// typeNamed finds the types that need no tag: the language's own, then those of
// C definitions, then the kernel's.
func (c *checker) typeNamed(name string) (types.Type, bool) {
	if t, ok := baseType(name); ok {
		return t, true
	}
	if t, ok := c.cdefs.named(name); ok {
		return t, true
	}
	return c.env.Kernel.Named(name)
}

// tagged finds struct, union and enum tags: the program's own hide the
// kernel's.
func (c *checker) tagged(tag, name string) (types.Type, bool) {
	if t, ok := c.cdefs.tagged(tag, name); ok {
		return t, true
	}
	switch tag {
	case "struct":
		if t, ok := c.env.Kernel.Struct(name); ok {
			return t, true
		}
	case "union":
		if t, ok := c.env.Kernel.Union(name); ok {
			return t, true
		}
	case "enum":
		if t, ok := c.env.Kernel.Enum(name); ok {
			return t, true
		}
	}
	return nil, false
}

func (c *checker) applySuffix(t types.Type, s ast.TypeSuffix, first bool, x *ast.TypeExpr) types.Type {
	if !s.Array {
		return types.Pointer{Elem: t}
	}
	n := 0
	if s.Len != nil {
		k := c.expr(s.Len)
		v, ok := constOf(k.Expr)
		if !ok || !k.lit || v > maxTypeSize {
			c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Invalid length of an array type")
			return unknown{}
		}
		n = int(v)
	}
	switch b := t.(type) {
	case types.String:
		if first && b.Cap == 0 {
			return types.String{Cap: n}
		}
	case types.Buffer:
		if first {
			return types.Buffer{Cap: n + 4}
		}
	case types.Opaque:
		if first && b.Kind == types.Inet {
			return b
		}
	}
	if t.Size() > 0 && n > maxTypeSize/t.Size() {
		c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Type is too large")
		return unknown{}
	}
	return types.Array{Elem: t, Len: n}
}

// typeOrExpr is the type that sizeof(x) and the like are about. Expressions
// are checked but never run.
func (c *checker) typeOrExpr(x *ast.TypeOrExpr) types.Type {
	if x.Type != nil {
		if y, ok := c.valueParam(x.Type); ok {
			return y.Type()
		}
		return c.typeExpr(x.Type)
	}
	if m, ok := x.Expr.(*ast.MapRef); ok {
		return c.keyType(m)
	}
	saved := c.fn.ctxFree
	c.fn.ctxFree = true
	y := c.expr(x.Expr)
	c.fn.ctxFree = saved
	if y.Expr == nil {
		c.errNoValue(x.Pos())
		return unknown{}
	}
	return y.Type()
}

// valueParam evaluates what is written like a type but names a parameter of the
// macro that a value was given for.
func (c *checker) valueParam(x *ast.TypeExpr) (operand, bool) {
	if x.Typeof != nil || x.Tag != "" || len(x.Suffixes) > 0 {
		return operand{}, false
	}
	if _, isType, isParam := c.typeParam(x.Name.Name); isType || !isParam {
		return operand{}, false
	}
	return c.macroArg(x.Name.Name)
}

// keyType is typeof(@m): the key type, or the value type of a scalar map.
func (c *checker) keyType(ref *ast.MapRef) types.Type {
	m := c.useMap(ref, true)
	if m == nil {
		return unknown{}
	}
	if isScalarMap(m) {
		return m.value.typeOf()
	}
	return m.key.typeOf()
}

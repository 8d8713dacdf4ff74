package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/types"
)

// comptimeBuiltins are decided when compiling.
func comptimeBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"is_integer":          {min: 1, max: 1, check: isType(isInt)},
		"is_unsigned_integer": {min: 1, max: 1, check: isType(func(t types.Type) bool { i, ok := t.(types.Int); return ok && !i.Signed })},
		"is_str":              {min: 1, max: 1, check: isType(func(t types.Type) bool { _, ok := t.(types.String); return ok })},
		"is_ptr":              {min: 1, max: 1, check: isType(func(t types.Type) bool { _, ok := t.(types.Pointer); return ok })},
		"is_array":            {min: 1, max: 1, check: isType(func(t types.Type) bool { _, ok := t.(types.Array); return ok })},
		"is_literal": {min: 1, max: 1, check: func(c *checker, s *site) operand {
			return boolConst(c.arg(s, 0).lit, s.sp)
		}},
		"strcap":             {min: 1, max: 1, check: (*checker).strcap},
		"default_str_length": {check: func(c *checker, s *site) operand { return intLit(uint64(c.cfg.MaxStrlen), false, s.sp) }},
		"fail":               {min: 1, max: -1, void: true, check: (*checker).fail},
		"static_assert":      {min: 2, max: 2, void: true, check: (*checker).staticAssert},
		"assert_str":         {min: 1, max: 1, void: true, check: (*checker).assertStr},
		"kfunc_exist":        {min: 1, max: 1, check: (*checker).kfuncExist},
		"kfunc_allowed":      {min: 1, max: 1, check: (*checker).kfuncExist},
		"getopt":             {min: 1, max: 3, check: (*checker).getopt},
	}
}

func isType(f func(types.Type) bool) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		var t types.Type
		if ta, ok := s.args[0].(*ast.TypeArg); ok {
			t = c.typeOrExpr(ta.X)
		} else {
			t = c.arg(s, 0).Type()
		}
		return boolConst(f(t), s.sp)
	}
}

func (c *checker) strcap(s *site) operand {
	x := c.arg(s, 0)
	t, ok := x.Type().(types.String)
	if !ok {
		if !isUnknown(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "strcap() expects a string (%s provided)", kindName(x.Type()))
		}
		return c.bad(s.sp)
	}
	return intLit(uint64(t.Cap), false, s.sp)
}

func (c *checker) fail(s *site) operand {
	format, ok := c.litArg(s, 0)
	if !ok {
		return operand{}
	}
	args := make([]operand, 0, len(s.args)-1)
	for i := range s.args[1:] {
		x := c.arg(s, i+1)
		if !x.lit && !isUnknown(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.args[i+1].Pos(), "fail() arguments need to be literals")
			return operand{}
		}
		args = append(args, x)
	}
	c.diags.Errorf(diag.BadArgument, s.sp, "%s", c.formatConst(format, args))
	return operand{}
}

func (c *checker) staticAssert(s *site) operand {
	cond := c.condition(c.arg(s, 0), s.sp, "static_assert")
	text, ok := c.litArg(s, 1)
	if !ok {
		return operand{}
	}
	n, isConst := constOf(cond)
	switch {
	case !isConst:
		c.diags.Errorf(diag.BadArgument, s.sp, "static_assert() needs a condition that is known when compiling")
	case n == 0:
		c.diags.Errorf(diag.BadArgument, s.sp, "%s", text)
	}
	return operand{}
}

func (c *checker) assertStr(s *site) operand {
	x := c.arg(s, 0)
	if _, ok := x.Type().(types.String); !ok && !isUnknown(x.Type()) {
		c.diags.Errorf(diag.BadArgument, s.sp, "assert_str() expects a string (%s provided)", kindName(x.Type()))
	}
	return operand{}
}

func (c *checker) kfuncExist(s *site) operand {
	name, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	return boolConst(c.env.System.HasKfunc(name), s.sp)
}

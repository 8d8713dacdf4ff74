package check

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// param is a positional parameter: its text, and its number if it has the form
// of one.
type param struct {
	text     string
	n        uint64
	negative bool
	isNumber bool
}

func parseParams(args []string) []param {
	out := make([]param, len(args))
	for i, a := range args {
		out[i] = param{text: a}
		out[i].n, out[i].negative, out[i].isNumber = parseNumber(a)
	}
	return out
}

// parseNumber reads an integer literal without suffix, with an optional minus.
func parseNumber(s string) (n uint64, negative, ok bool) {
	if strings.HasPrefix(s, "-") {
		negative = true
		s = s[1:]
	}
	if s == "" || s[0] < '0' || s[0] > '9' || strings.HasSuffix(s, "_") {
		return 0, false, false
	}
	clean := strings.ReplaceAll(s, "_", "")
	if mant, exp, found := cutExponent(clean); found {
		n, ok = scientific(mant, exp)
	} else {
		v, err := strconv.ParseUint(clean, base(clean), 64)
		n, ok = v, err == nil
	}
	if !ok || negative && n > 1<<63 {
		return 0, false, false
	}
	if negative {
		n = -n
		negative = n != 0
	}
	return n, negative, true
}

func base(s string) int {
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		return 0
	case len(s) > 1 && s[0] == '0':
		return 8
	}
	return 10
}

func cutExponent(s string) (mant, exp string, found bool) {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		return "", "", false
	}
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

func scientific(mant, exp string) (uint64, bool) {
	m, err := strconv.ParseUint(mant, 10, 64)
	e, err2 := strconv.ParseUint(exp, 10, 8)
	if err != nil || err2 != nil || m < 1 || m > 9 {
		return 0, false
	}
	for ; e > 0; e-- {
		hi, lo := bits.Mul64(m, 10)
		if hi != 0 {
			return 0, false
		}
		m = lo
	}
	return m, true
}

// param is $N where a value is wanted: a literal. One that is not given is 0,
// which a script hardly means.
func (c *checker) param(x *ast.Param) operand {
	if c.given(x).text == "" {
		c.diags.Warnf(diag.BadParam, x.Pos(), "Positional parameter $%d is empty or not provided.", x.N)
	}
	return c.paramValue(x)
}

// given returns parameter $N, the zero value without one.
func (c *checker) given(x *ast.Param) param {
	if x.N > len(c.params) {
		return param{}
	}
	return c.params[x.N-1]
}

func (c *checker) paramValue(x *ast.Param) operand {
	p := c.given(x)
	if p.text == "" {
		return intLit(0, false, x.Pos())
	}
	if p.isNumber {
		return intLit(p.n, p.negative, x.Pos())
	}
	return strLit(p.text, x.Pos())
}

// options are the named parameters and what the script asks for.
type options struct {
	given map[string]string // name to value, "" for --name
	has   map[string]bool   // whether a value stands behind =
	names []string          // given names in order
	asked map[string]*asked
	order []string
}

type asked struct {
	at   *site
	def  typed.Expr
	text string
}

func parseOptions(args []string) *options {
	o := &options{given: map[string]string{}, has: map[string]bool{}, asked: map[string]*asked{}}
	for _, a := range args {
		name, value, has := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		o.given[name], o.has[name] = value, has
		o.names = append(o.names, name)
	}
	return o
}

func (c *checker) getopt(s *site) operand {
	name, ok := s.args[0].(*ast.StrLit)
	if !ok {
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "getopt() expects a string literal as its first argument")
		return c.bad(s.sp)
	}
	def := boolConst(false, s.sp)
	if len(s.args) > 1 {
		def = c.expr(s.args[1])
		_, isStr := litStr(def)
		_, isNum := constOf(def.Expr)
		if !def.lit || !isStr && !isNum {
			c.diags.Errorf(diag.BadArgument, s.args[1].Pos(), "getopt() expects a literal as its second argument")
			return c.bad(s.sp)
		}
	}
	text := ""
	if len(s.args) > 2 {
		if text, ok = c.litArg(s, 2); !ok {
			return c.bad(s.sp)
		}
	}
	if !c.askOption(name.Value, def, text, s) {
		return c.bad(s.sp)
	}
	return c.optionValue(name.Value, def, s)
}

// askOption notes that the script knows an option; one name has one default.
func (c *checker) askOption(name string, def operand, text string, s *site) bool {
	old := c.opts.asked[name]
	if old == nil {
		c.opts.asked[name] = &asked{s, def.Expr, text}
		c.opts.order = append(c.opts.order, name)
		return true
	}
	if old.text == "" {
		old.text = text
	}
	if eq, known := constEqual(old.def, def.Expr); (!eq || !known || old.def.Type() != def.Type()) && old.at.sp != s.sp {
		c.diags.Errorf(diag.BadParam, s.sp, "Command line option '%s' needs to have the same default value in all places it is used", name).
			Note(old.at.sp, "this is the other use")
		return false
	}
	return true
}

func (c *checker) optionValue(name string, def operand, s *site) operand {
	value, given := c.opts.given[name]
	bad := func(want string) operand {
		c.diags.Errorf(diag.BadParam, s.sp, "program command line option --%s expects %s, not '%s'", name, want, value)
		return c.bad(s.sp)
	}
	switch t := def.Type().(type) {
	case types.Bool:
		b, _ := constOf(def.Expr)
		switch {
		case !given:
		case !c.opts.has[name], value == "true", value == "1":
			b = 1
		case value == "false", value == "0":
			b = 0
		default:
			return bad("a boolean (e.g. 'true')")
		}
		return of(&typed.Const{Node: node(t, s.sp), Value: b})
	case types.Int:
		n, _ := constOf(def.Expr)
		r := wide(int64(n) < 0 && !def.flex)
		if given {
			v, _, ok := parseNumber(value) // a negative number for an unsigned option wraps
			if !ok {
				return bad("a number")
			}
			n = v
		}
		return of(&typed.Const{Node: node(r, s.sp), Value: n})
	}
	text, _ := litStr(def)
	if given {
		text = value
	}
	t := types.String{Cap: c.capacity()}
	return of(&typed.Str{Node: node(t, s.sp), Value: text[:min(len(text), t.Cap-1)]})
}

// helpOption asks for the list of options; no script has an option of that name.
const helpOption = "help"

// checkOptions refuses named parameters that the script does not ask for, and
// returns those that it does.
func (c *checker) checkOptions() []typed.Option {
	list := make([]typed.Option, len(c.opts.order))
	for i, name := range c.opts.order {
		list[i] = typed.Option{Name: name, Text: c.opts.asked[name].text}
	}
	for _, name := range c.opts.names {
		if c.opts.asked[name] != nil || name == helpOption {
			continue
		}
		d := c.diags.Errorf(diag.BadParam, source.Span{}, "unexpected program command line option: --%s", name)
		for _, o := range list {
			d.Hint("the program has the option --%s", o.Name)
		}
	}
	return list
}

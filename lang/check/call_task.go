package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// commLen is the size of task_struct.comm.
const commLen = 16

// taskBuiltins are about the task and the machine: section 13.2.
func taskBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"pid":     {max: 1, check: inNamespace(typed.FnPid)},
		"tid":     {max: 1, check: inNamespace(typed.FnTid)},
		"uid":     {check: simple(uint64Type, typed.FnUid)},
		"gid":     {check: simple(uint64Type, typed.FnGid)},
		"cgroup":  {check: simple(uint64Type, typed.FnCgroup)},
		"cpu":     {check: simple(uint64Type, typed.FnCPU)},
		"numaid":  {check: simple(uint64Type, typed.FnNumaID)},
		"rand":    {check: simple(uint64Type, typed.FnRand)},
		"jiffies": {check: simple(uint64Type, typed.FnJiffies)},
		"elapsed": {check: simple(uint64Type, typed.FnElapsed)},
		"nsecs":   {max: 1, check: (*checker).nsecs},
		"comm":    {max: 1, check: (*checker).comm},
		"curtask": {check: (*checker).curtask},
		"username": {check: func(c *checker, s *site) operand {
			return s.make(types.Opaque{Kind: types.Username}, typed.FnUsername, s.make(uint64Type, typed.FnUid).Expr)
		}},
		"cpid":     {check: simple(uint64Type, typed.FnCpid)},
		"has_cpid": {check: func(c *checker, s *site) operand { return boolConst(c.env.Resolve.Cmd, s.sp) }},
		"ncpus": {check: func(c *checker, s *site) operand {
			return operand{Expr: constUint(uint64(c.env.System.NumCPU()), s.sp), lit: true}
		}},
		"ppid":        {max: 1, check: taskField("real_parent", "tgid")},
		"pcomm":       {max: 1, check: taskField("real_parent", "comm")},
		"leader_tid":  {max: 1, check: taskField("group_leader", "pid")},
		"leader_comm": {max: 1, check: taskField("group_leader", "comm")},
		"kstack":      {max: 2, check: stack(false), reads: readsKstack},
		"ustack":      {max: 2, check: stack(true)},
		"dw_ustack":   {max: 2, check: func(c *checker, s *site) operand { return c.unsupported(s.sp, "dw_ustack: unwinding by DWARF tables") }},
	}
}

// simple is a builtin without arguments.
func simple(t types.Type, fn typed.Fn) func(*checker, *site) operand {
	return func(c *checker, s *site) operand { return s.make(t, fn) }
}

// mode returns the word that an argument such as curr_ns is.
func mode(s *site, i int) string {
	if id, ok := s.args[i].(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func (c *checker) errMode(s *site, want string) operand {
	c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "Invalid mode for %s: use one of %s", s.name, want)
	return c.bad(s.sp)
}

func inNamespace(fn typed.Fn) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		call := &typed.Call{Node: node(types.Int{Bits: 32}, s.sp), Fn: fn}
		if len(s.args) == 1 {
			switch mode(s, 0) {
			case "curr_ns":
			case "init":
				call.Imm = 1
			default:
				return c.errMode(s, "curr_ns, init")
			}
		}
		return of(call)
	}
}

func (c *checker) nsecs(s *site) operand {
	call := &typed.Call{Node: node(uint64Type, s.sp), Fn: typed.FnNsecs}
	if len(s.args) == 1 {
		switch mode(s, 0) {
		case "boot":
		case "monotonic":
			call.Imm = 1
		case "tai":
			call.Imm = 2
		case "sw_tai":
			call.Imm = 3
		default:
			return c.errMode(s, "boot, monotonic, tai, sw_tai")
		}
	}
	return of(call)
}

func (c *checker) comm(s *site) operand {
	if len(s.args) == 0 {
		return s.make(types.String{Cap: commLen}, typed.FnComm)
	}
	if x := c.intArg(s, 0, false); isUnknown(x.Type()) {
		return x
	}
	return c.unsupported(s.sp, "comm() of another process")
}

func (c *checker) curtask(s *site) operand {
	t, ok := c.env.Kernel.Struct("task_struct")
	if !ok {
		c.diags.Errorf(diag.NeedsKernel, s.sp, "curtask needs the kernel's types (BTF): %v", c.env.Kernel.Available())
		return c.bad(s.sp)
	}
	return s.make(types.Pointer{Elem: t, Space: types.Kernel, BTF: c.env.TaskBTF}, typed.FnCurtask)
}

// taskField is curtask.link.field, or that of the task given.
func taskField(link, field string) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		task := operand{}
		if len(s.args) == 1 {
			task = c.arg(s, 0)
		} else {
			task = c.curtask(s)
		}
		if isUnknown(task.Type()) {
			return task
		}
		p, ok := task.Type().(types.Pointer)
		if ok {
			if st, isStruct := p.Elem.(*types.Struct); !isStruct || st.Name != "task_struct" {
				ok = false
			}
		}
		if !ok {
			c.diags.Errorf(diag.BadArgument, s.sp, "%s() needs a pointer to struct task_struct", s.name)
			return c.bad(s.sp)
		}
		return c.through(c.through(task, link, s), field, s)
	}
}

// through follows a field of a pointer to a struct.
func (c *checker) through(x operand, field string, s *site) operand {
	p, ok := x.Type().(types.Pointer)
	if !ok {
		return c.bad(s.sp)
	}
	st, ok := p.Elem.(*types.Struct)
	if !ok {
		return c.bad(s.sp)
	}
	f, ok := st.Lookup(field)
	if !ok {
		c.diags.Errorf(diag.NeedsKernel, s.sp, "the kernel's %s has no field %s", st, field)
		return c.bad(s.sp)
	}
	y := of(c.member(&typed.Deref{Node: node(p.Elem, s.sp), X: x.Expr}, f, s.sp))
	if q, ok := y.Type().(types.Pointer); ok && p.BTF {
		q.BTF = true
		y.Expr.(*typed.Field).T = q
	}
	return y
}

func stack(user bool) func(*checker, *site) operand {
	fn := typed.FnKstack
	if user {
		fn = typed.FnUstack
	}
	return func(c *checker, s *site) operand {
		t := types.Stack{User: user, Mode: c.cfg.StackMode, Limit: defaultFrames}
		for i := range s.args {
			var ok bool
			if id := c.modeWord(s, i); id != nil {
				t.Mode, ok = c.stackMode(id, user)
			} else {
				t.Limit, ok = c.stackLimit(s, i)
			}
			if !ok {
				return c.bad(s.sp)
			}
		}
		if c.target().Provider == target.Iter && user {
			c.errNotHere(s)
			return c.bad(s.sp)
		}
		return s.make(t, fn)
	}
}

// modeWord returns argument i if it stands for the mode of a stack: the first
// one, when it is a word and none that has a number.
func (c *checker) modeWord(s *site, i int) *ast.Ident {
	id, ok := s.args[i].(*ast.Ident)
	if !ok || i > 0 {
		return nil
	}
	if _, isMode := parseStackMode(id.Name); isMode {
		return id
	}
	if _, isConst := c.constant(id.Name, id.Pos()); isConst {
		return nil
	}
	return id
}

func (c *checker) stackMode(id *ast.Ident, user bool) (types.StackMode, bool) {
	m, ok := parseStackMode(id.Name)
	switch {
	case !ok:
		c.diags.Errorf(diag.BadArgument, id.Pos(), "Unknown stack mode: '%s'", id.Name).
			Hint("Expected: bpftrace, perf, raw or build_id")
	case m == types.StackBuildID && !user:
		c.diags.Errorf(diag.BadArgument, id.Pos(), "stack mode build_id is only for ustack")
		ok = false
	}
	return m, ok
}

// maxFrames is the largest limit of a stack.
const maxFrames = 1024

func (c *checker) stackLimit(s *site, i int) (int, bool) {
	n, ok := c.constInt(c.arg(s, i), s.args[i].Pos(), "the limit of "+s.name+"()")
	if !ok {
		return 0, false
	}
	if n < 0 || n > maxFrames {
		c.diags.Errorf(diag.BadArgument, s.sp, "%s([int limit]): limit shouldn't exceed %d (or be negative), %d given", s.name, maxFrames, n)
		return 0, false
	}
	return int(n), true
}

func parseStackMode(name string) (types.StackMode, bool) {
	for m := types.StackBpftrace; m <= types.StackBuildID; m++ {
		if m.String() == name {
			return m, true
		}
	}
	return 0, false
}

package ir

import "testing"

func mustParse(t *testing.T, text string) *Func {
	t.Helper()
	f, err := ParseFunc(text, helpers)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// expect checks the text of f and its invariants.
func expect(t *testing.T, f *Func, want string) {
	t.Helper()
	if err := Verify(f); err != nil {
		t.Fatalf("%v\n%s", err, f)
	}
	if f.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", f, want)
	}
}

func TestSubstFollowsChains(t *testing.T) {
	f := mustParse(t, "func f {\nb0(v0 i64, v1 i64):\n\tv2 = add v0, v1\n\tv3 = add v2, v1\n\tbranch v3 -> b1(v3), b1(v2)\nb1(v4 i64):\n\treturn v4\n}\n")
	values := f.Blocks[0].Values
	s := NewSubst(f)
	s.Set(values[1], values[0])
	s.Set(values[0], f.Blocks[0].Params[0])
	s.Apply(f)
	expect(t, f, "func f {\nb0(v0 i64, v1 i64):\n\tv2 = add v0, v1\n\tv3 = add v0, v1\n\tbranch v0 -> b1(v0), b1(v0)\nb1(v4 i64):\n\treturn v4\n}\n")
	if s.Get(values[1]) != f.Blocks[0].Params[0] || s.Get(f.Blocks[0].Params[1]) != f.Blocks[0].Params[1] {
		t.Error("Get does not follow the chain")
	}
}

func TestRemoveUnreachable(t *testing.T) {
	f := mustParse(t, "func f {\nb0(v0 i64):\n\tjump b2()\nb1():\n\tjump b2()\nb2():\n\treturn v0\n}\n")
	if !f.RemoveUnreachable() || f.RemoveUnreachable() {
		t.Error("the result does not tell whether there were unreachable blocks")
	}
	expect(t, f, "func f {\nb0(v0 i64):\n\tjump b2()\nb2():\n\treturn v0\n}\n")
}

func TestRemoveTrivialParams(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"the same value on all edges, in a circle",
			"func f {\nb0(v0 i64):\n\tjump b1(v0)\nb1(v1 i64):\n\tbranch v1 -> b2(v1), b3()\nb2(v2 i64):\n\tjump b1(v2)\nb3():\n\treturn v1\n}\n",
			"func f {\nb0(v0 i64):\n\tjump b1()\nb1():\n\tbranch v0 -> b2(), b3()\nb2():\n\tjump b1()\nb3():\n\treturn v0\n}\n",
		},
		{
			"equal numbers",
			"func f {\nb0(v0 i64):\n\tv1 = const 5\n\tbranch v0 -> b1(), b2(v1)\nb1():\n\tv2 = const 5\n\tjump b2(v2)\nb2(v3 i64):\n\treturn v3\n}\n",
			"func f {\nb0(v0 i64):\n\tv1 = const 5\n\tbranch v0 -> b1(), b2()\nb1():\n\tv2 = const 5\n\tjump b2()\nb2():\n\tv4 = const 5\n\treturn v4\n}\n",
		},
		{
			"different values stay",
			"func f {\nb0(v0 i64, v1 i64):\n\tbranch v0 -> b1(v0), b1(v1)\nb1(v2 i64):\n\treturn v2\n}\n",
			"func f {\nb0(v0 i64, v1 i64):\n\tbranch v0 -> b1(v0), b1(v1)\nb1(v2 i64):\n\treturn v2\n}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := mustParse(t, c.text)
			if changed := f.RemoveTrivialParams(); changed != (c.text != c.want) {
				t.Errorf("RemoveTrivialParams() = %v", changed)
			}
			expect(t, f, c.want)
		})
	}
}

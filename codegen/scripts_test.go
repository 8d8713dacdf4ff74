package codegen_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestScripts runs scripts on the kernel, for several kernels' features and
// optimised or not, and compares the records that they send.
func TestScripts(t *testing.T) {
	for _, c := range scripts() {
		t.Run(c.name, func(t *testing.T) {
			for _, release := range []string{"6.18", "6.1", "5.10"} {
				if release == "5.10" && c.modern {
					continue
				}
				for _, opt := range []int{0, 2} {
					got := output(t, c.src, features(release), opt)
					if !slices.Equal(got, c.want) {
						t.Errorf("%s at level %d for %s\n got %q\nwant %q", c.src, opt, release, got, c.want)
					}
				}
			}
		})
	}
}

type script struct {
	name, src string
	modern    bool // needs more than Linux 5.10
	want      []string
}

func scripts() []script {
	return slices.Concat(arithmeticScripts(), mapScripts(), stringScripts(), loopScripts(), verifierScripts(), joinScripts(), pointerScripts(), memoryScripts(), outputScripts())
}

const divided = "Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result."

func arithmeticScripts() []script {
	return []script{
		{"numbers", `BEGIN { $a = 40; $b = 2; printf("%d", $a + $b); print($a / $b); print(-$a); print(~$b) }`, false, []string{"%d 42", "20", "-40", "-3"}},
		{"division is unsigned", `BEGIN { $x = -8; print($x / 2); print($x >> 1); print($x % 3) }`, false,
			[]string{"9223372036854775804", "9223372036854775804", "2"}},
		{"division by zero", `BEGIN { $z = rand; $z = $z - $z; print(1 / $z); print(5 % $z) }`, false, []string{divided, "1", divided, "1"}},
		{"division by zero warns once", `BEGIN { $z = rand; $z = $z - $z; unroll (3) { print(1 / $z) } }`, false, []string{divided, "1", "1", "1"}},
		{"narrowing", `BEGIN { $a = (uint64)nsecs; $b = (int8)(($a & 0) + 200); print($b); $c = (uint8)(($a & 0) + 300); print($c); $d = (uint16)(int8)(($a & 0) - 1); print($d) }`, false,
			[]string{"-56", "44", "65535"}},
		{"comparison", `BEGIN { $n = -1 + ((int64)rand & 0); $u = (uint64)5; print(($n < 3, $n > 3, $u >= 5, $u != 5)) }`, false, []string{"(1, 0, 1, 0)"}},
		{"logic", `BEGIN { $a = (int64)rand & 0; print((!$a, $a && 1, $a || 7, !!5)); @n = 0; if ($a && @n++) { print(1) } print((1, @n)) }`, false,
			[]string{"(1, 0, 1, 1)", "(1, 0)"}},
		{"ternary", `BEGIN { $a = (int64)rand & 0; print($a ? 10 : 20); print($a == 0 ? "zero" : "other") }`, false, []string{"20", "zero"}},
		{"increment", `BEGIN { let $a : int8 = 127; print($a++); print($a); $b = 5; print(--$b); print($b--); print($b) }`, false, []string{"127", "-128", "4", "4", "3"}},
		{"bswap", `BEGIN { $a = (uint32)((rand & 0) + 0x11223344); printf("%x", bswap($a)); print(bswap((uint16)$a)) }`, false, []string{"%x 1144201745", "17459"}},
		{"many variables", manyVariables(60), false, []string{"1830", "60"}},
		{"more variables than the stack holds", spilledVariables(150), false, []string{"11175", "0"}},
	}
}

// manyVariables has more variables than registers, slots and spills: they are
// set in a first part and summed up in a second one.
func manyVariables(n int) string {
	var b strings.Builder
	b.WriteString("BEGIN { $z = rand - rand; $z = 0 * $z; ")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "$v%d = $z + %d; ", i, i)
	}
	b.WriteString("$s = 0; ")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "$s += $v%d; ", i)
	}
	fmt.Fprintf(&b, "print($s); print($v%d) }", n)
	return b.String()
}

// spilledVariables keeps n numbers that nothing is known of across calls and
// branches, and prints their sum and what is left when all are subtracted.
func spilledVariables(n int) string {
	var b strings.Builder
	b.WriteString("BEGIN { $s = (int64)0; ")
	for i := range n {
		fmt.Fprintf(&b, "$v%d = (int64)rand %% 1 + %d; ", i, i)
	}
	for i := range n {
		fmt.Fprintf(&b, "if ($v%d >= 0) { $s += $v%d } else { $v%d = (int64)rand } ", i, i, i)
	}
	b.WriteString("print($s); ")
	for i := range n {
		fmt.Fprintf(&b, "$s -= $v%d; ", n-1-i)
	}
	b.WriteString("print($s) }")
	return b.String()
}

func mapScripts() []script {
	return []script{
		{"scalar map", `BEGIN { @x = 5; @x++; @x += 10; print((0, @x)) }`, false, []string{"(0, 16)"}},
		{"keyed map", `BEGIN { @x[1] = 5; @x[1]++; @x[2]++; @x[2] += 7; @x[2] -= 1; print((@x[1], @x[2], @x[3])); }`, false, []string{"(6, 7, 0)"}},
		{"old and new values", `BEGIN { @x[1]++; print(@x[1]++); print(++@x[1]); @s = 3; print(@s--); print(--@s) }`, false, []string{"1", "3", "3", "1"}},
		{"tuple keys", `BEGIN { @x[1, "ab", (int8)2] = 9; $k = (int8)2; print(@x[1, "ab", $k]); print(has_key(@x, (1, "ab", 2))); print(has_key(@x, (1, "ac", 2))) }`, false, []string{"9", "1", "0"}},
		{"string keys of several lengths", `BEGIN { @x["abcdefgh"] = 1; @x["abc"] = 2; $s = "abc"; print((@x[$s], @x["abcdefgh"], @x["abcd"])) }`, false, []string{"(2, 1, 0)"}},
		{"short strings as keys", `BEGIN { let $s : string[16] = "abcdefgh"; $s = "abc"; @x["abc"] = 1; print(@x[$s]); let $t : string[16] = "abcdefghijklmno"; $t = "abcdefgh"; @x["abcdefgh"] = 2; print(@x[$t]); @x["abcdefghijklmno"] = 3; $t = "abcdefghijklmno"; print(@x[$t]); $t = ""; @x[""] = 4; print(@x[$t]) }`, false, []string{"1", "2", "3", "4"}},
		{"read string as key", `BEGIN { @x["xyz"] = 4; print(@x[str("xyz")]); print(@x[str("xyzw", 3)]) }`, false, []string{"4", "4"}},
		{"aggregate values", `BEGIN { @t[1] = (1, "abc"); print(@t[1]); print(@t[2]); print(@t[1].1); @s["k"] = "value"; print(@s["k"]); print(@s["no"]) }`, false,
			[]string{"(1, abc)", "(0, )", "abc", "value", ""}},
		{"delete", `BEGIN { @x[1] = 1; print(delete(@x, 1)); print(delete(@x, 1)); print(@x[1]); @s = 4; print(delete(@s)); print(delete(@s)); print((1, @s)) }`, false,
			[]string{"1", "0", "0", "1", "0", "(1, 0)"}},
		{"find", `BEGIN { @x[1] = 7; let $v = 0; if (find(@x, 1, $v)) { print($v) } if (!find(@x, 2, $v)) { print($v) } }`, false, []string{"7", "7"}},
		{"len", `BEGIN { print(len(@x)); @x[1] = 1; @x[2] = 1; print(len(@x)) }`, true, []string{"0", "2"}},
		{"full map", `let @m = hash(1); BEGIN { @m[1] = 1; @m[2] = 2; @m[2] = 3; @m[3]++; print(@m[1]) }`, false,
			[]string{"map_update_elem -7", "map_update_elem -7", "map_update_elem -7", "1"}},
		{"count", `BEGIN { @ = count(); @ = count(); @k["a"] = count(); print((int64)@); print((int64)@k["a"]); print((int64)@k["b"]) }`, true, []string{"2", "1", "0"}},
		{"sum", `BEGIN { @s = sum(-5); @s = sum(2); print((int64)@s); @k[1] = sum(5); @k[1] = sum(6); print((int64)@k[1]) }`, true, []string{"-3", "11"}},
		{"min and max", `BEGIN { @a = min(-5); @a = min(2); @b = max(-5); @b = max(-7); @k[1] = max(3); @k[1] = max(9); print(((int64)@a, (int64)@b, (int64)@k[1])) }`, true, []string{"(-5, -5, 9)"}},
		{"avg", `BEGIN { @a = avg(-5); @a = avg(-4); @k[1] = avg(3); @k[1] = avg(6); @k[1] = avg(1); print(((int64)@a, (int64)@k[1])) }`, true, []string{"(-4, 3)"}},
		{"values in keys", `BEGIN { @[comm, pid] = 1; print(@[comm, pid]) }`, false, []string{"1"}},
	}
}

func stringScripts() []script {
	return []script{
		{"literals", `BEGIN { $s = "abc"; @s[$s] = 1; if ($s == "abc") { print($s) } print(@s["abc"]); print(comm == "codegen.test"); print(comm != "codegen.test"); }`, false,
			[]string{"abc", "1", "1", "0"}},
		{"equality", `BEGIN { $a = "abcdefghijklmnopqrstuvwxyz"; $b = str("abcdefghijklmnopqrstuvwxyz"); $c = str("abcdefghijklmnopqrstuvwxyZ"); print(($a == $b, $a == $c, $a != $c, $b == "abc")) }`, false, []string{"(1, 0, 1, 0)"}},
		{"equality up to the end", `BEGIN { let $s : string[16] = "abc"; let $t : string[16] = "abcdefgh"; $t = "abc"; print($s == $t); print($t == "abc") }`, false, []string{"1", "1"}},
		{"strlen", `BEGIN { print(strlen("abc")); $s = str("hello world"); print(strlen($s)); print(strlen(comm)); let $e = ""; print(strlen($e)) }`, false, []string{"3", "11", "12", "0"}},
		{"strncmp", `BEGIN { $s = str("hello"); print((strncmp($s, "help", 3), strncmp($s, "help", 4), strncmp("hello", $s, 9))) }`, false, []string{"(0, 1, 0)"}},
		{"strstr", `BEGIN { $s = str("hello world", 32); print((strstr($s, "world"), strstr($s, "xyz"), strstr($s, "h"), strcontains($s, "o w"))) }`, false, []string{"(6, -1, 0, 1)"}},
		{"strstr of variables", `BEGIN { $s = str("hello world", 16); $n = str("wor", 8); print((strstr($s, $n), strcontains($n, $s))) }`, false, []string{"(6, 0)"}},
		{"concatenation", `BEGIN { $a = str("foo"); print(str_concat($a, "bar")); print(str_concat("", $a)) }`, false, []string{"foobar", "foo"}},
		{"index", `BEGIN { $s = "abc"; $i = (int64)(rand & 0) + 1; print($s[$i]); print($s[0]) }`, false, []string{"98", "97"}},
		{"bounds", `BEGIN { $s = "abc"; $i = (int64)(rand & 0) + 100; print($s[$i]) }`, false, []string{"Array access out of bounds. 0 is being used as the result.", "0"}},
		{"names", `BEGIN { print(strerror(2)); print(strerror(-13)); print(strerror(100000)); print(signal_name(9)); print(signal_name(2)); print(signal_name(0)); print(signal_name(99)) }`, false,
			[]string{"No such file or directory", "Permission denied", "Unknown error", "Killed", "Interrupt", "Unknown signal 0", "N/A"}},
		{"buffers", `BEGIN { $b = buf("abcd", 3); print($b); @b[$b] = 1; print(@b[buf("abc", 3)]); print($b == buf("abc", 3)) }`, false, []string{`"abc"`, "1", "1"}},
		{"bytes", `BEGIN { print(memcmp("abcd", "abce", 4)); print(memcmp("abcd", "abce", 3)); print(memcmp("b", "a", 1)) }`, false, []string{"-1", "0", "1"}},
	}
}

func loopScripts() []script {
	return []script{
		{"inline range", `BEGIN { $s = 0; for ($i : 0..10) { if ($i == 3) { continue } if ($i == 6) { break } $s += $i } print($s) }`, false, []string{"12"}},
		{"callback range", `BEGIN { $s = 0; for ($i : 0..1000) { if ($i == 3) { continue } if ($i == 500) { break } $s += $i } print($s) }`, true, []string{"124747"}},
		{"bounds that are not known", `BEGIN { $n = (int64)(rand & 0) + 5; $s = 0; for ($i : (-2)..$n) { $s += $i } print($s); for ($i : $n..0) { print($i) } }`, true, []string{"7"}},
		{"assignment to the loop variable", `BEGIN { $s = 0; for ($i : 0..300) { $i = 7; $s += $i } print($s) }`, true, []string{"2100"}},
		{"nested callbacks", `BEGIN { $n = 0; $a = "x"; for ($i : 0..200) { $k = $i; for ($j : 0..200) { if ($j > $k) { break } $n += 1; $k += 0 } $a = "y" } print(($n, $a)) }`, true, []string{"(20100, y)"}},
		{"while", `BEGIN { $i = 0; while ($i < 1000) { $i++; if ($i == 700) { break } } print($i) }`, true, []string{"700"}},
		{"while that runs out of turns", `BEGIN { $n = (int64)0; while ($n < 9000000) { $n++ } print($n) }`, true, []string{"loop -7", "8388607"}},
		{"while that just does not", `BEGIN { $n = (int64)0; while ($n < 8388607) { $n++ } print($n) }`, true, []string{"8388607"}},
		{"seven ranges in one another", nested(7, "for ($i%[1]d : 0..$two) { $x%[1]d = $i%[1]d + $z; "), true, []string{"128", "448"}},
		{"seven whiles in one another", nested(7, "$i%[1]d = $z; while ($i%[1]d < $two) { $x%[1]d = $i%[1]d++; "), true, []string{"128", "448"}},
		{"seven maps in one another", "BEGIN { @[0] = 0; @[1] = 1; }\n" + nested(7, "for ($kv%[1]d : @) { $x%[1]d = $kv%[1]d.1 + $z; "), true, []string{"128", "448"}},
		{"return from a callback", `BEGIN { for ($i : 0..1000) { for ($j : 0..1000) { if ($j == 10) { print($j); return } } } print(1) }`, true, []string{"10"}},
		{"unroll", `BEGIN { $s = 0; unroll (5) { $s += 2 } print($s) }`, false, []string{"10"}},
		{"for map", `BEGIN { @[1] = 2; @[3] = 4; $s = 0; for ($kv : @) { $s += $kv.0 * 10 + $kv.1 } print($s) }`, true, []string{"46"}},
		{"for map of strings", `BEGIN { @["a"] = "bcd"; for ($kv : @) { print($kv); $t = $kv.1; print($t) } }`, true, []string{"(a, bcd)", "bcd"}},
		{"for aggregation", `BEGIN { @[1] = count(); @[1] = count(); for ($kv : @) { print(($kv.0, (int64)$kv.1)) } }`, true, []string{"(1, 2)"}},
		{"deletion in a loop", `BEGIN { @[1] = 2; @[3] = 4; for ($kv : @) { $d = delete(@, $kv.0) } print(len(@)) }`, true, []string{"0"}},
		{"captured variables of all kinds", `BEGIN { $a = 1; $s = str("abc"); $t = (1, "x"); $b = (int8)1; $p = curtask; for ($i : 0..200) { $a += 1; $b = (int8)5; if ($i == 199) { print(($a, $s, $t, $b, $p == curtask)) } } print($b) }`, true, []string{"(201, abc, (1, x), 5, 1)", "5"}},
	}
}

// nested makes n loops in one another and counts the turns, and the sums of the
// variables $x1 to $xn, which the innermost one uses together.
func nested(n int, loop string) string {
	var b strings.Builder
	b.WriteString("BEGIN { $z = (int64)rand & 0; $two = $z + 2; $n = $z; $s = $z; ")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, loop, i)
	}
	b.WriteString("$n++; $s += $x1")
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&b, " + $x%d", i)
	}
	return b.String() + strings.Repeat(" }", n) + " print($n); print($s) }"
}

func memoryScripts() []script {
	return []script{
		{"task", `BEGIN { print(curtask.pid == tid); print(curtask.comm == comm); print(curtask.group_leader.pid == pid); print(curtask.comm) }`, false, []string{"1", "1", "1", "codegen.test"}},
		{"chains", `BEGIN { $t = curtask; print($t.group_leader.group_leader.tgid == pid); print($t.real_parent.tgid == ppid); @t = $t; print(@t.tgid == pid) }`, false, []string{"1", "1", "1"}},
		{"null", `BEGIN { $t = (struct task_struct *)0; print($t.pid); print($t.comm); print($t.real_parent.comm) }`, false, []string{"0", "", ""}},
		{"pointer to a variable", `BEGIN { $x = 5; $p = &$x; print(*$p); $x = 6; print(*$p) }`, false, []string{"5", "6"}},
		{"structs of the script", `struct s { int a; char b; short c[3]; unsigned f : 3; int g : 5; }; BEGIN { $p = (struct s *)0; print($p.a); print($p.c[1]); print($p.f) }`, false, []string{"0", "0", "0"}},
		{"arrays", `BEGIN { $a = pton("1.2.3.4"); $i = (int64)(rand & 0) + 2; print($a[$i]); print($a[0]); @a[$a] = 1; print(@a[pton("1.2.3.4")]); print($a == pton("1.2.3.4")) }`, false, []string{"3", "1", "1", "1"}},
		{"casts of arrays", `BEGIN { $n = (uint32)((rand & 0) + 0x04030201); $a = (uint8[4])$n; print($a[1]); print((uint32)$a == $n); print((int8[])"ab") }`, false, []string{"2", "1", "[97,98,0]"}},
		{"tuples", `BEGIN { $t = ((int8)1, "ab", (int64)3); print($t); print($t.1); $t = (2, "c", 4); print($t); print($t == (2, "c", 4)); print($t == (2, "d", 4)) }`, false, []string{"(1, ab, 3)", "ab", "(2, c, 4)", "1", "0"}},
		{"records", `BEGIN { $r = (a = 1, b = "x"); print($r.b); print($r); print($r == (b = "x", a = 1)) }`, false, []string{"x", "(1, x)", "1"}},
	}
}

func outputScripts() []script {
	return []script{
		{"printf", `BEGIN { printf("%d %s %c", 1, "text", 65) }`, false, []string{"%d %s %c 1 text 65"}},
		{"order of effects", `BEGIN { $i = 0; printf("%d %d %d", $i++, $i++, $i) }`, false, []string{"%d %d %d 0 1 2"}},
		{"exit", `BEGIN { print(1); exit(3); print(2) }`, false, []string{"1", "3"}},
		{"map actions", `BEGIN { @[1] = 1; print(@); clear(@); zero(@); time("%H") }`, false, []string{"@", "@", "@", "%H"}},
		{"opaque values", `BEGIN { print(macaddr(pton("::1"))); print(ntop(pton("1.2.3.4"))) }`, false, []string{"000000000000", "02000000000000000102030400000000" + "0000000000000000"}},
		{"stacks", `BEGIN { $k = kstack(3); @[$k] = 1; print(@[$k]); print(len($k)); print(len(kstack(0))); print($k == kstack(3)) }`, false, []string{"1", "3", "0", "0"}},
	}
}

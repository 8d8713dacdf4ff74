package codegen_test

// verifierScripts are about loops that the verifier must come to an end with: it
// follows the values of variables from turn to turn as long as it knows them.
// All were found by random programs.
func verifierScripts() []script {
	return []script{
		{"sum tested behind a loop", `BEGIN { @d[1] = 1; @d[2] = 1; $n = 0; for ($kv : @d) { $n++ } if ($n > 1) { print($n) } }`, true, []string{"2"}},
		{"sum tested in a loop", `BEGIN { $n = 0; $end = ((int64)rand & 0) + 200; for ($i : 0..$end) { $n++; if ($n == 100) { print($n) } } print($n) }`, true,
			[]string{"100", "200"}},
		{"sum as a divisor", `BEGIN { $n = -1; $end = ((int64)rand & 0) + 3; for ($i : 0..$end) { $n++; $m = 6 / ($n + 1); if ($m == 2) { print($n) } } }`, true,
			[]string{"2"}},
		{"while with many turns", `BEGIN { $i = 0; while ($i < 10000) { $i++; if ($i == 9000) { break } } if ($i > 5) { print($i) } }`, true, []string{"9000"}},
		{"sums in nested loops", `BEGIN { $end = ((int64)rand & 0) + 6; $t = (0, 0); $m = 0;
			for ($j : 0..$end) { $n = 0; for ($i : 0..$end) { $n++; $m++; if ($n > 4) { $t = ($t.0 + 1, $n) } } }
			if ($m == 36 && $t.0 > 10) { print($t) } }`, true, []string{"(12, 6)"}},
		{"variable tested by the condition only", `BEGIN { $i = (int64)rand & 0; while ($i >> (uint8)($i <= 1)) { $i++ } if ($i == 0) { print($i) } $end = ((int64)rand & 0) + 9; for ($j : 0..$end) { if ($j == 5) { print($j) } } }`, true,
			[]string{"0", "5"}},
		{"thousands of new keys at once", `BEGIN { $end = ((int64)rand & 0) + 3000; for ($i : 0..$end) { @h[$i] = hist($i); @l[$i] = lhist($i, 0, 3000, 10); @c[$i] = count(); } print((len(@h), len(@l), len(@c))) }`, true,
			[]string{"(3000, 3000, 3000)"}},
		{"index with a high bit that the verifier knows", `BEGIN { $i = ((uint64)pid << 46) + 4294967296; print(1); print(((int8[8])(uint64)pid)[$i]) }`, false,
			[]string{"1", "Array access out of bounds. 0 is being used as the result.", "0"}},
		{"offset computed before the test of its index", `BEGIN { $i = (uint64)rand & 0; print($i << 2); print(((int32[1])((int32)7))[$i]) }`, false, []string{"0", "7"}},
		{"histograms in a row", `BEGIN { $n = (int64)rand & 0; unroll (20) { @a[$n & 1] = hist($n, 4); @b = hist($n); $n += 1000 } print($n) }`, false, []string{"20000"}},
	}
}

// pointerScripts read through addresses of the script's own variables, which
// must give what is there at that moment.
func pointerScripts() []script {
	return []script{
		{"variable read before it changes", `BEGIN { $x = (int64)5; @p = &$x; $y = *@p; $x = 6; if (pid > 0) { print(("y", $y)) } }`, false, []string{"(y, 5)"}},
		{"map read before it changes", `BEGIN { @x = (int64)5; @p = &@x; $y = *@p; @x++; if (pid > 0) { print(($y, *@p)) } }`, false, []string{"(5, 6)"}},
		{"address assigned by a callback", `BEGIN { let $g : int64 = 1; $h = (int64)2; $p = &$g; $q = $p; $end = ((int64)rand & 0) + 300; for ($i : 0..$end) { $q = $p; $p = &$h; } print((*$p, *$q)) }`, true,
			[]string{"(2, 2)"}},
		{"text read before it changes", `BEGIN { $s = "abc"; @p = &$s; $c = *@p; $s = "xyz"; if (pid > 0) { print($c) } }`, false, []string{"abc"}},
	}
}

// joinScripts are about values of several types in one place.
func joinScripts() []script {
	return []script{
		{"find in a narrower map", `BEGIN { @m[1] = (uint8)7; $v = (int64)rand & 0; $v -= 1; if (find(@m, 1, $v)) { print($v) } if (!find(@m, 2, $v)) { print($v) } }`, false,
			[]string{"7", "7"}},
		{"delete of the map that is assigned to", `BEGIN { @b = (1, false, 2); @b = (3, delete(@b), 4); print((@b.0, @b.1, @b.2)) }`, false, []string{"(3, 1, 4)"}},
		{"long text at an odd place", `config = { max_strlen = 16384 } BEGIN { $t = ((int8)1, str_concat("", comm), (int8)2); $u = str_concat("", comm); print(strlen($t.1) == strlen($u)); print($t.1 == $u) }`, true,
			[]string{"1", "1"}},
		{"element of a tuple whose others have effects", `BEGIN { $v = 1; $b = (1, ++$v, 1).0; $r = (a=1, b=$v++).a; print(($b, $r, $v)) }`, false, []string{"(1, 1, 3)"}},
		{"find of a shorter text", `BEGIN { @m[1] = "ab"; let $s : string[20] = "some other text"; if (find(@m, 1, $s)) { print($s) } }`, false, []string{"ab"}},
		{"index that turns out to be far too large", `BEGIN { $k = 1; print(1); print(((int8[2])(uint16)pid)[48799 / $k]); }`, false,
			[]string{"1", "Array access out of bounds. 0 is being used as the result.", "0"}},
		{"block that ends in an aggregation", `BEGIN { @c = count(); $x = { let $y = 1; @c } + 1; print($x) }`, true, []string{"2"}},
		{"sum of a part of a map's value", `BEGIN { @n = 4294967297 + ((int64)rand & 0); @n = (uint8)@n + 1; print(1); @m = (uint64)0; @m = (uint8)@m - 1; if (@n == 2) { print(2) } if (@m == -1) { print(3) } }`, false,
			[]string{"1", "2", "3"}},
		{"number of an array in a tuple", `BEGIN { $a = (int64)rand & 0; $t = ((uint8)1, (uint8[4])(uint32)($a + 16909060)); print((uint32)$t.1) }`, false,
			[]string{"16909060"}},
	}
}

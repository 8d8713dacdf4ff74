package main

// script is one line of the second table.
type script struct {
	name string
	load load
	text string
}

const (
	enter = "tracepoint:raw_syscalls:sys_enter "
	leave = "tracepoint:raw_syscalls:sys_exit "
	open  = "tracepoint:syscalls:sys_enter_openat "
)

// scripts cover what scripts are mostly made of, one thing each: predicates,
// keys, aggregations, strings, stacks, kernel structs, loops, output.
func scripts() []script {
	return []script{
		{"count", getppid, enter + `{ @ = count(); }`},
		{"count by name", getppid, enter + `{ @[comm] = count(); }`},
		{"count by three keys", getppid, enter + `{ @[uid, comm, args.id] = count(); }`},
		{"sum", getppid, leave + `{ @ = sum(args.ret); }`},
		{"min, max and average", getppid, leave + `{ @low = min(args.ret); @high = max(args.ret); @mean = avg(args.ret); }`},
		{"stats by thread", getppid, leave + `{ @[tid] = stats(args.ret); }`},
		{"histogram", getppid, leave + `{ @ = hist(args.ret); }`},
		{"histogram by name", getppid, leave + `{ @[comm] = hist(args.ret); }`},
		{"linear histogram", getppid, leave + `{ @ = lhist(args.ret & 63, 0, 64, 8); }`},
		{"predicate that fails", getppid, enter + `/uid == 4242/ { @[comm, kstack] = count(); }`},
		{"predicate on a string", getppid, enter + `/comm != "nobody"/ { @ = count(); }`},
		{"late test", getppid, enter + `{ $who = comm; $where = kstack(4); if (args.id == 9999) { @[$who, $where] = count(); } }`},
		{"latency", getppid, enter + `{ @begun[tid] = nsecs; } ` + leave +
			`/@begun[tid]/ { @ns = hist(nsecs - @begun[tid]); delete(@begun, tid); }`},
		{"variables", getppid, enter + `{ $a = args.id << 2; $b = $a ^ 21; if ($b > $a) { @up = sum($b); } else { @down = sum($a); } }`},
		{"map element", getppid, enter + `{ @n[args.id]++; @last = nsecs; }`},
		{"loop", getppid, enter + `{ $s = (uint64)0; for ($i : 0..50) { $s += (uint64)$i; } @ = sum($s); }`},
		{"parent of the task", getppid, enter + `{ @[((struct task_struct *)curtask).real_parent.tgid] = count(); }`},
		{"kernel stack", getppid, enter + `{ @[kstack(8)] = count(); }`},
		{"user stack", getppid, enter + `{ @[ustack(8)] = count(); }`},
		{"raw tracepoint", getppid, `rawtracepoint:vmlinux:sys_enter { @ = count(); }`},
		{"file name as a key", openat, open + `{ @[str(args.filename)] = count(); }`},
		{"file name compared", openat, open + `{ if (str(args.filename) == "/nonexistent/7") { @ = count(); } }`},
		{"file name searched", openat, open + `{ if (strcontains(str(args.filename, 32), "tent/7")) { @ = count(); } }`},
		{"printf of numbers", few, enter + `/args.id == 110/ { printf("%d %d %lld\n", pid, tid, nsecs); }`},
		{"printf of a string", fewOpens, open + `{ printf("%-16s %s\n", comm, str(args.filename)); }`},
	}
}

package typed

import "fmt"

// String returns the name of the function, as a script has it where it has one.
func (f Fn) String() string {
	names := [...]string{
		FnPid:          "pid",
		FnTid:          "tid",
		FnUid:          "uid",
		FnGid:          "gid",
		FnComm:         "comm",
		FnCpid:         "cpid",
		FnCurtask:      "curtask",
		FnCgroup:       "cgroup",
		FnCPU:          "cpu",
		FnNumaID:       "numaid",
		FnRand:         "rand",
		FnJiffies:      "jiffies",
		FnNsecs:        "nsecs",
		FnElapsed:      "elapsed",
		FnFunc:         "func",
		FnReg:          "reg",
		FnUsermode:     "usermode",
		FnKstack:       "kstack",
		FnUstack:       "ustack",
		FnStackLen:     "len",
		FnStr:          "str",
		FnBuf:          "buf",
		FnStrlen:       "strlen",
		FnStrncmp:      "strncmp",
		FnStrstr:       "strstr",
		FnStrcontains:  "strcontains",
		FnStrConcat:    "str_concat",
		FnMemcmp:       "memcmp",
		FnBswap:        "bswap",
		FnNtop:         "ntop",
		FnMacaddr:      "macaddr",
		FnKsym:         "ksym",
		FnUsym:         "usym",
		FnUaddr:        "uaddr",
		FnStrftime:     "strftime",
		FnCgroupPath:   "cgroup_path",
		FnUsername:     "username",
		FnPercpuKaddr:  "percpu_kaddr",
		FnPath:         "path",
		FnSignal:       "signal",
		FnOverride:     "override",
		FnWriteUser:    "write_user",
		FnSocketCookie: "socket_cookie",
		FnDebugf:       "debugf",
		FnStrerror:     "strerror",
		FnSignalName:   "signal_name",
		FnSyscallName:  "syscall_name",
	}
	if int(f) >= len(names) || names[f] == "" {
		return fmt.Sprintf("fn%d", uint8(f))
	}
	return names[f]
}

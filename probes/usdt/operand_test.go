package usdt

import (
	"testing"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
)

func machineFor(t testing.TB, arch string) machine {
	t.Helper()
	regs, ok := ptregs.For(arch)
	if !ok {
		t.Fatalf("no registers of %s", arch)
	}
	return machine{arch: arch, regs: regs, marker: 0x2000, object: func(name string) (uint64, bool) { return 0x5000, name == "Counters" }}
}

func TestOperands(t *testing.T) {
	for _, test := range []struct {
		arch, text string
		want       target.Loc
	}{
		{"amd64", "8@%rax", target.Loc{Kind: target.LocCtx, Off: 80, Size: 8}},
		{"amd64", "-4@%edi", target.Loc{Kind: target.LocCtx, Off: 112, Size: 4, Signed: true}},
		{"amd64", "1@%ah", target.Loc{Kind: target.LocCtx, Off: 81, Size: 1}},
		{"amd64", "-1@%sil", target.Loc{Kind: target.LocCtx, Off: 104, Size: 1, Signed: true}},
		{"amd64", "2@%r8w", target.Loc{Kind: target.LocCtx, Off: 72, Size: 2}},
		{"amd64", "4@%r12d", target.Loc{Kind: target.LocCtx, Off: 24, Size: 4}},
		{"amd64", "-4@$-9", target.Loc{Kind: target.LocConst, Const: -9, Size: 4, Signed: true}},
		{"amd64", "2@-42(%rbp)", target.Loc{Kind: target.LocMem, Off: 32, Const: -42, Index: -1, Scale: 1, Size: 2}},
		{"amd64", "8@(%rax,%rbx,8)", target.Loc{Kind: target.LocMem, Off: 80, Index: 40, Scale: 8, Size: 8}},
		{"amd64", "-4@40+Counters(%rip)", target.Loc{Kind: target.LocMem, Off: 128, Const: 0x3028, Index: -1, Scale: 1, Size: 4, Signed: true}},
		{"amd64", "8@Counters(%rip)", target.Loc{Kind: target.LocMem, Off: 128, Const: 0x3000, Index: -1, Scale: 1, Size: 8}},
		{"arm64", "8@x19", target.Loc{Kind: target.LocCtx, Off: 152, Size: 8}},
		{"arm64", "-4@w0", target.Loc{Kind: target.LocCtx, Size: 4, Signed: true}},
		{"arm64", "4@[sp, 12]", target.Loc{Kind: target.LocMem, Off: 248, Const: 12, Index: -1, Scale: 1, Size: 4}},
		{"arm64", "4@[x1, x2]", target.Loc{Kind: target.LocMem, Off: 8, Index: 16, Scale: 1, Size: 4}},
		{"arm64", "8@5", target.Loc{Kind: target.LocConst, Const: 5, Size: 8}},
	} {
		args := machineFor(t, test.arch).arguments(test.text)
		if len(args) != 1 || args[0].Problem != "" {
			t.Errorf("%s %s: arguments %+v", test.arch, test.text, args)
			continue
		}
		got := args[0].Loc
		same := got.Kind == test.want.Kind && got.Off == test.want.Off && got.Size == test.want.Size && got.Signed == test.want.Signed &&
			got.Index == test.want.Index && got.Scale == test.want.Scale && got.Const == test.want.Const
		if !same {
			t.Errorf("%s %s lies at %+v, want %+v", test.arch, test.text, got, test.want)
		}
	}
	if args := machineFor(t, "arm64").arguments("8@x0 4@[sp, 12] 8@7"); len(args) != 3 {
		t.Errorf("%d arguments; want 3", len(args))
	}
}

// An operand that is not understood keeps nobody from using the others.
func TestUnknownOperandsAreProblems(t *testing.T) {
	for _, text := range []string{"3@%rax", "8@%xyz", "8@%fs:8", "4f@%xmm0", "8@(%rax", "8@x(%rip)", "8@(%rip)", "8@4(%rip)", "8@Counters+Counters(%rip)", "8@(%rax,%rbx,99)", "8@", "@", "8@(,%rax)"} {
		args := machineFor(t, "amd64").arguments("8@%rax " + text + " 8@%rbx")
		if len(args) != 3 || args[0].Problem+args[2].Problem != "" || args[1].Problem == "" {
			t.Errorf("%q gives %+v", text, args)
		}
	}
}

func FuzzArguments(f *testing.F) {
	for _, text := range []string{"8@%rax -4@-20(%rbp)", "8@(%rax,%rbx,8)", "4@[sp, 12]", "8@$5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, arch := range []string{"amd64", "arm64"} {
			for _, a := range machineFor(t, arch).arguments(text) {
				if a.Problem != "" {
					continue
				}
				if a.Loc.Size < 1 || a.Loc.Size > 8 || a.Loc.Off < 0 || a.Loc.Off > 512 || a.Loc.Scale < 0 || a.Loc.Scale > 8 {
					t.Errorf("%s: %q gives %+v", arch, text, a.Loc)
				}
			}
		}
	})
}

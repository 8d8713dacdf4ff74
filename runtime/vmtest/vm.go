package vmtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

const (
	// killGrace is how long a killed command may take to report its end.
	killGrace = 30 * time.Second
	// shutdownGrace is how long a guest may take to power off.
	shutdownGrace = 10 * time.Second
)

// VM is a running guest.
type VM struct {
	Kernel   *Kernel
	Release  string        // as `uname -r`
	BootTime time.Duration // from QEMU's start to a usable guest

	qemu    *exec.Cmd
	stop    context.CancelFunc // kills QEMU
	exited  chan struct{}      // closed when QEMU has ended
	link    *os.File           // to the agent
	frames  chan frame         // closed when the link is down
	console *tail

	mu sync.Mutex // held while a command runs
}

type frame struct {
	kind    wire.Kind
	payload []byte
}

// Boot starts the guest and waits until its agent answers. Ending ctx later
// does not end the guest; Close does. Errors are ErrNoGuest and hold the end
// of the console's output.
func (i *Image) Boot(ctx context.Context) (*VM, error) {
	start := time.Now()
	vm, err := i.launch()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, i.options.BootTimeout,
		fmt.Errorf("not up after %v", i.options.BootTimeout))
	defer cancel()
	if err := vm.hello(ctx); err != nil {
		vm.kill()
		return nil, vm.dead(fmt.Errorf("boot of kernel %s: %w", i.Kernel.Release, err))
	}
	vm.BootTime = time.Since(start)
	return vm, nil
}

// launch starts QEMU and the goroutines that serve it.
func (i *Image) launch() (*VM, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "agent"), os.NewFile(uintptr(pair[1]), "guest")
	defer theirs.Close()
	ctx, stop := context.WithCancel(context.Background())
	vm := &VM{
		Kernel: i.Kernel, stop: stop, link: ours,
		exited: make(chan struct{}), frames: make(chan frame), console: &tail{next: i.options.Console},
	}
	vm.qemu = i.emulator.command(ctx, i.Kernel, i.initramfs(), i.options.Memory, i.options.CPUs)
	vm.qemu.Stdout, vm.qemu.Stderr = vm.console, vm.console
	vm.qemu.ExtraFiles = []*os.File{theirs}
	if err := vm.qemu.Start(); err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("vmtest: QEMU: %w", err), ours.Close())
	}
	go vm.wait()
	go vm.receive()
	return vm, nil
}

func (vm *VM) wait() {
	err := vm.qemu.Wait()
	if err != nil {
		fmt.Fprintln(vm.console, "QEMU:", err)
	}
	close(vm.exited)
}

// receive turns the link's bytes into frames. It ends with QEMU, whose end of
// the link is then closed.
func (vm *VM) receive() {
	defer close(vm.frames)
	for {
		kind, payload, err := wire.Read(vm.link)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(vm.console, "link to the guest:", err)
			}
			return
		}
		vm.frames <- frame{kind, payload}
	}
}

func (vm *VM) hello(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case f, ok := <-vm.frames:
		if !ok {
			return errors.New("QEMU ended")
		}
		var info wire.GuestInfo
		if err := json.Unmarshal(f.payload, &info); err != nil || f.kind != wire.Hello {
			return fmt.Errorf("unexpected frame of kind %d: %w", f.kind, err)
		}
		if len(info.Problems) > 0 {
			return fmt.Errorf("the guest could not be set up: %q", info.Problems)
		}
		vm.Release = info.Release
		return nil
	}
}

// Command is a program to run in a guest. Its standard input is empty.
type Command struct {
	Args           []string
	Env            []string // KEY=VALUE, added to PATH, HOME and TERM
	Dir            string   // working directory; "" means the root
	Stdout, Stderr io.Writer
}

// Exec runs a command and returns its exit status, 128 plus the signal's number
// if one ended it, 127 with an error if it can not be started. When ctx ends,
// the command is killed and the guest stays usable. Calls wait for each other.
func (vm *VM) Exec(ctx context.Context, c Command) (status int, err error) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	request := wire.Command{Args: c.Args, Env: c.Env, Dir: c.Dir}
	if err := wire.WriteJSON(vm.link, wire.Exec, request); err != nil {
		return StatusNoGuest, vm.dead(err)
	}
	if status, done, err := vm.follow(ctx, c); done {
		return status, err
	}
	if err := wire.Write(vm.link, wire.Kill, nil); err != nil {
		return StatusNoGuest, vm.dead(err)
	}
	killed, cancel := context.WithTimeout(context.Background(), killGrace)
	defer cancel()
	if status, done, err := vm.follow(killed, c); done && status == StatusNoGuest && err != nil {
		return status, err
	} else if !done {
		vm.kill()
		return StatusNoGuest, vm.dead(errors.New("a killed command does not end"))
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = ErrTimeLimit
	}
	return StatusTimeLimit, fmt.Errorf("vmtest: command %q: %w", c.Args, cause)
}

// follow passes a command's output on until its end (done) or that of ctx.
func (vm *VM) follow(ctx context.Context, c Command) (status int, done bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return 0, false, nil
		case f, ok := <-vm.frames:
			if !ok {
				return StatusNoGuest, true, vm.dead(errors.New("the guest died"))
			}
			switch f.kind {
			case wire.Stdout:
				err = errors.Join(err, forward(c.Stdout, f.payload))
			case wire.Stderr:
				err = errors.Join(err, forward(c.Stderr, f.payload))
			case wire.Exit:
				status, exitErr := exitStatus(f.payload)
				return status, true, errors.Join(err, exitErr)
			default:
				return StatusNoGuest, true, vm.dead(fmt.Errorf("unexpected frame of kind %d", f.kind))
			}
		}
	}
}

func forward(w io.Writer, data []byte) error {
	if w == nil {
		return nil
	}
	_, err := w.Write(data)
	return err
}

func exitStatus(payload []byte) (int, error) {
	var status wire.Status
	if err := json.Unmarshal(payload, &status); err != nil {
		return StatusNoGuest, fmt.Errorf("vmtest: %w: %w", ErrNoGuest, err)
	}
	if status.Error != "" {
		return status.Code, fmt.Errorf("vmtest: in the guest: %s", status.Error)
	}
	return status.Code, nil
}

// Close powers the guest off and waits for QEMU's end.
func (vm *VM) Close() error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	defer vm.kill()
	if err := wire.Write(vm.link, wire.Shutdown, nil); err != nil {
		return nil // it has ended already
	}
	select {
	case <-vm.exited:
		return nil
	case <-time.After(shutdownGrace):
		return vm.dead(errors.New("the guest does not power off"))
	}
}

// kill ends QEMU and frees what belongs to it. It may be called repeatedly.
func (vm *VM) kill() {
	vm.stop()
	<-vm.exited
	for range vm.frames { // let receive see the end of the link
	}
	vm.link.Close()
}

// dead explains an error with the end of the console's output.
func (vm *VM) dead(err error) error {
	return fmt.Errorf("vmtest: %w: %w; last on the console:\n%s", ErrNoGuest, err, vm.console)
}

// tail keeps the end of what is written to it.
type tail struct {
	next io.Writer // receives everything, if not nil

	mu   sync.Mutex
	data []byte
}

const tailSize = 6000 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if extra := len(t.data) - tailSize; extra > 0 {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	if t.next != nil {
		return t.next.Write(p)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}

// Command agent is the first process of a test guest, /init of its initramfs.
//
// It sets the guest up (file systems, kernel modules, loopback, settings that
// tracing needs), then serves the host's commands over the virtio-serial port
// until it is told to shut down. Its messages go to the console. It runs only
// as process 1 of a guest and refuses everything else, since it mounts, kills
// and powers off.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

func main() {
	if !isGuest() {
		fmt.Fprintln(os.Stderr, "agent: runs only as process 1 of a test guest")
		os.Exit(1)
	}
	if err := guest(); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
	}
	unix.Sync()
	// Process 1 must not return: the kernel would panic. Reboot fails only
	// without the capability for it.
	fmt.Fprintln(os.Stderr, "agent: power off:", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
	select {}
}

func guest() error {
	if err := mountAll(earlyMounts()); err != nil {
		return err
	}
	config, err := readConfig()
	if err != nil {
		return err
	}
	for _, module := range config.Modules {
		if err := loadModule(module); err != nil {
			return err
		}
	}
	port, err := openPort(wire.Port, 30*time.Second)
	if err != nil {
		return err
	}
	defer port.Close()
	info := wire.GuestInfo{Release: release()}
	for _, step := range setup() {
		if err := step(); err != nil {
			info.Problems = append(info.Problems, err.Error())
		}
	}
	if err := wire.WriteJSON(port, wire.Hello, info); err != nil {
		return err
	}
	return serve(port)
}

func readConfig() (wire.Config, error) {
	var config wire.Config
	text, err := os.ReadFile(wire.ConfigPath)
	if err != nil {
		return config, err
	}
	return config, json.Unmarshal(text, &config)
}

func loadModule(file string) error {
	module, err := os.Open(file)
	if err != nil {
		return err
	}
	defer module.Close()
	if err := unix.FinitModule(int(module.Fd()), "", 0); err != nil {
		return fmt.Errorf("load %s: %w", file, err)
	}
	return nil
}

// openPort opens the virtio-serial port of the given name. The device appears
// some time after its driver has been loaded.
func openPort(name string, patience time.Duration) (*os.File, error) {
	const class = "/sys/class/virtio-ports"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		ports, err := filepath.Glob(class + "/*/name")
		if err != nil {
			return nil, err
		}
		for _, file := range ports {
			label, err := os.ReadFile(file)
			if err == nil && strings.TrimSpace(string(label)) == name {
				return os.OpenFile(filepath.Join("/dev", filepath.Base(filepath.Dir(file))), os.O_RDWR, 0)
			}
		}
	}
	return nil, fmt.Errorf("no virtio-serial port %s after %v", name, patience)
}

func release() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// isGuest tells whether this is the first process of a guest: in a container
// process 1 has no configuration at this place.
func isGuest() bool {
	_, err := os.Stat(wire.ConfigPath)
	return os.Getpid() == 1 && err == nil
}

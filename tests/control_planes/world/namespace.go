// Package world provides the environment of a proxy in a cluster: a network, the files of its pod, model servers and a
// registry, each under the name that the manifests use.
package world

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const inside = "TRANSPONDER_TEST_NAMESPACE"

// Main runs the tests in namespaces of their own, with the variables that a control plane reads when it starts. So they may use the
// ports, names and paths of the manifests as they are, need no rights, and leave no process behind.
func Main(m *testing.M, environment ...string) int {
	if files := os.Getenv(inside); files != "" {
		if err := furnish(files); err != nil {
			fmt.Fprintln(os.Stderr, "cannot set up the namespaces of the test:", err)
			return 1
		}
		return m.Run()
	}
	files, err := os.MkdirTemp("", "control-planes-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.Remove(files)
	runtime.LockOSThread() // Pdeathsig is about the thread
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(append(os.Environ(), inside+"="+files, "TMPDIR="+files), environment...)
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	signal.Ignore(os.Interrupt) // the terminal sends it to the tests too
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "the tests of the control planes run in user namespaces:", err)
		return 1
	}
	return 0
}

// furnish overlays this directory, /etc and /var/lib, so that what the test writes there disappears with it.
func furnish(files string) error {
	if err := connect(); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("/: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	if err := unix.Mount("tmpfs", files, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("%s: %w", files, err)
	}
	for _, directory := range []string{"/etc", "/var/lib"} {
		if err := overlay(directory, filepath.Join(files, filepath.Base(directory))); err != nil {
			return fmt.Errorf("%s: %w", directory, err)
		}
	}
	return nil
}

// overlay redirects writes to a directory elsewhere.
func overlay(directory, elsewhere string) error {
	upper, work := filepath.Join(elsewhere, "upper"), filepath.Join(elsewhere, "work")
	for _, needed := range []string{upper, work} {
		if err := os.MkdirAll(needed, 0o755); err != nil {
			return err
		}
	}
	return unix.Mount("overlay", directory, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", directory, upper, work))
}

// connect makes every address of 10.0.0.0/8 local.
func connect() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	second, err := unix.NewIfreq("lo:1")
	if err != nil {
		return err
	}
	if err := second.SetInet4Addr(net.IPv4(10, 0, 0, 1).To4()); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFADDR, second); err != nil {
		return fmt.Errorf("lo:1: %w", err)
	}
	return nil
}

// Write makes a file of the pod.
func Write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Project is the root of the repository.
func Project(t *testing.T) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(filepath.Dir(file), "/tests/control_planes/world")
}

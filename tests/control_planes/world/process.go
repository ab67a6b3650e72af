package world

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is the limit for every wait. Even on a busy machine, each takes much less.
const patience = 2 * time.Minute

// Process is a program that ends with the test, or when it is stopped.
type Process struct {
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// Start runs the program. Its output is shown if the test fails.
func Start(t *testing.T, name string, command *exec.Cmd) *Process {
	t.Helper()
	process := &Process{command: command, log: filepath.Join(t.TempDir(), filepath.Base(name)+".log"), ended: make(chan struct{})}
	file, err := os.Create(process.log)
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = file, file
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	go func() {
		_ = command.Wait()
		close(process.ended)
	}()
	t.Cleanup(func() {
		process.Stop(t)
		if t.Failed() {
			t.Logf("%s said:\n%s", name, tail(process.Log(t)))
		}
	})
	return process
}

// Log is the program's output so far.
func (p *Process) Log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Running fails the test if the program has ended.
func (p *Process) Running(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("%s has ended", p.command.Path)
	default:
	}
}

// Stop asks the program to end, and waits.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s does not end", p.command.Path)
		_ = p.command.Process.Kill()
	}
}

func tail(text string) string {
	const enough = 12000
	return text[max(0, len(text)-enough):]
}

// Eventually waits until the check returns no error.
func Eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// Tool is the path of a program that go.mod names.
func Tool(t *testing.T, name string) string {
	t.Helper()
	return toolOf(t, ".", name)
}

// toolOf is the path of a program that the go.mod of another directory names.
func toolOf(t *testing.T, directory, name string) string {
	t.Helper()
	said, err := exec.Command("go", "-C", directory, "tool", "-n", name).Output()
	if err != nil {
		t.Fatalf("go tool -n %s: %v", name, err)
	}
	return strings.TrimSpace(string(said))
}

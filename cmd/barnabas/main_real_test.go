package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/core/mutant"
)

// The tests of *_real_test.go build the binary once, run it on loopback, and talk to it as its users do: with franz-go
// and with frames that kmsg, which is not ours, writes and reads.

// patience is how long anything may take before a test gives up on it. It decides no test that passes.
const patience = 30 * time.Second

// binaryFolder holds what is built for all tests of the package.
var binaryFolder string

// TestMain also makes this test's own binary the program, for the stories of testdata.
func TestMain(m *testing.M) {
	testscript.Main(folderMain(m.Run), map[string]func(){"barnabas": main})
}

// folderMain runs the tests with a folder for what is built.
type folderMain func() int

func (run folderMain) Run() int {
	folder, err := os.MkdirTemp("", "barnabas-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binaryFolder = folder
	return run()
}

// built is the program, made when the first test needs it, so that tests that don't are as fast as before. It carries
// mutants when the tests do.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryFolder, "barnabas.exe") // the name has to end so in one world, and may in the others
	words := []string{"build", "-o", path}
	if mutant.Available {
		words = append(words, "-tags", "mutants")
	}
	if out, err := exec.Command("go", append(words, ".")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is one run of the program.
type process struct {
	command *exec.Cmd
	talk    string // the file that has its stderr
	out     string // the file that has its stdout
	ended   chan struct{}
}

// execute runs the program with these words. It is killed at the end of the test, if it still runs.
func execute(t *testing.T, words ...string) *process {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	p := &process{
		command: exec.Command(path, words...), ended: make(chan struct{}),
		talk: filepath.Join(folder, "stderr"), out: filepath.Join(folder, "stdout"),
	}
	talk, err := os.Create(p.talk)
	out, errOut := os.Create(p.out)
	if err = errors.Join(err, errOut); err != nil {
		t.Fatal(err)
	}
	p.command.Stderr, p.command.Stdout, p.command.Dir = talk, out, folder
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = talk.Close(), out.Close() // the process has its own
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

// said is its stderr so far.
func (p *process) said() string { return read(p.talk) }

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// code waits for the end of the process and returns its exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%v does not end:\n%s", p.command.Args, p.said())
	}
	return p.command.ProcessState.ExitCode()
}

// broker is a process that takes records.
type broker struct {
	*process
	addresses []string // the lines of its ready file
	ready     string   // that file
	took      time.Duration
}

// address is the first one it listens on.
func (b *broker) address() string { return b.addresses[0] }

// port is that of the first address.
func (b *broker) port() string {
	_, port, _ := strings.Cut(b.address(), "localhost:")
	return port
}

// startBroker runs barnabas start on the folder and waits until it is ready. It listens on a free port of localhost,
// unless the words name another listener.
func startBroker(t *testing.T, folder string, words ...string) *broker {
	t.Helper()
	_, _ = built() // so that it does not count
	begun := time.Now()
	b := launch(t, folder, words...)
	for !b.isReady(t) {
		if time.Since(begun) > patience {
			t.Fatalf("not ready after %v:\n%s", patience, b.said())
		}
		pause()
	}
	b.took = time.Since(begun)
	return b
}

// launch is startBroker without the wait.
func launch(t *testing.T, folder string, words ...string) *broker {
	t.Helper()
	b := &broker{ready: filepath.Join(t.TempDir(), "ready")}
	all := append([]string{"start", "--data", folder, "--ready-file", b.ready}, words...)
	if !strings.Contains(strings.Join(words, " "), "--listen") {
		all = append(all, "--listen", "localhost:0")
	}
	b.process = execute(t, all...)
	return b
}

// isReady says whether the ready file is there. An end before that fails the test.
func (b *broker) isReady(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile(b.ready)
	if err == nil {
		// It must appear whole, so one look is enough.
		if !strings.HasSuffix(string(text), "\n") {
			t.Fatalf("the ready file is not whole: %q", text)
		}
		b.addresses = strings.Fields(string(text))
		return true
	}
	select {
	case <-b.ended:
		t.Fatalf("the broker ended with code %d before it was ready:\n%s", b.command.ProcessState.ExitCode(), b.said())
	default:
	}
	return false
}

// pause is between two looks at a condition that nothing announces.
func pause() { time.Sleep(time.Millisecond) }

// stop asks the broker to end, and holds it to exit code 0.
func (b *broker) stop(t *testing.T) {
	t.Helper()
	if err := b.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := b.code(t); code != 0 {
		t.Fatalf("exit %d after SIGTERM:\n%s", code, b.said())
	}
}

// within is a context that ends with the test or its patience.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// client is a franz-go client of the broker, or of other addresses if options give some. An idempotent producer would
// wait for a broker that died for ever; here it gives up with its context.
func client(t *testing.T, b *broker, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.address()), kgo.MetadataMinAge(10 * time.Millisecond), kgo.AllowIdempotentProduceCancellation(),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

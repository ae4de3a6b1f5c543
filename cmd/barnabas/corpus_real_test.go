package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/fuzz/hostile"
)

var (
	hostileAll     = flag.Bool("hostile.all", false, "send the real broker the whole hostile corpus, not a part of it")
	hostileFigures = flag.Bool("hostile.figures", false, "measure memory, and another client's waits, under the heaviest hostile requests")
)

// TestRealCorpus sends the broker what no client should. It answers or closes each connection, keeps its memory, and serves
// another client meanwhile, which loses nothing.
func TestRealCorpus(t *testing.T) {
	b := startBroker(t, t.TempDir())
	good := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"))
	produce := func() error { return good.ProduceSync(within(t), kgo.StringRecord("value")).FirstErr() }
	if err := produce(); err != nil {
		t.Fatal(err)
	}
	cases := hostile.Corpus("topic")
	if !*hostileAll {
		some := cases[:0:0]
		for i := 0; i < len(cases); i += 17 {
			some = append(some, cases[i])
		}
		cases = some
	}
	todo := make(chan hostile.Case)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for c := range todo {
				if err := provoke(b, c); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
		})
	}
	for i, c := range cases {
		todo <- c
		if i%50 == 0 {
			if err := produce(); err != nil {
				t.Errorf("after %s the other client says: %v", c.Name, err)
			}
		}
	}
	close(todo)
	group.Wait()
	if err := produce(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if line := b.said(); strings.Contains(line, "panic") || strings.Contains(line, "goroutine ") {
		t.Errorf("the broker panicked:\n%s", line)
	}
	if peak := memory(b, "VmHWM"); peak > 400 {
		t.Errorf("the broker took %d MiB", peak)
	}
	b.stop(t)
	t.Logf("%d cases", len(cases))
}

// provoke sends a case on a connection of its own: something whole comes back, or the connection ends.
func provoke(b *broker, c hostile.Case) error {
	socket, err := net.Dial("tcp", b.address())
	if err != nil {
		return err
	}
	defer socket.Close()
	_ = socket.SetDeadline(time.Now().Add(patience))
	if _, err := socket.Write(c.Stream); err != nil {
		return nil // it was closed before it had all
	}
	if c.Open {
		return nil
	}
	var length [4]byte
	if _, err := io.ReadFull(socket, length[:]); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.New("it neither answers nor closes the connection")
		}
		return nil
	}
	if string(length[:]) == "HTTP" {
		return nil
	}
	n := int32(binary.BigEndian.Uint32(length[:]))
	if n < 4 || n > 64<<20 {
		return fmt.Errorf("its answer has %d bytes", n)
	}
	if got, err := io.CopyN(io.Discard, socket, int64(n)); err != nil {
		return fmt.Errorf("its answer is cut off after %d of %d bytes: %w", got, n, err)
	}
	return nil
}

// memory returns a figure of the process in MiB, or 0 where there is none.
func memory(b *broker, name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.command.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); words[0] == name+":" {
			kib, _ := strconv.Atoi(words[1])
			return kib >> 10
		}
	}
	return 0
}

// TestRealHostileFigures measures what the heaviest requests cost: memory beyond what the broker takes anyway, and how long
// another client waits for an acknowledgement meanwhile. Run it alone (just hostile).
func TestRealHostileFigures(t *testing.T) {
	if !*hostileFigures || runtime.GOOS != "linux" {
		t.Skip("measures only with -hostile.figures, on Linux")
	}
	const growthMax, waitMax = 16, 100 * time.Millisecond
	b := startBroker(t, t.TempDir())
	good := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"), kgo.ProducerLinger(0))
	produce := func() time.Duration {
		begun := time.Now()
		if err := good.ProduceSync(within(t), kgo.StringRecord("value")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		return time.Since(begun)
	}
	for range 200 { // what a broker in use takes
		produce()
	}
	for _, c := range hostile.Heavy("topic") {
		before := memory(b, "VmRSS")
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.command.Process.Pid), []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			var err error
			for range 5 { // again and again
				err = errors.Join(err, provoke(b, c))
			}
			done <- err
		}()
		longest, running := time.Duration(0), true
		for running {
			longest = max(longest, produce())
			select {
			case err := <-done:
				if running = false; err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			default:
			}
		}
		growth := memory(b, "VmHWM") - before
		t.Logf("%-50s %9d bytes: %3d MiB more than %3d MiB, longest wait %v", c.Name, len(c.Stream), growth, before, longest.Round(100*time.Microsecond))
		if growth >= growthMax {
			t.Errorf("%s: the broker grows by %d MiB, less than %d are allowed", c.Name, growth, growthMax)
		}
		if longest >= waitMax {
			t.Errorf("%s: another client waits %v, less than %v is allowed", c.Name, longest, waitMax)
		}
	}
	b.stop(t)
}

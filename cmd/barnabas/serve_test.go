package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealBroker starts the broker on the machine's own network and disk, tries to start others on what it holds, stops
// it, and starts again.
func TestRealBroker(t *testing.T) {
	folder := t.TempDir()
	ready, data := filepath.Join(folder, "ready"), filepath.Join(folder, "data")
	for range 2 {
		first, stop, ended := newTrial(), make(chan struct{}), make(chan int)
		isReady := make(chan struct{})
		first.stop = func() (<-chan struct{}, func()) { return stop, func() {} }
		first.serve = func(s site, stop <-chan struct{}) error {
			announce := s.ready
			s.ready = func(b started) error {
				err := announce(b)
				close(isReady)
				return err
			}
			return serve(s, stop)
		}
		go func() {
			ended <- first.guarded([]string{"start", "--listen", "localhost:0", "--data", data, "--ready-file", ready})
		}()
		select {
		case <-isReady:
		case code := <-ended:
			t.Fatalf("exit %d: %s", code, first.talk.String())
		}
		written, err := os.ReadFile(ready)
		if err != nil {
			t.Fatal(err)
		}
		address := strings.TrimSpace(string(written))
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("the address of the ready file is not listened on: %v", err)
		}
		_ = connection.Close()
		refused(t, "another program listens there", "--listen", address, "--data", filepath.Join(folder, "other"))
		refused(t, "another broker runs in "+data, "--listen", "localhost:0", "--data", data)
		refused(t, ready+" is no folder", "--listen", "localhost:0", "--data", filepath.Join(ready, "below"))
		refused(t, "could not write the ready file", "--listen", "localhost:0", "--data", filepath.Join(folder, "third"),
			"--ready-file", filepath.Join(folder, "none", "ready"))
		close(stop)
		if code := <-ended; code != 0 || first.talk.last() != "stopped" {
			t.Fatalf("exit %d: %s", code, first.talk.String())
		}
	}
}

// refused starts a broker that can't start and has a reason.
func refused(t *testing.T, reason string, flags ...string) {
	t.Helper()
	p := newTrial()
	p.serve = serve
	if code := p.guarded(append([]string{"start"}, flags...)); code != 1 || !strings.Contains(p.talk.last(), reason) {
		t.Errorf("%v: exit %d, %s\nwant the reason: %s", flags, code, p.talk.last(), reason)
	}
}

package main

import (
	"os"
	"testing"
	"time"
)

// TestRealConsumeInterrupted: whoever follows a topic until he has seen enough has not failed.
func TestRealConsumeInterrupted(t *testing.T) {
	b := startBroker(t, t.TempDir())
	fill(t, b, "topic", 1)
	p := execute(t, "consume", "topic", "-b", b.address())
	for begun := time.Now(); read(p.out) == ""; pause() {
		if time.Since(begun) > patience {
			t.Fatal("nothing is consumed:", p.said())
		}
	}
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != 0 || p.said() != "" {
		t.Errorf("exit %d, %s", code, p.said())
	}
}

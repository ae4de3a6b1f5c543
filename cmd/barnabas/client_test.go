package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"barnabas/core/protocol"
)

func TestUnreachable(t *testing.T) {
	p := newTrial()
	for _, c := range []struct {
		err  error
		want string
	}{
		{
			&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
			"cannot reach h:1: connection refused; is a broker running there? start one with: barnabas start --listen h:1, or name another with -b",
		},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "cannot reach h:1: no answer; is a broker running there?"},
		{&net.DNSError{Name: "h", Err: "no such host"}, "cannot reach h:1: there is no host h; name a broker with -b HOST:PORT"},
	} {
		if got := p.unreachable("h:1", c.err).Error(); !strings.HasPrefix(got, c.want) {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		err     error
		message string
		want    string
	}{
		{kerr.InvalidConfig, "retention.ms=x is no number", "INVALID_CONFIG: retention.ms=x is no number"},
		{kerr.InvalidConfig, "", "INVALID_CONFIG: " + protocol.ErrInvalidConfig.Message()},
		{fmt.Errorf("x: %w", kerr.InvalidConfig), "INVALID_CONFIG: twice", "INVALID_CONFIG: twice"},
		{kerr.InvalidConfig, "INVALID_CONFIG", "INVALID_CONFIG: " + protocol.ErrInvalidConfig.Message()},
		{errors.New("odd"), "more", "odd"},
	} {
		if got := refusal(c.err, c.message).Error(); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	if err := refusal(nil, "fine"); err != nil {
		t.Error(err)
	}
}

// TestConfirm asks for consent where there is a terminal.
func TestConfirm(t *testing.T) {
	for answer, done := range map[string]bool{"yes\n": true, " yes ": true, "y\n": false, "": false, "no\n": false} {
		p := newTrial()
		p.asks, p.stdin = true, strings.NewReader(answer)
		if err := p.confirm(false, "delete x?"); (err == nil) != done {
			t.Errorf("%q: %v", answer, err)
		}
		if p.talk.String() != "delete x? type yes: " {
			t.Error(p.talk.String())
		}
	}
}

package net

import (
	"fmt"
	"syscall"
)

const tcpCongestion = 13 // TCP_CONGESTION

// control sets what must be set before a socket connects or listens. Connections take it over from their listener.
func (n *Network) control(_, _ string, raw syscall.RawConn) error {
	name := n.options.Congestion
	if name == "" {
		return nil
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptString(int(fd), syscall.IPPROTO_TCP, tcpCongestion, name)
	})
	if err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("congestion control %q: %w", name, failed)
	}
	return nil
}

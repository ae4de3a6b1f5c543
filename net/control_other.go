//go:build !linux

package net

import "syscall"

// control sets nothing: the congestion control can be chosen on Linux alone.
func (n *Network) control(_, _ string, _ syscall.RawConn) error { return nil }

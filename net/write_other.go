//go:build !unix

package net

import "syscall"

// attempt sends nothing: where a socket can't be written to without waiting, writers do it all.
type attempt struct{}

func (a *attempt) prepare() {}

func (a *attempt) write(syscall.RawConn, []outgoing) (int, error) { return 0, nil }

//go:build unix && !linux

package net

// vectorMax is zero where there is no portable writev: parts are copied together instead.
const vectorMax = 0

type vector struct{}

func (v *vector) write(int, [][]byte) (int, error) { panic("there is no writev here") }

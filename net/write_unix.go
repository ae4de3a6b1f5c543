//go:build unix

package net

import "syscall"

// attempt is one non-blocking write by the loop.
type attempt struct {
	parts [][]byte
	total int
	n     int
	err   error
	try   func(fd uintptr) bool
	flat  []byte // for many small parts
	vector
}

func (a *attempt) prepare() { a.try = a.once }

// write sends as much of out as the socket takes at once, and returns how much that was.
func (a *attempt) write(raw syscall.RawConn, out []outgoing) (int, error) {
	for _, o := range out {
		for _, p := range o.parts {
			if len(p) > 0 {
				a.parts = append(a.parts, p)
				a.total += len(p)
			}
		}
	}
	err := raw.Write(a.try)
	if err == nil {
		err = a.err
	}
	n := a.n
	clear(a.parts)
	a.parts, a.total, a.n, a.err = a.parts[:0], 0, 0, nil
	return n, err
}

// once always says that the attempt is over: the loop does not wait for sockets.
func (a *attempt) once(fd uintptr) bool {
	if a.total == 0 {
		return true
	}
	for {
		n, err := a.send(int(fd))
		switch err {
		case nil:
			a.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return true
		default:
			a.err = err
			return true
		}
	}
}

// flatBytes is up to where copying parts together costs less than handing the kernel a list of them.
const flatBytes = 16 << 10

func (a *attempt) send(fd int) (int, error) {
	switch {
	case len(a.parts) == 1:
		return syscall.Write(fd, a.parts[0])
	case a.total > flatBytes && len(a.parts) <= vectorMax:
		return a.vector.write(fd, a.parts)
	default:
		a.flat = a.flat[:0]
		for _, p := range a.parts {
			a.flat = append(a.flat, p...)
		}
		return syscall.Write(fd, a.flat)
	}
}

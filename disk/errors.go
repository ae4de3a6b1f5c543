package disk

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
)

// failure is an error of the disk: what was tried on what, which of env's errors it is, and the system's own word.
type failure struct {
	verb, name string
	class      error // nil when env has no name for it
	cause      error
}

func (f *failure) Error() string { return f.verb + " " + f.name + ": " + f.cause.Error() }

func (f *failure) Unwrap() []error {
	if f.class == nil {
		return []error{f.cause}
	}
	return []error{f.class, f.cause}
}

// wrap returns err with the operation and the file's name, and so that errors.Is finds env's error.
func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // it would say the name again
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	return &failure{verb, name, classify(err), err}
}

func classify(err error) error {
	var number unix.Errno
	if !errors.As(err, &number) {
		return nil
	}
	switch number {
	case unix.ENOENT, unix.ENOTDIR:
		return env.ErrNotExist
	case unix.EEXIST, unix.ENOTEMPTY, unix.EISDIR:
		return env.ErrExist
	case unix.ENOSPC, unix.EDQUOT:
		if errors.As(err, new(syncFailure)) {
			return env.ErrIO // bytes may be lost already, and room will not bring them back
		}
		return env.ErrNoSpace
	case unix.EROFS:
		return env.ErrReadOnly
	case unix.EMFILE, unix.ENFILE:
		return env.ErrTooManyFiles
	case unix.EIO:
		return env.ErrIO
	}
	return nil
}

// syncFailure is the error of a call that should have made bytes durable. The kernel may have dropped them.
type syncFailure struct{ cause error }

func (s syncFailure) Error() string { return s.cause.Error() }

func (s syncFailure) Unwrap() error { return s.cause }

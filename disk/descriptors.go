package disk

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// notOpened is the descriptor of an access that is not in use.
const notOpened = -1

// errNotDirect says that a file takes no direct access.
var errNotDirect = errors.New("no direct access here")

// descriptors are those of one open file, one for each access. At rest only the one used last is open, so that a broker
// with many files gets by with few descriptors; the other is opened when it is needed, whatever the file's name is by
// then. One that the page cache was changed through stays open until that is synced: it is the one the kernel is sure to
// tell when writing back fails.
type descriptors struct {
	mutex   sync.Mutex
	number  [accesses]int
	users   [accesses]int
	last    access
	refused bool // there is no direct access
}

func newDescriptors(plain int, refused bool) *descriptors {
	return &descriptors{number: [accesses]int{plain, notOpened}, last: cached, refused: refused}
}

// take returns the descriptor for an access, opened if need be; give ends the use.
// Errors: errNotDirect, and the system's for want of descriptors.
func (d *descriptors) take(a access, keep bool) (int, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if a == direct && d.refused {
		return notOpened, errNotDirect
	}
	if d.number[a] == notOpened {
		number, err := reopen(d.number[a.other()], a)
		if err != nil {
			if a == direct && err != unix.EMFILE && err != unix.ENFILE {
				d.refused = true
				err = errNotDirect
			}
			return notOpened, err
		}
		d.number[a] = number
	}
	d.last = a
	d.users[a]++
	d.shed(a.other(), keep)
	return d.number[a], nil
}

// takeAny is take for calls that any descriptor does for.
func (d *descriptors) takeAny() (int, access) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	a := d.last
	if d.number[cached] != notOpened {
		a = cached // if it is kept, this is what for
	}
	d.users[a]++
	return d.number[a], a
}

// give ends a use. keep says whether the page cache holds what is not synced.
func (d *descriptors) give(a access, keep bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.users[a]--
	d.shed(cached, keep)
	d.shed(direct, false)
}

// shed closes the descriptor of an access that nobody uses and that was not used last.
func (d *descriptors) shed(a access, keep bool) {
	if a == d.last || d.users[a] > 0 || d.number[a] == notOpened || a == cached && keep {
		return
	}
	closeDescriptor(d.number[a])
	d.number[a] = notOpened
}

// refuse has the file do without direct access from now on.
func (d *descriptors) refuse() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.refused = true
}

func (d *descriptors) close() {
	for _, number := range d.number {
		if number != notOpened {
			closeDescriptor(number)
		}
	}
}

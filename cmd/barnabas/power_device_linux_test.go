package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	pageBytes   = 4096
	sectorBytes = 512 // what a device writes whole
)

// page is never changed once it is in a map, so that copies of a device share them.
type page [pageBytes]byte

// device is a disk of the test's own: what it has written for good, and above it a cache that a power cut empties. The
// kernel sees it as an ordinary block device with a volatile cache, and says when that is to be flushed.
type device struct {
	size int64

	writeTakes, flushTakes time.Duration

	mutex   sync.Mutex
	stable  map[int64]*page
	live    map[int64]*page // what is read: stable, and all of the cache
	cache   []deviceWrite   // in the order of arrival
	flushes int
	dead    bool // the power is gone: whatever comes now changes nothing that counts
}

type deviceWrite struct {
	offset int64
	bytes  []byte
}

// loadDevice is a device that holds the bytes of a file.
func loadDevice(path string) (*device, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	d := &device{size: info.Size(), stable: make(map[int64]*page)}
	for at := int64(0); ; at += pageBytes {
		if at, err = file.Seek(at, unix.SEEK_DATA); errors.Is(err, unix.ENXIO) {
			break // nothing but a hole up to the end
		}
		at -= at % pageBytes
		p := new(page)
		if _, err := file.ReadAt(p[:], at); err != nil {
			return nil, err
		}
		d.stable[at/pageBytes] = p
	}
	d.live = maps.Clone(d.stable)
	return d, nil
}

// copy is another device that holds the same.
func (d *device) copy() *device {
	return &device{size: d.size, stable: maps.Clone(d.stable), live: maps.Clone(d.live)}
}

// save writes what is written for good into a file, with holes where there is nothing.
func (d *device) save(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for number, p := range d.stable {
		if _, err := file.WriteAt(p[:], number*pageBytes); err != nil {
			return err
		}
	}
	return file.Truncate(d.size)
}

func (d *device) read(p []byte, offset int64) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for n := 0; len(p) > 0; p, offset = p[n:], offset+int64(n) {
		within := offset % pageBytes
		if from := d.live[offset/pageBytes]; from != nil {
			n = copy(p, from[within:])
		} else {
			n = min(len(p), int(pageBytes-within))
			clear(p[:n])
		}
	}
}

// write takes bytes into the cache. Before it has ended they may be there already.
func (d *device) write(p []byte, offset int64) {
	d.mutex.Lock()
	w := deviceWrite{offset, append([]byte(nil), p...)}
	w.apply(d.live)
	d.cache = append(d.cache, w)
	d.mutex.Unlock()
	time.Sleep(d.writeTakes)
}

// apply changes pages.
func (w deviceWrite) apply(pages map[int64]*page) {
	p, offset := w.bytes, w.offset
	for len(p) > 0 {
		changed := page{}
		if old := pages[offset/pageBytes]; old != nil {
			changed = *old
		}
		n := copy(changed[offset%pageBytes:], p)
		pages[offset/pageBytes] = &changed
		p, offset = p[n:], offset+int64(n)
	}
}

// flush writes for good what is in the cache when it begins.
func (d *device) flush() {
	d.mutex.Lock()
	count := len(d.cache)
	d.mutex.Unlock()
	time.Sleep(d.flushTakes)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.dead {
		return
	}
	d.flushes++
	// Another flush may have ended meanwhile, which has taken some of these away.
	count = min(count, len(d.cache))
	for _, w := range d.cache[:count] {
		w.apply(d.stable)
	}
	d.cache = append([]deviceWrite(nil), d.cache[count:]...)
}

// awaitWrites waits until the cache holds so many writes, for a limited time.
func (d *device) awaitWrites(count int, most time.Duration) {
	for begun := time.Now(); time.Since(begun) < most; runtime.Gosched() {
		d.mutex.Lock()
		held := len(d.cache)
		d.mutex.Unlock()
		if held >= count {
			return
		}
	}
}

// cut is the end of the power: it returns the device as it is found afterwards. Of what the cache held, any part is there,
// in whole sectors; what overlaps is there in the order it came.
func (d *device) cut(random *rand.Rand) (left *device, story string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.dead = true
	left = &device{size: d.size, stable: maps.Clone(d.stable)}
	mood := cutMoods[random.IntN(len(cutMoods))]
	kept, torn := 0, 0
	prefix := random.IntN(len(d.cache) + 1)
	for i, w := range d.cache {
		switch mood {
		case "nothing of the cache":
		case "all of the cache":
			w.apply(left.stable)
			kept++
		case "the first of the cache":
			if i < prefix {
				w.apply(left.stable)
				kept++
			}
		case "any of the cache":
			if random.IntN(2) == 0 {
				w.apply(left.stable)
				kept++
			}
		case "any sectors of the cache":
			if w.tear(left.stable, random) {
				torn++
			} else {
				kept++
			}
		}
	}
	left.live = maps.Clone(left.stable)
	return left, fmt.Sprintf("%s: of %d writes %d whole, %d torn", mood, len(d.cache), kept, torn)
}

var cutMoods = []string{
	"nothing of the cache", "all of the cache", "the first of the cache", "any of the cache", "any sectors of the cache",
}

// tear applies some sectors of a write and says whether any is missing.
func (w deviceWrite) tear(pages map[int64]*page, random *rand.Rand) (torn bool) {
	for at := 0; at < len(w.bytes); at += sectorBytes {
		if random.IntN(2) == 0 {
			torn = true
			continue
		}
		deviceWrite{w.offset + int64(at), w.bytes[at:min(at+sectorBytes, len(w.bytes))]}.apply(pages)
	}
	return torn
}

package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// A damage changes the bytes of one file at a place. It returns nil where it can't be done there. One that does nothing to them
// makes the block there unreadable.
type damage struct {
	name string
	do   func(c *campaign, path string, p []byte, at int) []byte
}

var damages = []damage{
	{"bit flip", func(_ *campaign, _ string, p []byte, at int) []byte {
		p[at] ^= 1 << (at % 8)
		return p
	}},
	{"zeroed sector", func(_ *campaign, _ string, p []byte, at int) []byte {
		clear(p[at&^511 : min(at&^511+512, len(p))])
		return p
	}},
	{"zeroed block", func(_ *campaign, _ string, p []byte, at int) []byte {
		clear(p[at&^4095 : min(at&^4095+4096, len(p))])
		return p
	}},
	{"truncation", func(_ *campaign, _ string, p []byte, at int) []byte { return p[:at] }},
	{"older version", func(c *campaign, path string, _ []byte, _ int) []byte { return c.older[path] }},
	{"unreadable block", nil},
	{"misdirected block", func(c *campaign, path string, p []byte, at int) []byte {
		from := slices.Index(c.paths, path) + 1
		other := c.bytes[c.paths[from%len(c.paths)]] // of another file
		if len(p) > 3*env.BlockBytes {
			other = p // or of the same
		}
		block := make([]byte, env.BlockBytes)
		copy(block, other[(at+2*env.BlockBytes)%max(len(other), 1)&^(env.BlockBytes-1):])
		copy(p[at&^4095:], block)
		return p
	}},
}

// campaign is a stopped machine that is damaged again and again, each time in another way.
type campaign struct {
	machine *simdisk.Machine
	options Options
	want    scene
	clean   bool
	paths   []string
	bytes   map[string][]byte
	older   map[string][]byte
	table   map[string]map[string]*[outcomes]int // by structure and damage
	silent  []string
}

// The outcomes of damage.
const (
	harmless = iota // everything is served, as it was
	offlined        // some offsets are offline, the rest is served
	refused         // the open names the file
	outcomes
)

// stopped returns a machine whose directory has everything that a directory has, as a stop or a crash left it.
func stopped(t *testing.T, clean bool) *campaign {
	t.Helper()
	p := newPlay(3, simdisk.PosixMin)
	c := &campaign{options: p.options, clean: clean, bytes: map[string][]byte{}, older: map[string][]byte{}, table: map[string]map[string]*[outcomes]int{}}
	err := p.live(func(t *task.Task) error {
		if err := nearTheEnd(p, t); err != nil {
			return err
		}
		p.vote("one", 3)
		if err := p.checkpoints(t); err != nil {
			return err
		}
		for i := range 8 {
			if err := p.append(t, p.log(1+LogNumber(i%2)), 2, 2500, 7); err != nil {
				return err
			}
			if err := p.rest(t, time.Millisecond); err != nil {
				return err
			}
			if i == 4 {
				for _, path := range p.machine.Files() {
					c.older[path], _ = p.machine.Bytes(path)
				}
				if err := p.checkpoint(t); err != nil {
					return err
				}
			}
		}
		if clean {
			return p.directory.Close(t)
		}
		return p.rest(t, 15*time.Millisecond) // the last commit has its successor
	})
	if err != nil {
		t.Fatal(err)
	}
	p.crash(simdisk.PowerLoss)
	c.machine, c.want = p.machine, p.moments[len(p.moments)-1]
	for _, path := range c.machine.Files() {
		if p, ok := c.machine.Bytes(path); ok && len(p) > 0 {
			c.paths = append(c.paths, path)
			c.bytes[path] = p
		}
	}
	return c
}

// structure names what the file's bytes at a place are.
func structure(path string, p []byte, at int) string {
	switch class := simdisk.Class(path); class {
	case "journal-#.segment":
		if binary.BigEndian.Uint64(p[16:]) == 0 {
			return "spare"
		}
		if at < env.BlockBytes {
			return "journal segment header"
		}
		return partOfCommit(p, at)
	default:
		return class
	}
}

// partOfCommit says which part of a commit the place is in.
func partOfCommit(p []byte, at int) string {
	for begin := env.BlockBytes; begin+128 <= len(p); {
		if string(p[begin:begin+4]) != "JCMT" {
			break
		}
		number := func(at int) int { return int(binary.BigEndian.Uint32(p[begin+at:])) }
		end := begin
		for _, part := range []struct {
			name  string
			bytes int
		}{{"commit header", 128}, {"commit payload", number(60)}, {"commit table", number(64)}, {"copy of a table", number(68)}} {
			if end += part.bytes; at < end {
				return part.name
			}
		}
		if begin += number(56); at < begin {
			return "padding of a commit"
		}
	}
	return "behind the commits"
}

// try damages a copy of the machine and looks what becomes of it.
func (c *campaign) try(path string, at int, d damage) {
	before := c.bytes[path]
	var after []byte
	if d.do != nil {
		if after = d.do(c, path, slices.Clone(before), at); after == nil || string(after) == string(before) {
			return
		}
	}
	left := c.machine.Clone()
	p := onto(left, 9, c.options)
	defer p.kernel.End()
	if d.do == nil {
		if !left.Unreadable(simdisk.Target{Path: path, Block: at / env.BlockBytes}) {
			return
		}
	} else {
		left.Rewrite(path, func([]byte) []byte { return after })
	}
	outcome, err := c.look(p)
	part := structure(path, before, at)
	if c.table[part] == nil {
		c.table[part] = map[string]*[outcomes]int{}
	}
	if c.table[part][d.name] == nil {
		c.table[part][d.name] = &[outcomes]int{}
	}
	if err != nil {
		c.silent = append(c.silent, fmt.Sprintf("%s at %d of %s (%s): %v", d.name, at, path, part, err))
		return
	}
	c.table[part][d.name][outcome]++
}

// look opens the directory, reads everything and looks everything up.
func (c *campaign) look(p *play) (int, error) {
	var found scene
	err := p.live(func(t *task.Task) (err error) {
		if found, err = p.observe(t); err != nil {
			return err
		}
		p.adopt(found)
		return p.lookUp(t)
	})
	if err != nil && p.directory == nil {
		return refused, names(err)
	}
	if err != nil {
		return 0, err
	}
	if !found.is(&c.want) {
		return 0, fmt.Errorf("silent: it holds\n%vwant\n%vsaid %q", found, c.want, p.said)
	}
	doubted := 0
	for _, l := range found.logs {
		doubted += len(l.doubts)
		for _, d := range l.doubts {
			if err := c.refuses(p, l, d); err != nil {
				return 0, err
			}
		}
	}
	if doubted > 0 {
		return offlined, nil
	}
	return harmless, nil
}

// refuses expects that a range in doubt is refused with all that an operator must know.
func (c *campaign) refuses(p *play, l sceneLog, d [2]record.Offset) error {
	err := p.log(l.number).Read(&Slice{}, d[0], l.end, 1<<20, true)
	if !errors.Is(err, protocol.ErrKafkaStorageError) {
		return fmt.Errorf("a read of what is damaged says %w", err)
	}
	for _, want := range []string{l.name, fmt.Sprintf("offsets %d to %d", d[0], d[1]-1), "0000"} {
		if !strings.Contains(err.Error(), want) {
			return fmt.Errorf("%w: says nothing of %q", err, want)
		}
	}
	return nil
}

// names expects that an error names a file.
func names(err error) error {
	for _, file := range []string{"journal", "meta.properties", "partition.metadata", ".log", ".kafka_cleanshutdown", "by Apache Kafka"} {
		if strings.Contains(err.Error(), file) {
			return nil
		}
	}
	return fmt.Errorf("the open is refused, and names no file: %w", err)
}

// TestDamageIsNeverServedNorDroppedInSilence damages everything there is on disk in every way.
func TestDamageIsNeverServedNorDroppedInSilence(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(map[bool]string{true: "after a clean stop", false: "after a crash"}[clean], func(t *testing.T) {
			t.Parallel()
			c := stopped(t, clean)
			for _, path := range c.paths {
				for at := range c.places(path) {
					for _, d := range damages {
						c.try(path, at, d)
					}
				}
			}
			c.report(t)
		})
	}
}

// places yields places of the file: of each structure in it some.
func (c *campaign) places(path string) map[int]bool {
	p := c.bytes[path]
	places := map[int]bool{}
	last, count := "", map[string]int{}
	for at := 0; at < len(p); at += 37 {
		if part := structure(path, p, at); part != last || len(p) < 600 {
			last = part
			if count[part]++; count[part] <= 12 {
				places[at] = true
				places[min(at+100, len(p)-1)] = true
			}
		}
	}
	for at := 5; at < len(p); at += max(len(p)/16, 1) {
		places[at] = true
	}
	return places
}

func (c *campaign) report(t *testing.T) {
	tries := 0
	var parts []string
	for part := range c.table {
		parts = append(parts, part)
	}
	slices.Sort(parts)
	for _, part := range parts {
		for _, d := range damages {
			if n := c.table[part][d.name]; n != nil {
				t.Logf("%-28s %-18s harmless %4d, offline %4d, refused %4d", part, d.name, n[harmless], n[offlined], n[refused])
				tries += n[harmless] + n[offlined] + n[refused]
				if part == "journal-#.checkpoint" && n[offlined]+n[refused] > 0 {
					t.Errorf("%s of one checkpoint, and the other one is not enough", d.name)
				}
			}
		}
	}
	t.Logf("%d tries, %d wrong", tries, len(c.silent))
	for _, s := range c.silent[:min(len(c.silent), 25)] {
		t.Errorf("%.2000s", s)
	}
}

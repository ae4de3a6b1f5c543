package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// folder is a log directory made by hand: the parser under test shares nothing with core's writers, nor does this.
type folder map[string][]byte

func (f folder) image() Image {
	return Image{
		Files: func() (names []string) {
			for name := range f {
				names = append(names, name)
			}
			slices.Sort(names)
			return names
		},
		Read: func(name string) ([]byte, bool) {
			p, ok := f[name]
			return slices.Clone(p), ok
		},
	}
}

var (
	theJournal = [16]byte{1, 2, 3}
	theTopic   = [16]byte{7, 7, 7}
)

// maker writes a journal: commits of one entry each, one after the other.
type maker struct {
	folder
	segment    uint32
	at         int
	sequence   uint64
	hash       uint64
	generation uint64
}

const madeSegmentBytes = 16 * blockBytes

func newMaker() *maker {
	m := &maker{folder: folder{}, generation: 1}
	m.begin(1)
	m.checkpoint(0, 0, nil)
	return m
}

// begin makes a segment and goes on in it.
func (m *maker) begin(number uint32) {
	p := make([]byte, madeSegmentBytes)
	copy(p, segmentMagic)
	p[9] = 1
	binary.BigEndian.PutUint64(p[16:], uint64(number))
	copy(p[24:], theJournal[:])
	binary.BigEndian.PutUint32(p[64:], checksum(p[:64]))
	m.folder[segmentName(number)] = p
	m.segment, m.at = number, blockBytes
}

func segmentName(number uint32) string { return fmt.Sprintf("journal-%010d.segment", number) }

// checkpoint writes a checkpoint: the chain goes on behind what was committed so far.
func (m *maker) checkpoint(number, durable uint64, state []byte) {
	be := binary.BigEndian
	p := make([]byte, checkpointHeader, 200)
	copy(p, "BARNJCHK")
	be.PutUint64(p[16:], number)
	copy(p[28:], theJournal[:])
	be.PutUint64(p[60:], m.generation)
	be.PutUint64(p[68:], durable)
	be.PutUint64(p[76:], m.sequence)
	be.PutUint64(p[84:], m.hash)
	be.PutUint32(p[92:], m.segment)
	be.PutUint32(p[96:], uint32(m.at))
	be.PutUint32(p[100:], uint32(len(state)))
	be.PutUint32(p[104:], checksum(append(slices.Clone(p[:104]), state...)))
	m.folder[fmt.Sprintf("journal-%d.checkpoint", number%2)] = append(append(p, state...), "left from before"...)
}

// commit writes a commit of one entry and returns where its payload is.
func (m *maker) commit(kind byte, log uint64, base, end int64, extra string, payload []byte) (position int) {
	be := binary.BigEndian
	table := make([]byte, entryHeader+entryFixed)
	table[0] = kind
	be.PutUint16(table[2:], uint16(entryFixed+len(extra)))
	be.PutUint64(table[4:], log)
	be.PutUint64(table[12:], uint64(base))
	be.PutUint64(table[20:], uint64(end))
	be.PutUint32(table[32:], commitHeader)
	be.PutUint32(table[36:], uint32(len(payload)))
	table = append(table, extra...)
	total := (commitHeader + len(payload) + len(table) + blockBytes - 1) &^ (blockBytes - 1)
	m.sequence++
	c := m.folder[segmentName(m.segment)][m.at:][:total]
	be.PutUint32(c, commitMagic)
	be.PutUint16(c[4:], commitHeader)
	copy(c[8:], theJournal[:])
	be.PutUint64(c[24:], m.generation)
	be.PutUint64(c[32:], m.sequence)
	be.PutUint64(c[40:], uint64(m.segment))
	be.PutUint64(c[48:], uint64(m.at))
	be.PutUint32(c[56:], uint32(total))
	be.PutUint32(c[60:], uint32(len(payload)))
	be.PutUint32(c[64:], uint32(len(table)))
	be.PutUint64(c[72:], m.hash)
	be.PutUint32(c[88:], checksum(payload))
	be.PutUint32(c[92:], checksum(table))
	be.PutUint32(c[124:], checksum(c[:124]))
	copy(c[copy(c[commitHeader:], payload)+commitHeader:], table)
	m.hash = uint64(be.Uint32(c[124:]))<<32 | uint64(checksum(payload))
	position = m.at + commitHeader
	m.at += total
	return position
}

func (m *maker) create(log uint64, name string) {
	m.commit(entryCreate, log, 0, 0, string(theTopic[:])+"\x00\x00\x00\x00"+name, nil)
}

func (m *maker) append(log uint64, base int64, v Value) (position int) {
	return m.commit(entryAppend, log, base, base+1, "", batch(base, payload(v)))
}

// state is a checkpoint's state of one log, with one row for a batch of one record in the journal.
func state(start, end int64, segment uint32, position, size int) []byte {
	return stateOf(0, 0, start, end, segment, position, size)
}

// stateOf is one that was not taken in one moment: the log is as of a commit, and log 6 was dropped by a commit before its turn
// came.
func stateOf(asOf, dropped uint64, start, end int64, segment uint32, position, size int) []byte {
	be := binary.BigEndian
	p := append([]byte{0, 2}, make([]byte, 17)...)
	p = append(be.AppendUint32(p, 2), "qs"...)
	p = be.AppendUint32(p, 1)
	p = be.AppendUint32(be.AppendUint64(be.AppendUint64(p, 5), asOf), 0)
	p = append(p, theTopic[:]...)
	p = append(be.AppendUint16(be.AppendUint32(p, 0), 3), "t-0\x01"...)
	for _, v := range []int64{start, end, end - 1} {
		p = be.AppendUint64(p, uint64(v))
	}
	p = append(be.AppendUint16(p, 3), "abc"...)
	p = append(be.AppendUint32(p, 1), make([]byte, 4+8)...)                                         // an epoch
	p = append(be.AppendUint32(p, 1), make([]byte, 8+8)...)                                         // a doubt
	p = append(append(be.AppendUint32(p, 1), make([]byte, 8+2)...), 2)                              // a producer
	p = append(p, make([]byte, 2*(4+4+8+8+8))...)                                                   // its window
	p = append(be.AppendUint32(p, 1), bytes.Repeat([]byte{0xee}, 8+8+4+1+8+8+8+8+8+4+4+4+4)...)     // a segment
	p = be.AppendUint64(be.AppendUint64(be.AppendUint32(p, 1), uint64(end-1)), uint64(end))         // a row
	p = append(p, make([]byte, 8+8)...)                                                             // max timestamp, producer id
	p = be.AppendUint32(be.AppendUint32(be.AppendUint32(p, segment), uint32(position)), 0xeeeeeeee) // and its place in the file
	p = append(be.AppendUint32(p, uint32(size)), make([]byte, 4+4+2+2+1)...)
	p = append(be.AppendUint64(be.AppendUint32(p, 1), 9), "\x00\x01f\x00\x02to\x00"...) // a waste
	if dropped == 0 {
		return append(be.AppendUint32(p, 0), make([]byte, 8+4)...)
	}
	p = be.AppendUint64(be.AppendUint32(p, 1), 6)
	return be.AppendUint32(be.AppendUint64(p, dropped), 0)
}

// show writes what was found of the log t-0.
func show(h Holding) string {
	log := h.find("t-0", theTopic, true)
	if log == nil {
		return "nothing"
	}
	var offsets []string
	for _, run := range log.Runs {
		for i := range run.Count {
			offsets = append(offsets, fmt.Sprintf("%d=%d", run.Base+int64(i), run.First.Number+uint32(i)))
		}
	}
	return fmt.Sprintf("%v %s", log, strings.Join(offsets, " "))
}

func value(number uint32) Value { return Value{0, number} }

func TestWhatADiskHolds(t *testing.T) {
	size := len(batch(0, payload(value(0))))
	for _, test := range []struct {
		name string
		make func(m *maker)
		want string
	}{
		{"nothing", func(*maker) {}, "nothing"},
		{"a chain", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.append(5, 1, value(1))
		}, "[0, 2) 0=0 1=1"},
		{"a chain over two segments", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.begin(2)
			m.append(5, 1, value(1))
		}, "[0, 2) 0=0 1=1"},
		{"a truncation, a reset and a moved start", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.append(5, 1, value(1))
			m.commit(entryTruncate, 5, 0, 1, "", nil)
			m.commit(entryReset, 5, 0, 7, "", nil)
			m.append(5, 7, value(2))
			m.append(5, 8, value(3))
			m.commit(entryStart, 5, 0, 8, "", nil)
		}, "[8, 9) 0=0 1=1 7=2 8=3"},
		{"a truncation, and other records", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.append(5, 1, value(1))
			m.commit(entryTruncate, 5, 0, 1, "", nil)
			m.append(5, 1, value(9))
		}, "[0, 2) 0=0 1=1 1=9"},
		{"a commit that follows another one", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.hash ^= 1
			m.append(5, 1, value(1))
		}, "[0, 1) 0=0"},
		{"a commit that stands in two places", func(m *maker) {
			m.create(5, "t-0")
			end := m.at
			m.begin(2)
			m.append(5, 0, value(0))
			copy(m.folder[segmentName(1)][end:], m.folder[segmentName(2)][blockBytes:m.at])
			m.append(5, 1, value(1))
		}, "[0, 2) 0=0 1=1"},
		{"a row in a spare segment", func(m *maker) {
			m.create(5, "t-0")
			at := m.append(5, 0, value(0))
			m.folder[segmentName(4)] = m.folder[segmentName(1)]
			m.checkpoint(1, m.sequence, state(0, 1, 4, at, size))
		}, "[0, 1) "},
		{"a log that was dropped", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.commit(entryDrop, 5, 0, 0, "", nil)
		}, "nothing"},
		{"a torn commit", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			at := m.append(5, 1, value(1))
			m.folder[segmentName(1)][at+70] ^= 1
			m.append(5, 2, value(2))
		}, "[0, 1) 0=0"},
		{"a commit that an earlier recovery dropped", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			at := *m
			m.sequence, m.hash, m.at = 0, 0, blockBytes
			m.generation = 2
			m.checkpoint(1, 1, nil)
			*m = at
		}, "[0, 0) "},
		{"a checkpoint and what follows it", func(m *maker) {
			m.create(5, "t-0")
			at := m.append(5, 0, value(0))
			m.checkpoint(1, m.sequence, state(0, 1, 1, at, size))
			m.append(5, 1, value(1))
		}, "[0, 2) 0=0 1=1"},
		{"a checkpoint that was not taken in one moment", func(m *maker) {
			m.create(5, "t-0")
			m.create(6, "t-0")
			begun := *m
			m.append(6, 0, value(6))
			m.append(5, 0, value(0))
			at := m.append(5, 1, value(1))
			taken := m.sequence
			m.append(6, 1, value(7))
			m.commit(entryDrop, 6, 0, 0, "", nil)
			begun.checkpoint(1, m.sequence, stateOf(taken, m.sequence, 1, 2, 1, at, size))
			m.append(5, 2, value(2))
		}, "[1, 3) 1=1 2=2"},
		{"a checkpoint that is not whole, and the one before it", func(m *maker) {
			m.create(5, "t-0")
			at := m.append(5, 0, value(0))
			m.checkpoint(1, m.sequence, state(0, 1, 1, at, size))
			m.folder["journal-1.checkpoint"][150] ^= 1
			m.append(5, 1, value(1))
		}, "[0, 2) 0=0 1=1"},
		{"a row whose batch is not where the checkpoint says", func(m *maker) {
			m.create(5, "t-0")
			at := m.append(5, 0, value(0))
			m.checkpoint(1, m.sequence, state(0, 1, 1, at+1, size))
		}, "[0, 1) "},
		{"a recycled journal", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			old := slices.Clone(m.folder[segmentName(1)])
			m.begin(7)
			at := m.append(5, 1, value(1))
			m.checkpoint(1, m.sequence, state(1, 2, 7, at, size))
			m.append(5, 2, value(2))
			m.folder[segmentName(8)] = old // a spare that was renamed, and has its old header
			delete(m.folder, segmentName(1))
		}, "[1, 3) 1=1 2=2"},
		{"old commits behind the end of a recycled segment", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			m.append(5, 1, value(1))
			left := slices.Clone(m.folder[segmentName(1)][m.at-2*blockBytes:])
			m.begin(2)
			m.append(5, 2, value(2))
			copy(m.folder[segmentName(2)][m.at:], left)
		}, "[0, 3) 0=0 1=1 2=2"},
		{"a log's own files", func(m *maker) {
			m.create(5, "t-0")
			m.append(5, 0, value(0))
			file := append(batch(0, payload(value(0))), batch(1, payload(value(1)))...)
			file = append(file, make([]byte, blockBytes-len(file))...)
			file = append(file, batch(2, payload(value(2)))...)
			damaged := batch(3, payload(value(3)))
			damaged[size-3] ^= 1
			m.folder["t-0/00000000000000000000.log"] = append(file, damaged...)
			m.folder["t-0/00000000000000000000.index"] = batch(4, payload(value(4)))
			m.folder["other-0/00000000000000000000.log"] = batch(5, payload(value(5)))
		}, "[0, 1) 0=0 0=0 1=1 2=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMaker()
			test.make(m)
			reader := NewReader()
			for range 2 { // the second time from what is remembered
				held, err := reader.Read(m.image())
				if got := show(held); err != nil || got != test.want {
					t.Fatalf("%v, found %q, want %q", err, got, test.want)
				}
			}
		})
	}
}

func TestAReaderNoticesThatAFileChanged(t *testing.T) {
	m := newMaker()
	m.create(5, "t-0")
	name := "t-0/00000000000000000000.log"
	reader := NewReader()
	for number, want := range []string{"[0, 0) 0=0", "[0, 0) 0=1"} {
		m.folder[name] = batch(0, payload(value(uint32(number))))
		if held, err := reader.Read(m.image()); err != nil || show(held) != want {
			t.Fatalf("%v, found %q, want %q", err, show(held), want)
		}
	}
	delete(m.folder, name)
	if held, err := reader.Read(m.image()); err != nil || show(held) != "[0, 0) " {
		t.Fatalf("%v, found %q", err, show(held))
	}
}

// Whole commits that contradict each other are no tear.
func TestContradictionsAreErrors(t *testing.T) {
	for name, contradict := range map[string]func(m *maker){
		"an append behind a gap":      func(m *maker) { m.append(5, 2, value(1)) },
		"an append with other ends":   func(m *maker) { m.commit(entryAppend, 5, 1, 3, "", batch(1, payload(value(1)))) },
		"an append of another offset": func(m *maker) { m.commit(entryAppend, 5, 1, 2, "", batch(7, payload(value(1)))) },
		"an append that is no batch":  func(m *maker) { m.commit(entryAppend, 5, 1, 2, "", make([]byte, 70)) },
		"an entry of an unknown log":  func(m *maker) { m.append(6, 0, value(1)) },
		"a state of another version":  func(m *maker) { s := state(0, 1, 1, 0, 0); s[1] = 3; m.checkpoint(1, m.sequence, s) },
		"an append that the state has not": func(m *maker) {
			begun := *m
			m.append(5, 1, value(1))
			begun.checkpoint(1, m.sequence, stateOf(m.sequence-1, 0, 0, 0, 1, 0, 0))
		},
		"a state without its logs":    func(m *maker) { m.checkpoint(1, m.sequence, state(0, 1, 1, 0, 0)[:19]) },
		"a state that ends too early": func(m *maker) { s := state(0, 1, 1, 0, 0); m.checkpoint(1, m.sequence, s[:len(s)-90]) },
	} {
		m := newMaker()
		m.create(5, "t-0")
		m.append(5, 0, value(0))
		contradict(m)
		if _, err := NewReader().Read(m.image()); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func TestACleanStopIsSeen(t *testing.T) {
	m := newMaker()
	m.create(5, "t-0")
	at := m.at
	m.append(5, 0, value(0))
	c := m.folder[segmentName(1)][at:]
	c[7] |= flagClosing
	binary.BigEndian.PutUint32(c[124:], checksum(c[:124]))
	if held, err := NewReader().Read(m.image()); err != nil || !held.Closed {
		t.Errorf("%v %v", held.Closed, err)
	}
	m = newMaker()
	m.create(5, "t-0")
	if held, err := NewReader().Read(m.image()); err != nil || held.Closed {
		t.Errorf("%v %v", held.Closed, err)
	}
}

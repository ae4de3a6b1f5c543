package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind says what an entry does to a log (rule J8).
type Kind uint8

// The kinds of entries. Numbers are on disk; never change one.
const (
	Create      Kind = 1  // binds a log number to topic id, partition and folder name (rule J7)
	Append      Kind = 2  // batches: epoch, base, end; their bytes are in the payload
	Truncate    Kind = 3  // the log ends at End
	Reset       Kind = 4  // the log is empty and starts at End
	StartMoved  Kind = 5  // the log starts at End
	EpochStart  Kind = 6  // Epoch starts at End
	Drop        Kind = 7  // the log is gone
	Doubt       Kind = 8  // [Base, End) may be damaged
	Vote        Kind = 9  // the whole quorum state, opaque in Body
	BrokerEpoch Kind = 10 // the broker epoch of a confirmed registration, in Base (rule S10)
	Setting     Kind = 11 // the durability in force, in Base (rule J17)
	Carried     Kind = 12 // batches that an append gave to the log stand here too: recovery wrote them anew; never required
)

// Flags of an entry.
const (
	FlagRequired      uint8 = 1 // a reader that does not know the kind stops
	FlagStartsSegment uint8 = 2 // an append that starts a segment of its log
)

// Entry is one row of a commit's table. On disk:
//
//	kind uint8, flags uint8, body bytes uint16, log uint64, body
//
// The body is base int64, end int64, epoch int32, payload position uint32 (from the commit's start), payload bytes
// uint32, and then whatever the kind adds (topic id, partition and name; a quorum state; an idempotent producer, its epoch, the
// first sequence and the greatest timestamp of a batch).
type Entry struct {
	Kind     Kind
	Flags    uint8
	Log      uint64 // the log's number, unique in its directory and never reused; 0 for the directory itself
	Base     int64
	End      int64
	Epoch    int32
	Position uint32
	Bytes    uint32
	Body     []byte
}

const (
	entryHeaderBytes = 12
	entryFixedBytes  = 28
	entryBodyMax     = 1 << 15
)

// size returns the bytes the entry takes in a table.
func (e *Entry) size() int { return entryHeaderBytes + entryFixedBytes + len(e.Body) }

func (e *Entry) append(p []byte) []byte {
	p = append(p, byte(e.Kind), e.Flags)
	p = binary.BigEndian.AppendUint16(p, uint16(entryFixedBytes+len(e.Body)))
	p = binary.BigEndian.AppendUint64(p, e.Log)
	p = binary.BigEndian.AppendUint64(p, uint64(e.Base))
	p = binary.BigEndian.AppendUint64(p, uint64(e.End))
	p = binary.BigEndian.AppendUint32(p, uint32(e.Epoch))
	p = binary.BigEndian.AppendUint32(p, e.Position)
	p = binary.BigEndian.AppendUint32(p, e.Bytes)
	return append(p, e.Body...)
}

var errTable = errors.New("journal table is malformed")

// parseTable calls visit for every entry of a table, in order. Bodies point into p.
// Errors: a malformed table, an unknown required kind, what visit returns.
func parseTable(p []byte, visit func(Entry) error) error {
	for len(p) > 0 {
		if len(p) < entryHeaderBytes+entryFixedBytes {
			return fmt.Errorf("%w: %d bytes left", errTable, len(p))
		}
		body := int(binary.BigEndian.Uint16(p[2:]))
		if body < entryFixedBytes || body > len(p)-entryHeaderBytes {
			return fmt.Errorf("%w: entry of %d bytes with %d left", errTable, body, len(p)-entryHeaderBytes)
		}
		e := Entry{
			Kind: Kind(p[0]), Flags: p[1],
			Log:      binary.BigEndian.Uint64(p[4:]),
			Base:     int64(binary.BigEndian.Uint64(p[12:])),
			End:      int64(binary.BigEndian.Uint64(p[20:])),
			Epoch:    int32(binary.BigEndian.Uint32(p[28:])),
			Position: binary.BigEndian.Uint32(p[32:]),
			Bytes:    binary.BigEndian.Uint32(p[36:]),
			Body:     p[40 : entryHeaderBytes+body],
		}
		p = p[entryHeaderBytes+body:]
		if e.Kind < Create || e.Kind > Carried {
			if e.Flags&FlagRequired != 0 {
				return fmt.Errorf("journal entry of kind %d, written by a newer version, is required and unknown here", e.Kind)
			}
			continue
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

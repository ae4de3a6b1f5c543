package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"barnabas/core/env"
	"barnabas/core/record"
)

// SegmentFacts is what the header block of a segment's file says. Nothing in it was believed.
type SegmentFacts struct {
	Format    uint16
	Features  uint32
	Number    uint64
	Bytes     uint64
	Journal   [16]byte
	Directory [16]byte
}

// CommitFacts is what the header of a commit says.
type CommitFacts struct {
	Sequence, Generation                 uint64
	KnownDurable                         uint64 // the highest sequence known durable when it was written
	Hash, PreviousHash                   uint64
	Closing                              bool // the last of a clean stop
	Total, Payload, Table, PreviousTable uint32
	Entries                              []byte // its table, for EachEntry; valid while it is told
}

// FindingKind says what stands at a place of a segment.
type FindingKind uint8

// What can stand there.
const (
	Whole   FindingKind = iota // a commit, and every checksum of it is good
	Damaged                    // something is wrong with what was durable
	Torn                       // a commit that was never finished, or dropped by a recovery, and what follows it
	Unused                     // no commit of this journal, to the end of the file
)

// Finding is one thing found in a segment.
type Finding struct {
	Kind     FindingKind
	Position uint32
	Sequence uint64      // of the commit; 0: nothing tells
	Commit   CommitFacts // of one whose header is good
	Why      string      // what is wrong
}

// Known is what other files say of the journal: its checkpoints, and the segment after the one that is looked at.
type Known struct {
	Durable    uint64 // the highest sequence that was durable
	Covered    uint64 // the highest sequence that a checkpoint covers, whether or not it was known durable then
	Generation uint64 // older commits beyond Durable and Covered were dropped by a recovery
	Next       uint64 // the sequence of the first commit of the next segment; 0: it has none
	Doubtful   bool   // something stands at the start of the next segment that is no commit
}

// ErrNotJournal says that a file is no segment, or no checkpoint, of a journal.
var ErrNotJournal = errors.New("the file does not begin as a file of a journal does")

// InspectHeader reads the header block of a segment's file. wrong says what contradicts it; number is the one in the file's
// name, negative if it has another name. Errors: the reader's; ErrNotJournal.
func InspectHeader(r io.ReaderAt, number int64) (facts SegmentFacts, wrong string, err error) {
	p := make([]byte, 68)
	if n, err := readAt(r, p, 0); err != nil || n < len(p) || string(p[:8]) != segmentMagic {
		return facts, "", errors.Join(ErrNotJournal, err)
	}
	be := binary.BigEndian
	facts = SegmentFacts{
		Format: be.Uint16(p[8:]), Features: be.Uint32(p[12:]), Number: be.Uint64(p[16:]), Bytes: be.Uint64(p[56:]),
		Journal: [16]byte(p[24:40]), Directory: [16]byte(p[40:56]),
	}
	if number < 0 {
		number = int64(facts.Number)
	}
	_, _, whole, err := parseSegmentHeader(p, uint32(number))
	switch {
	case err != nil:
		return facts, err.Error(), nil
	case !whole:
		return facts, "the header block fails its checksum", nil
	}
	return facts, "", nil
}

// InspectSegment tells visit what a segment's file of so many bytes holds, in order, without the rest of the journal: a bad
// commit counts as damaged when a later one of the file, or what is known, says that it had been durable, else as torn (rule
// J3). At most one commit is in memory at a time. Errors: the reader's; visit's.
func InspectSegment(r io.ReaderAt, size int64, facts SegmentFacts, known Known, visit func(Finding) error) error {
	in := &inspection{reader: r, size: size, facts: facts, known: known}
	for at := int64(segmentHeaderBytes); at+env.BlockBytes <= size; {
		f, next, err := in.find(at)
		if err != nil {
			return err
		}
		if err := visit(f); err != nil || next == 0 {
			return err
		}
		at = next
	}
	return nil
}

// InspectNext adds to what is known what the segment after the one of the facts says. number is that of its name. Errors: the
// reader's.
func (k *Known) InspectNext(r io.ReaderAt, facts SegmentFacts, number uint32) error {
	next, wrong, err := InspectHeader(r, int64(number))
	if errors.Is(err, ErrNotJournal) || err == nil && (wrong != "" || next.Journal != facts.Journal) {
		return nil // it is none of this journal's, or it was not begun
	}
	p := make([]byte, env.BlockBytes)
	if _, err = readAt(r, p, segmentHeaderBytes); err != nil {
		return err
	}
	h, _, ok := parseHeader(p, facts.Journal)
	switch {
	case !ok:
		k.Doubtful = !isZero(p)
	case h.at == Location{number, segmentHeaderBytes}:
		k.Next, k.Durable = h.sequence, max(k.Durable, h.knownDurable)
	}
	return nil
}

// inspection is on its way through a segment's file.
type inspection struct {
	reader io.ReaderAt
	size   int64
	facts  SegmentFacts
	known  Known
	last   header // the last good commit; its sequence is 0 when there was none
	hash   uint64 // of it; 0: not known
	memory []byte
}

// find says what stands at the place, and where to go on; 0: nowhere.
func (in *inspection) find(at int64) (Finding, int64, error) {
	f := Finding{Position: uint32(at)}
	h, hash, ok, err := in.headerAt(at)
	if err != nil {
		return f, 0, err
	}
	if !ok || !in.follows(&h) {
		return in.beyond(f, at+env.BlockBytes)
	}
	f.Sequence, f.Commit = h.sequence, h.facts(hash)
	p, err := in.take(at, int(h.total))
	if err != nil {
		return f, 0, err
	}
	if f.Why = h.wrong(p); f.Why != "" {
		f, next, err := in.beyond(f, at+int64(h.total))
		if f.Kind == Damaged && next > 0 {
			in.last, in.hash = h, hash // its header is good, so the next must follow it
		}
		return f, next, err
	}
	f.Commit.Entries = p[HeaderBytes+h.payload : HeaderBytes+h.payload+h.table]
	if f.Why = h.blemish(p); f.Why != "" {
		f.Kind = Damaged // its bytes are what was written, or recovery takes them for it
	}
	in.last, in.hash = h, hash
	return f, at + int64(h.total), nil
}

// follows says whether the commit is the next of the chain, as far as the file tells.
func (in *inspection) follows(h *header) bool {
	if in.dropped(h) {
		return false
	}
	return in.last.sequence == 0 || h.sequence == in.last.sequence+1 && (in.hash == 0 || h.previousHash == in.hash)
}

// dropped says whether the commit was torn once, and dropped by a recovery.
func (in *inspection) dropped(h *header) bool {
	return h.generation < in.last.generation || h.sequence > max(in.known.Durable, in.known.Covered) && h.generation < in.known.Generation
}

// beyond decides what a bad place is, by what is found from a later place on.
func (in *inspection) beyond(f Finding, from int64) (Finding, int64, error) {
	durable, later, goOn := in.known.Durable, false, int64(0)
	first := header{}
	for at := from; at+env.BlockBytes <= in.size; at += env.BlockBytes {
		h, _, ok, err := in.headerAt(at)
		if err != nil {
			return f, 0, err
		}
		if !ok || h.sequence <= in.last.sequence {
			continue
		}
		durable, later = max(durable, h.knownDurable), true
		if goOn == 0 && !in.dropped(&h) {
			goOn, first = at, h
		}
	}
	if f.Sequence == 0 && in.last.sequence > 0 {
		f.Sequence = in.last.sequence + 1
	} else if f.Sequence == 0 && goOn > 0 {
		f.Sequence = first.sequence - 1
	}
	if f.Sequence > 0 && durable >= f.Sequence && !(goOn == 0 && f.Commit.Total == 0 && in.rolled(f.Sequence)) {
		if f.Why == "" {
			f.Why = "no header of a commit stands here, or it is damaged"
		}
		f.Kind, f.Why = Damaged, fmt.Sprintf("%s, and commits up to %d were durable", f.Why, durable)
		if goOn > 0 {
			in.last, in.hash = header{sequence: first.sequence - 1, generation: in.last.generation}, first.previousHash
		}
		return f, goOn, nil
	}
	f.Kind = Unused
	if later || f.Why != "" {
		f.Kind = Torn
	}
	return f, 0, nil
}

// rolled says whether the commit stands in the next segment, or may stand there: the rest of this one was too short for it.
func (in *inspection) rolled(sequence uint64) bool {
	return in.known.Doubtful || in.known.Next > 0 && sequence >= in.known.Next
}

// headerAt reads the header at the place; ok is false unless it is one of this segment that names the place.
func (in *inspection) headerAt(at int64) (h header, hash uint64, ok bool, err error) {
	var p [HeaderBytes]byte
	if n, err := readAt(in.reader, p[:], at); err != nil || n < len(p) {
		return h, 0, false, err
	}
	h, hash, ok = parseHeader(p[:], in.facts.Journal)
	ok = ok && h.at == Location{uint32(in.facts.Number), uint32(at)} && at+int64(h.total) <= in.size
	return h, hash, ok, nil
}

func (in *inspection) take(at int64, size int) ([]byte, error) {
	if len(in.memory) < size {
		in.memory = make([]byte, size)
	}
	_, err := readAt(in.reader, in.memory[:size], at)
	return in.memory[:size], err
}

// InspectCommit reads the bytes of a commit that a recovery has put aside. Why says what is wrong with it.
func InspectCommit(p []byte) Finding {
	f := Finding{Kind: Damaged, Why: "no header of a commit stands here, or it is damaged"}
	if len(p) < HeaderBytes {
		return f
	}
	h, hash, ok := parseHeader(p, [16]byte(p[8:24]))
	if !ok {
		return f
	}
	f.Position, f.Sequence, f.Commit = h.at.Position, h.sequence, h.facts(hash)
	if f.Why = fmt.Sprintf("%d bytes are here", len(p)); int(h.total) > len(p) {
		return f
	}
	if f.Why = h.wrong(p); f.Why == "" {
		f.Kind, f.Commit.Entries = Whole, p[HeaderBytes+h.payload:HeaderBytes+h.payload+h.table]
	}
	return f
}

func (h *header) facts(hash uint64) CommitFacts {
	return CommitFacts{
		Sequence: h.sequence, Generation: h.generation, KnownDurable: h.knownDurable, Hash: hash, PreviousHash: h.previousHash,
		Closing: h.flags&flagClosing != 0,
		Total:   h.total, Payload: h.payload, Table: h.table, PreviousTable: h.previousTable,
	}
}

// wrong says which checksum of the commit p fails, or "".
func (h *header) wrong(p []byte) string {
	if _, _, err := h.body(p, false); err != nil {
		return err.Error()
	}
	return ""
}

// blemish says what else is wrong with the commit p, or "". Requires: wrong found nothing.
func (h *header) blemish(p []byte) string {
	from := HeaderBytes + h.payload
	if err := parseTable(p[from:from+h.table], func(Entry) error { return nil }); err != nil {
		return fmt.Sprintf("commit %d: %v", h.sequence, err)
	}
	from += h.table
	if record.Checksum(p[from:from+h.previousTable]) != h.previousSum {
		return fmt.Sprintf("the copy of the table before, in commit %d, fails its checksum", h.sequence)
	}
	return ""
}

// EachEntry calls visit for each entry of a commit's table that this version knows. Errors: a malformed table; visit's.
func EachEntry(table []byte, visit func(Entry) error) error { return parseTable(table, visit) }

// readAt fills p as far as the file goes.
func readAt(r io.ReaderAt, p []byte, at int64) (int, error) {
	n, err := r.ReadAt(p, at)
	clear(p[n:])
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// CheckpointFacts is what a checkpoint says.
type CheckpointFacts struct {
	Number, Generation uint64
	Durable            uint64 // the highest sequence known durable when it was written
	Sequence, Hash     uint64 // of the last commit it covers
	Next               Location
	Oldest             uint32
	Journal, Directory [16]byte
	State              []byte
}

// InspectCheckpoint reads the bytes of a checkpoint's file. empty says that nothing was ever written to it: its place is kept
// for a checkpoint to come. Errors: what is wrong with it.
func InspectCheckpoint(p []byte) (facts CheckpointFacts, empty bool, err error) {
	c, ok, err := parseCheckpoint(p)
	switch {
	case err != nil:
		return facts, false, err
	case !ok && isZero(p):
		return facts, true, nil
	case !ok && !bytes.HasPrefix(p, []byte(checkpointMagic)):
		return facts, false, ErrNotJournal
	case !ok:
		return facts, false, errors.New("the checkpoint fails its checksum, or is cut off")
	}
	return CheckpointFacts{
		Number: c.number, Generation: c.generation, Durable: c.durable, Sequence: c.sequence, Hash: c.hash, Next: c.next,
		Oldest: c.oldest, Journal: c.id.journal, Directory: c.id.directory, State: c.whole(),
	}, false, nil
}

// CheckpointName returns the name of one of the two checkpoint files.
func CheckpointName(which uint64) string { return checkpointName(which) }

// SegmentName returns the name of a segment's file.
func SegmentName(number uint32) string { return segmentName(number) }

// SegmentNumber returns the number in the name of a segment's file.
func SegmentNumber(name string) (uint32, bool) { return segmentNumber(name) }

// IsSegment tells a segment by what it begins with.
func IsSegment(p []byte) bool { return bytes.HasPrefix(p, []byte(segmentMagic)) }

// IsCheckpoint tells a checkpoint by what it begins with.
func IsCheckpoint(p []byte) bool { return bytes.HasPrefix(p, []byte(checkpointMagic)) }

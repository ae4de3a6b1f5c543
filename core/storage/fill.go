package storage

import (
	"errors"
	"fmt"
	"slices"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// fillBytes is the most that one write to a partition log takes (rule A2).
const fillBytes = 1 << 20

// fill writes one piece of what the log's files lack, and says whether there may be more. Pieces are whole blocks: the last one
// is padded with zeros and written again by the next piece. Only what is stable is written. Errors: the disk's.
func (l *Log) fill(t *task.Task) (more bool, err error) {
	d := l.directory
	if !l.fillable() {
		return false, nil
	}
	d.trash.use(l.Name)
	defer d.trash.leave(l.Name)
	rows := l.piece()
	if len(rows) == 0 {
		return false, nil
	}
	s := l.segmentOf(rows[0].base)
	assert.That(s != nil, "a row belongs to a segment")
	cuts := l.cuts
	if err := l.ensureBlock(t, s, rows[0].position); err != nil {
		return errors.Is(err, errChanged), ignoreChanged(err)
	}
	if l.risky {
		return false, nil
	}
	buffer := d.env.Disk.Buffer(env.BlockBytes + int(rows[len(rows)-1].position+rows[len(rows)-1].bytes-rows[0].position))
	defer func() { d.env.Disk.FreeBuffer(buffer) }()
	used := copy(buffer, l.block)
	used, err = l.gather(t, buffer, used, rows, cuts)
	if err != nil {
		return errors.Is(err, errChanged), ignoreChanged(err)
	}
	whole := roundUp(used)
	clear(buffer[used:whole])
	err = l.writePiece(t, s, buffer[:whole], int64(rows[0].position)-int64(len(l.block)))
	if l.cuts != cuts || d.logs.At(l.Number) != l {
		return true, nil // what was written, or was not, is beyond what counts now
	}
	if err != nil {
		return false, err
	}
	l.fresh = l.fresh || !s.made
	s.made, s.unsynced = true, true
	l.filled = rows[len(rows)-1].end
	l.unfilled = max(0, l.unfilled-(used-int(rows[0].position%env.BlockBytes)))
	l.block = append([]byte(nil), buffer[used&^(env.BlockBytes-1):used]...)
	d.env.Probe.Sometimes(env.MarkLogFilled)
	return true, nil
}

// ignoreChanged returns nil for errChanged: what was begun does not count, and that is all.
func ignoreChanged(err error) error {
	if errors.Is(err, errChanged) || errors.Is(err, journal.ErrRecycled) {
		return nil
	}
	return err
}

// fillable says whether the log's files may be written now.
func (l *Log) fillable() bool {
	d := l.directory
	return d.logs.At(l.Number) == l && l.barrier <= d.journal.Marks().Durable && !d.trash.blocks(l.Name)
}

// piece returns the next rows for one write: of one segment, stable, at most fillBytes unless a single batch is larger. The
// rows are a copy: the tail may change while they are written.
func (l *Log) piece() []batch {
	var rows []batch
	bytes := uint32(0)
	for i := l.row(l.filled); i < len(l.tail); i++ {
		b := &l.tail[i]
		if b.end > l.stable || len(rows) > 0 && (b.position == 0 || bytes+b.bytes > fillBytes) {
			break
		}
		rows = append(rows, *b)
		bytes += b.bytes
	}
	return rows
}

// ensureBlock has l.block hold what the file has of the block that the position falls into, before it.
func (l *Log) ensureBlock(t *task.Task, s *logSegment, position uint32) error {
	need := int(position % env.BlockBytes)
	if need == 0 {
		l.block, l.risky = nil, false // nothing that is saved is written again
	}
	if len(l.block) == need {
		return nil
	}
	d, cuts := l.directory, l.cuts
	p := d.env.Disk.Buffer(env.BlockBytes)
	defer d.env.Disk.FreeBuffer(p)
	clear(p) // what is not there or can't be read stays zero: a reader finds the damage
	file, err := d.files.take(t, l.path(s), env.OpenExisting)
	if err == nil {
		_, err = d.readPatiently(t, file, p, int64(position)-int64(need))
		d.files.release(file)
	}
	if err != nil && !errors.Is(err, env.ErrNotExist) && !errors.Is(err, env.ErrIO) {
		return err
	}
	if l.cuts != cuts {
		return errChanged
	}
	l.block = append([]byte(nil), p[:need]...)
	if l.saved == l.filled {
		l.safe = l.block
	}
	return nil
}

// readTries is how often a read that fails is tried again before its bytes count as damaged, each time after twice as long: three
// seconds in all.
const readTries = 5

// readPatiently is ReadAt, and tries again: an error may pass, and what is put in doubt stays so.
func (d *Directory) readPatiently(t *task.Task, file env.File, p []byte, at int64) (int, error) {
	for try := 0; ; try++ {
		n, err := file.ReadAt(p, at).Wait(t)
		if !errors.Is(err, env.ErrIO) || try == readTries {
			return n, err
		}
		t.Sleep(d.env.Loop.Now().Add(retryDelay << try))
	}
}

// asideBytes is how large a batch is that is read back from the journal for itself; smaller ones come with their neighbours.
const asideBytes = 64 << 10

// gather copies the rows' bytes from the journal into the buffer, and returns how much it holds then.
// Errors: the disk's; errChanged, also when a batch turned out to be damaged.
func (l *Log) gather(t *task.Task, buffer []byte, used int, rows []batch, cuts uint64) (int, error) {
	for i := range rows {
		b := &rows[i]
		if b.gap {
			clear(buffer[used : used+int(b.bytes)])
			used += int(b.bytes)
			continue
		}
		p, held, err := l.bytesOf(t, b, cuts)
		if err != nil {
			return used, err
		}
		used += copy(buffer[used:], p)
		held.Release()
	}
	return used, nil
}

// bytesOf returns a row's bytes and what holds them in memory, and reads them back if need be.
// Errors: the disk's; errChanged, also when the batch turned out to be damaged.
func (l *Log) bytesOf(t *task.Task, b *batch, cuts uint64) ([]byte, pin, error) {
	for {
		p, _, held, err := l.directory.journal.Bytes(b.at, b.bytes)
		if held == nil && err == nil {
			if held, err = l.readBack(t, b, cuts); err != nil {
				return nil, nil, err
			}
			if held == nil {
				continue // it is in the arena
			}
			p, err = held.Batch(b.at, b.bytes)
		}
		if err == nil && !l.fits(p, b) {
			err = b.misfit()
		}
		if err == nil {
			return p, held, nil
		}
		if held != nil {
			held.Release()
		}
		l.lose(b, err)
		return nil, nil, errChanged
	}
}

// readBack reads a row from the journal: a large one for itself, a small one, with its neighbours, into the arena, and then there
// is no pin. Errors: as of bytesOf.
func (l *Log) readBack(t *task.Task, b *batch, cuts uint64) (held journal.Pin, err error) {
	d := l.directory
	for try := 0; ; try++ {
		if b.bytes >= asideBytes {
			held, err = d.journal.LoadAside(b.at, b.bytes).Wait(t)
		} else {
			_, err = d.journal.Load(b.at, b.bytes).Wait(t)
		}
		if l.cuts != cuts || d.logs.At(l.Number) != l {
			if held != nil {
				held.Release()
			}
			return nil, errChanged
		}
		if !errors.Is(err, env.ErrIO) {
			return held, err
		}
		if try == readTries {
			l.lose(b, err)
			return nil, errChanged
		}
		t.Sleep(d.env.Loop.Now().Add(retryDelay << try)) // see readPatiently
	}
}

// lose makes a gap of a row whose bytes were damaged before they reached its file.
func (l *Log) lose(b *batch, why error) {
	if i := l.row(b.base); i < len(l.tail) && l.tail[i].base == b.base {
		l.tail[i].gap = true
		l.doubted(b.base, b.end, why.Error())
	}
}

// writePiece writes whole blocks to the segment's file, which is made if need be, with its folder.
func (l *Log) writePiece(t *task.Task, s *logSegment, p []byte, position int64) error {
	d := l.directory
	if err := l.makeFolder(t); err != nil {
		return err
	}
	file, err := l.takeOrMake(t, s)
	if err != nil {
		return err
	}
	defer d.files.release(file)
	_, err = file.WriteAt(p, position).Wait(t)
	return err
}

// takeOrMake opens the segment's file, or makes it. A file that an earlier life left, and that the state says nothing of, is
// made anew: a sync of the folder may have failed after it was made, and then its name is lost with the power whatever is
// synced later.
func (l *Log) takeOrMake(t *task.Task, s *logSegment) (*openFile, error) {
	d := l.directory
	if s.made {
		return d.files.take(t, l.path(s), env.OpenCreate)
	}
	file, err := d.files.take(t, l.path(s), env.OpenNew)
	if !errors.Is(err, env.ErrExist) {
		return file, err
	}
	if err := d.removeFile(t, l.path(s), patient); err != nil {
		return nil, err
	}
	return d.files.take(t, l.path(s), env.OpenNew)
}

// makeFolder makes the log's folder durable, with the file that names the topic. One that is there already is worth as little
// as a file, see takeOrMake.
func (l *Log) makeFolder(t *task.Task) error {
	if l.folder {
		return nil
	}
	d := l.directory
	if err := d.removeFolder(t, l.folderPath(), patient); err != nil {
		return err
	}
	if _, err := d.env.Disk.MakeFolder(l.folderPath()).Wait(t); err != nil {
		return err
	}
	if err := d.writeSmall(t, l.folderPath()+"/"+segment.PartitionMetadataFile, segment.EncodePartitionMetadata(l.TopicID)); err != nil {
		return err
	}
	for _, folder := range []string{l.folderPath(), d.options.Folder} {
		if _, err := d.env.Disk.SyncDir(folder).Wait(t); err != nil {
			return err
		}
	}
	l.folder = true
	return nil
}

// sync makes what was filled durable, closes segments that take no more, and moves the saved end. Errors: the disk's.
func (l *Log) sync(t *task.Task) error {
	d, cuts, filled, block := l.directory, l.cuts, l.filled, l.block
	if d.trash.blocks(l.Name) || d.logs.At(l.Number) != l {
		return nil
	}
	d.trash.use(l.Name)
	defer d.trash.leave(l.Name)
	segments := slices.Clone(l.segments) // retention may take the first ones meanwhile
	if n := len(segments); n > 1 && !segments[n-2].sealed {
		// A file is cut to its size when it is closed: nobody may write to it then, should the log be truncated into it.
		l.claim(t)
		defer l.release()
		if l.cuts != cuts || d.logs.At(l.Number) != l {
			return nil
		}
	}
	for i, s := range segments {
		closed := i < len(segments)-1 && s.end <= filled
		if s.size == 0 || s.base >= filled || !s.unsynced && (s.sealed || !closed) {
			continue
		}
		if err := l.syncSegment(t, s, closed); err != nil {
			return ignoreChanged(err)
		}
		if l.cuts != cuts || d.logs.At(l.Number) != l {
			return nil
		}
	}
	fresh := l.fresh
	l.fresh = false // another file may be made while the folder is synced
	if fresh && !mutant.On(mutant.FolderNotSynced) {
		if _, err := d.env.Disk.SyncDir(l.folderPath()).Wait(t); err != nil {
			l.fresh = true
			return err
		}
	}
	if l.cuts == cuts {
		l.save(filled, block)
	}
	return nil
}

// syncSegment makes a segment's file durable; when it is closed, at its very size and with its indexes.
func (l *Log) syncSegment(t *task.Task, s *logSegment, closed bool) error {
	d, cuts := l.directory, l.cuts
	file, err := d.files.take(t, l.path(s), env.OpenExisting)
	if err != nil {
		return err
	}
	defer d.files.release(file)
	if closed {
		if _, err := file.Truncate(int64(s.size)).Wait(t); err != nil {
			return err
		}
	}
	s.unsynced = false
	if !mutant.On(mutant.UnsyncedTrusted) {
		_, err := file.Sync().Wait(t)
		if err != nil && mutant.On(mutant.SyncRetried) {
			_, err = file.Sync().Wait(t)
		}
		if err != nil && !mutant.On(mutant.SyncErrorIgnored) {
			// A failed sync proves that bytes may be lost; another one would prove nothing.
			return fmt.Errorf("%w: %w", errSync, err)
		}
	}
	if !closed || l.cuts != cuts {
		return nil
	}
	sums, err := l.writeIndex(t, s, true)
	if err != nil {
		return err
	}
	if l.cuts == cuts {
		s.indexes, s.sealed, s.index = sums, true, nil
		d.env.Probe.Sometimes(env.MarkSegmentSealed)
	}
	return nil
}

// errSync is a failed sync: whatever else it says, it is never tried again.
var errSync = errors.New("a sync failed")

// save moves the saved end.
func (l *Log) save(end record.Offset, block []byte) {
	for i := l.row(l.saved); i < len(l.tail) && l.tail[i].end <= end; i++ {
		b := &l.tail[i]
		if b.base < l.saved {
			continue
		}
		if s := l.segmentOf(b.base); s != nil {
			s.noteSaved(b)
		}
	}
	l.saved, l.safe = max(l.saved, end), block
}

// raiseAnchor moves the anchor as far as nobody may want to cut, over so many rows at most, and says whether it is there.
func (l *Log) raiseAnchor(to record.Offset, most int) (done bool) {
	for i := l.row(l.anchor); i < len(l.tail) && l.tail[i].end <= to; i++ {
		if most--; most < 0 {
			return false
		}
		if b := &l.tail[i]; b.base >= l.anchor {
			l.base.note(b)
		}
		l.anchor = l.tail[i].end
	}
	l.anchor = max(l.anchor, min(to, l.tailStart()))
	return true
}

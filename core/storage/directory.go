package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/ordered"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// Durability is what an acknowledgement waits for.
type Durability uint8

// The two settings.
const (
	Fsync      Durability = iota // a batch counts when it survives a power loss
	Replicated                   // a batch counts when it survives the process, as in Kafka
)

func (d Durability) String() string { return [...]string{"fsync", "replicated"}[d] }

// JournalOptions are the bounds of a directory's journal.
type JournalOptions = journal.Options

// Options are what a directory needs to know.
type Options struct {
	Folder     string
	NodeID     int32
	ClusterID  string // "": the directory's own, or a new one
	Durability Durability
	Journal    JournalOptions // its Folder and Synced are set here
}

// Directory is one open log directory.
type Directory struct {
	Identity  Identity
	Recovered journal.Recovered

	env      env.Env
	options  Options
	journal  *journal.Journal
	logs     ordered.Map[LogNumber, *Log]
	last     LogNumber
	flights  []flight
	votes    []byte       // the newest quorum state
	epoch    int64        // the newest broker epoch, or -1
	ranUnder []Durability // that the recovered journal was written under, in order (rule J17)
	onFailed func(error)
}

// flight is one commit that is not stable for everybody yet: what it makes stable when it is.
type flight struct {
	sequence uint64
	touched  []touch
	waiting  []func() // for non-log entries: run when durable
}

type touch struct {
	log *Log
	end record.Offset
}

// Open opens the log directory, or makes one, and recovers what it holds. It may wait long.
// Errors: another process uses the folder (env.ErrLocked); the folder is another broker's, of another cluster or format;
// the journal's.
func Open(t *task.Task, e env.Env, o Options) (*Directory, error) {
	d := &Directory{env: e, options: o, epoch: -1}
	if err := makeFolder(t, e.Disk, o.Folder); err != nil {
		return nil, err
	}
	if _, err := e.Disk.Lock(o.Folder + "/.lock").Wait(t); err != nil {
		return nil, err
	}
	var err error
	if d.Identity, err = openIdentity(t, e, o); err != nil {
		return nil, err
	}
	o.Journal.Folder, o.Journal.Synced = o.Folder, o.Durability == Fsync
	d.journal, d.Recovered, err = journal.Open(t, e, o.Journal, d.Identity.Directory, redo{d})
	if err != nil {
		return nil, err
	}
	d.journal.OnMarks(d.onMarks)
	d.journal.OnFailure(func(err error) {
		if d.onFailed != nil {
			d.onFailed(err)
		}
	})
	for _, l := range d.logs.All {
		l.stable = l.end
	}
	e.Loop.AtStepEnd(d.journal.Flush)
	d.control(journal.Entry{Kind: journal.Setting, Base: int64(o.Durability)}, nil)
	return d, nil
}

// makeFolder makes the folder if it is not there, and its name durable, and that of every folder above it: a directory whose
// own name is lost takes everything that was acknowledged with it.
func makeFolder(t *task.Task, disk env.Disk, folder string) error {
	if file, err := disk.Open(folder+"/"+identityFile, env.OpenExisting).Wait(t); err == nil {
		file.Close()
		return nil // its identity is there, which was written after the names above were durable
	}
	if _, err := disk.MakeFolder(folder).Wait(t); err != nil {
		return err
	}
	for at := len(folder); at > 0; {
		at = strings.LastIndexByte(folder[:at], '/')
		parent := folder[:max(at, 0)]
		if at == 0 {
			parent = "/"
		}
		if _, err := disk.SyncDir(parent).Wait(t); err != nil {
			return err
		}
	}
	return nil
}

// OnFailure has f called once, when the directory goes offline for good.
func (d *Directory) OnFailure(f func(error)) { d.onFailed = f }

// Failure returns why the directory is offline, or nil.
func (d *Directory) Failure() error { return d.journal.Failure() }

// Logs returns the logs by number.
func (d *Directory) Logs() *ordered.Map[LogNumber, *Log] { return &d.logs }

// Find returns the log of the partition, or nil.
func (d *Directory) Find(topicID [16]byte, partition int32) *Log {
	for _, l := range d.logs.All {
		if l.TopicID == topicID && l.Partition == partition {
			return l
		}
	}
	return nil
}

// Create makes a log. synced is for logs that are durable before they count, whatever the setting (rule S9).
func (d *Directory) Create(topicID [16]byte, partition int32, name string) *Log {
	d.last++
	l := &Log{Number: d.last, TopicID: topicID, Partition: partition, Name: name, directory: d}
	l.synced = isMetadata(topicID)
	d.logs.Set(l.Number, l)
	body := make([]byte, 0, 20+len(name))
	body = append(body, topicID[:]...)
	body = binary.BigEndian.AppendUint32(body, uint32(partition))
	l.journalCreate(append(body, name...))
	return l
}

func (l *Log) journalCreate(body []byte) {
	l.directory.journal.Append(journal.Entry{
		Kind: journal.Create, Flags: journal.FlagRequired, Log: uint64(l.Number), Body: body,
	}, nil, l.synced)
	l.directory.touch(l)
}

// Drop ends the log: its number is never used again, and its space is dead.
func (d *Directory) Drop(l *Log) {
	assert.That(d.logs.At(l.Number) == l, "a log is dropped once")
	l.journal(journal.Entry{Kind: journal.Drop}, nil)
	d.logs.Delete(l.Number)
	l.onStable = nil
}

// isMetadata says whether the topic id is that of __cluster_metadata, which Kafka reserves.
func isMetadata(id [16]byte) bool {
	metadata := [16]byte{15: 1}
	return id == metadata
}

// QuorumState returns the newest quorum state that was voted, or nil.
func (d *Directory) QuorumState() []byte { return d.votes }

// Vote writes the whole quorum state; done runs when it is durable (rules S9, J8).
func (d *Directory) Vote(state []byte, done func()) {
	d.votes = state
	d.control(journal.Entry{Kind: journal.Vote, Flags: journal.FlagRequired, Body: state}, done)
}

// BrokerEpoch returns the newest journalled broker epoch, or -1.
func (d *Directory) BrokerEpoch() int64 { return d.epoch }

// SetBrokerEpoch journals the broker epoch of a confirmed registration (rule S10).
func (d *Directory) SetBrokerEpoch(epoch int64) {
	d.epoch = epoch
	d.control(journal.Entry{Kind: journal.BrokerEpoch, Flags: journal.FlagRequired, Base: epoch}, nil)
}

func (d *Directory) control(e journal.Entry, done func()) {
	d.journal.Append(e, nil, true)
	if done != nil {
		f := d.flight()
		f.waiting = append(f.waiting, done)
	}
}

// flight returns the flight of the commit that took the last entry.
func (d *Directory) flight() *flight {
	sequence := d.journal.LastSequence()
	if n := len(d.flights); n == 0 || d.flights[n-1].sequence != sequence {
		d.flights = append(d.flights, flight{sequence: sequence})
	}
	return &d.flights[len(d.flights)-1]
}

// touch notes that the commit that took the last entry, once stable, makes the log's present end stable.
func (d *Directory) touch(l *Log) {
	f := d.flight()
	for i := range f.touched {
		if f.touched[i].log == l {
			f.touched[i].end = l.end
			return
		}
	}
	f.touched = append(f.touched, touch{l, l.end})
}

// capFlights lets no commit in flight make stable what a truncation has just taken from the log.
func (d *Directory) capFlights(l *Log) {
	for i := range d.flights {
		for k := range d.flights[i].touched {
			if t := &d.flights[i].touched[k]; t.log == l {
				t.end = min(t.end, l.end)
			}
		}
	}
}

// onMarks moves stable ends as far as the marks of the journal allow.
func (d *Directory) onMarks(m journal.Marks) {
	var woken []*Log
	kept := d.flights[:0]
	for _, f := range d.flights {
		if f.sequence > m.Written {
			kept = append(kept, f)
			continue
		}
		durable := f.sequence <= m.Durable
		left := f.touched[:0]
		for _, t := range f.touched {
			if !durable && (t.log.synced || d.options.Durability == Fsync) {
				left = append(left, t)
				continue
			}
			if t.end > t.log.stable {
				t.log.stable = t.end
				woken = append(woken, t.log)
			}
		}
		f.touched = left
		if !durable {
			kept = append(kept, f)
			continue
		}
		for _, done := range f.waiting {
			d.env.Loop.Later(done)
		}
	}
	clear(d.flights[len(kept):])
	d.flights = kept
	for _, l := range woken {
		assert.That(l.stable <= l.end, "the stable end does not pass the end")
		if l.onStable != nil {
			l.onStable()
		}
	}
}

// Close ends with a closing commit; everything appended before is durable then.
func (d *Directory) Close(t *task.Task) error { return d.journal.Close(t) }

// redo applies the entries of an existing journal. Every entry was applied once before, so anything that does not fit is
// damage, and nothing is guessed (rule J8).
type redo struct{ d *Directory }

var errRedo = errors.New("the journal contradicts itself")

func (r redo) Entry(e journal.Entry, at journal.Location, payload []byte) error {
	d := r.d
	switch e.Kind {
	case journal.Vote:
		d.votes = append([]byte(nil), e.Body...)
		return nil
	case journal.BrokerEpoch:
		d.epoch = e.Base
		return nil
	case journal.Setting:
		d.ranUnder = append(d.ranUnder, Durability(e.Base))
		return nil
	case journal.Create:
		return r.create(e)
	case journal.Append, journal.Truncate, journal.Reset, journal.StartMoved, journal.EpochStart, journal.Drop:
	case journal.Doubt:
		return errors.New("the journal holds doubt about a range, which this version can't serve around: start a newer version on this folder")
	}
	l, ok := d.logs.Get(LogNumber(e.Log))
	if !ok {
		return fmt.Errorf("%w: an entry of kind %d for log %d, which does not exist", errRedo, e.Kind, e.Log)
	}
	switch e.Kind {
	case journal.Append:
		return l.redoAppend(e, at, payload)
	case journal.Truncate:
		l.cut(record.Offset(e.End))
	case journal.Reset:
		l.reset(record.Offset(e.End))
	case journal.StartMoved:
		l.moveStart(record.Offset(e.End))
	case journal.EpochStart:
		l.epochs.begin(record.LeaderEpoch(e.Epoch), record.Offset(e.End))
	case journal.Drop:
		d.logs.Delete(l.Number)
	}
	return nil
}

func (r redo) create(e journal.Entry) error {
	if len(e.Body) < 20 || LogNumber(e.Log) <= r.d.last {
		return fmt.Errorf("%w: log %d is created after log %d", errRedo, e.Log, r.d.last)
	}
	l := &Log{
		Number: LogNumber(e.Log), TopicID: [16]byte(e.Body[:16]),
		Partition: int32(binary.BigEndian.Uint32(e.Body[16:])), Name: string(e.Body[20:]), directory: r.d,
	}
	l.synced = isMetadata(l.TopicID)
	r.d.last = l.Number
	r.d.logs.Set(l.Number, l)
	return nil
}

// redoAppend indexes what an append entry holds. Redo compares offsets, never bytes (rule J11).
func (l *Log) redoAppend(e journal.Entry, at journal.Location, payload []byte) error {
	if record.Offset(e.Base) != l.end {
		return fmt.Errorf("%w: log %d (%s) ends at %d and an append begins at %d", errRedo, l.Number, l.Name, l.end, e.Base)
	}
	for len(payload) > 0 {
		h, err := record.ParseHeader(payload)
		if err != nil {
			return fmt.Errorf("%w: log %d (%s) at offset %d: %w", errRedo, l.Number, l.Name, l.end, err)
		}
		if h.BaseOffset != l.end {
			return fmt.Errorf("%w: log %d (%s) ends at %d and a batch begins at %d", errRedo, l.Number, l.Name, l.end, h.BaseOffset)
		}
		l.add(indexed(&h, at))
		at.Position += uint32(h.Length)
		payload = payload[h.Length:]
	}
	if l.end != record.Offset(e.End) {
		return fmt.Errorf("%w: log %d (%s) ends at %d after an append to %d", errRedo, l.Number, l.Name, l.end, e.End)
	}
	return nil
}

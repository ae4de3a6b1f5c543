package storage

import (
	"encoding/binary"
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
	// CheckpointBytes is how much journal is written between two checkpoints (journal.checkpoint.bytes).
	CheckpointBytes int
	OpenFilesMax    int // partition files open at once (open.files.max)
	Votes           VoteForms
	// Examine looks at the logs that Apache Kafka left, before anything is changed, and says why they can't be taken over.
	Examine    func(t *task.Task, d *Directory) error
	ScrubBytes int // read a second in search of damage at rest (scrub.bytes.per.second); 0: none
}

// Directory is one open log directory.
type Directory struct {
	Identity  Identity
	Recovered journal.Recovered

	env      env.Env
	options  Options
	journal  *journal.Journal
	logs     ordered.Map[LogNumber, *Log]
	found    map[partitionKey]*Log // where Find looks first
	last     LogNumber
	flights  []flight
	votes    []byte       // the newest quorum state
	epoch    int64        // the newest broker epoch, or -1
	ranUnder []Durability // that the recovered journal was written under, in order (rule J17)
	onFailed func(error)

	files      files
	cold       coldCache
	trash      trash
	recovering bool
	work       *task.Signal     // a checkpoint is due
	full       bool             // the disk was full when last tried: said once
	checked    journal.Location // where the journal was at the last checkpoint
	needed     uint32           // the oldest segment that it needs
	marks      journal.Marks    // as of then
	eased      bool             // something that kept logs from being filled is over since
	forced     bool             // fill everything at the next checkpoint
	stopping   bool
	closing    bool   // the tasks have ended: what they would have done later is done now
	tasks      int    // that run
	large      []*Log // have a whole piece to fill, and nobody does
	fillers    []*filler
	claimed    []*Log // are being filled
	lag        int    // bytes that large logs lack, as of the last look
	late       bool   // one of them is, see isLate
	scrubStop  *task.Signal
	idle       *task.Signal
	picture    *picture                     // a checkpoint that is being taken
	watch      func(*walk)                  // a test's: told when a share ends
	gone       ordered.Map[LogNumber, bool] // while recovering: logs that the checkpoint had no time to write before they were dropped
	goneUntil  journal.Moment               // entries of theirs up to here are nobody's
	roomWaits  []func()                     // of who has more to append than the journal takes now
	body       [producerBytes]byte          // of the entry that is being appended: no garbage for each
}

// flight is one commit that is not stable for everybody yet: what it makes stable when it is.
type flight struct {
	sequence uint64
	touched  []touch
	waiting  []func() // for non-log entries: run when durable
}

type touch struct {
	log        *Log
	start, end record.Offset
}

// Open opens the log directory, or makes one, and recovers what it holds. It may wait long.
// Errors: another process uses the folder (env.ErrLocked); the folder is another broker's, of another cluster or format;
// the journal's.
func Open(t *task.Task, e env.Env, o Options) (*Directory, error) {
	d := &Directory{env: e, options: o, epoch: -1, found: make(map[partitionKey]*Log)}
	if err := makeFolder(t, e.Disk, o.Folder); err != nil {
		return nil, err
	}
	if _, err := e.Disk.Lock(o.Folder + "/.lock").Wait(t); err != nil {
		return nil, err
	}
	id, version, fresh, err := openIdentity(t, e, o)
	if err != nil {
		return nil, err
	}
	d.Identity = id
	left, err := d.readTenure(t, version)
	if err != nil {
		return nil, err
	}
	o.Journal.Folder, o.Journal.Synced = o.Folder, o.Durability == Fsync
	d.files = files{disk: e.Disk, most: max(o.OpenFilesMax, openFilesMin)}
	d.cold = coldCache{disk: e.Disk}
	d.work, d.idle, d.trash.wake = task.NewSignal(e.Loop), task.NewSignal(e.Loop), task.NewSignal(e.Loop)
	d.scrubStop = task.NewSignal(e.Loop)
	d.recovering = true
	if left.foreign() {
		if err := d.adopt(t, left); err != nil {
			return nil, err
		}
	}
	o.Journal.Existing = !fresh && !left.foreign()
	d.journal, d.Recovered, err = journal.Open(t, e, o.Journal, d.Identity.Directory, redo{d})
	if err != nil {
		return nil, err
	}
	d.journal.OnMarks(d.onMarks)
	d.journal.OnRoom(d.roomMoved)
	d.journal.OnFailure(func(err error) {
		d.roomMoved()
		if d.onFailed != nil {
			d.onFailed(err)
		}
	})
	d.recovering = false
	d.gone = ordered.Map[LogNumber, bool]{}
	for _, l := range d.logs.All {
		d.found[partitionKey{l.TopicID, l.Partition}] = l
		l.stable, l.stableStart = l.end, l.start
	}
	if d.Recovered.Fallback != "" {
		e.Talk.Say(o.Folder + ": " + d.Recovered.Fallback)
	}
	for _, damage := range d.Recovered.Damaged {
		e.Talk.Say("DAMAGED: " + damage)
	}
	if version == ownVersion {
		// Last, for a new directory; and anew, for an old one: a sync of the folder may have failed after it was written.
		if err := writeIdentity(t, e, o.Folder, d.Identity, ownVersion); err != nil {
			return nil, err
		}
	}
	if err := d.claim(t, left); err != nil {
		return nil, err
	}
	d.checked = journal.Location{Segment: d.oldest(t, d.journal.Position())}
	e.Loop.AtStepEnd(d.journal.Flush)
	d.control(journal.Entry{Kind: journal.Setting, Base: int64(o.Durability)}, nil)
	d.run("keep partition logs", d.keepLogs)
	d.runFillers()
	d.run("remove files", d.cleanUp)
	d.run("scrub", d.scrub)
	return d, nil
}

// openFilesMin is the least number of partition files that may be open at once.
const openFilesMin = 16

// run starts one of the directory's tasks. It calls stopped when it ends.
func (d *Directory) run(name string, story func(*task.Task)) {
	d.tasks++
	d.env.Loop.Go(name, story)
}

func (d *Directory) stopped() {
	if d.tasks--; d.tasks == 0 {
		d.idle.Raise()
	}
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

// OnFailure has f called once, when the directory goes offline for good: at once if it did while it was opened.
func (d *Directory) OnFailure(f func(error)) {
	d.onFailed = f
	if err := d.Failure(); err != nil {
		f(err)
	}
}

// Failure returns why the directory is offline, or nil.
func (d *Directory) Failure() error { return d.journal.Failure() }

// Folder returns the path of the directory, as it was given.
func (d *Directory) Folder() string { return d.options.Folder }

// Logs returns the logs by number.
func (d *Directory) Logs() *ordered.Map[LogNumber, *Log] { return &d.logs }

// Find returns the log of the partition, or nil.
func (d *Directory) Find(topicID [16]byte, partition int32) *Log {
	if l := d.found[partitionKey{topicID, partition}]; l != nil && d.logs.At(l.Number) == l {
		return l
	}
	for _, l := range d.logs.All {
		if l.TopicID == topicID && l.Partition == partition {
			return l
		}
	}
	return nil
}

// partitionKey names a partition.
type partitionKey struct {
	topic     [16]byte
	partition int32
}

// Create makes a log. synced is for logs that are durable before they count, whatever the setting (rule S9).
func (d *Directory) Create(topicID [16]byte, partition int32, name string) *Log {
	d.last++
	l := newLog(d, d.last, topicID, partition, name)
	d.logs.Set(l.Number, l)
	d.found[partitionKey{topicID, partition}] = l
	body := make([]byte, 0, 20+len(name))
	body = append(body, topicID[:]...)
	body = binary.BigEndian.AppendUint32(body, uint32(partition))
	l.journalCreate(append(body, name...))
	return l
}

func (l *Log) journalCreate(body []byte) {
	l.directory.journal.Append(journal.Entry{
		Kind: journal.Create, Flags: journal.FlagRequired, Log: uint64(l.Number), Body: body,
	}, nil, l.always)
	l.directory.touch(l)
}

// Drop ends the log: its number is never used again, and its space is dead.
func (d *Directory) Drop(l *Log) {
	assert.That(d.logs.At(l.Number) == l, "a log is dropped once")
	l.journal(journal.Entry{Kind: journal.Drop}, nil)
	d.forget(l, held)
	d.holdTrash(l)
	l.onStable = nil
}

// forget takes the log out of the directory and its folder to the trash.
func (d *Directory) forget(l *Log, sequence uint64) {
	d.logs.Delete(l.Number)
	d.picture.dropped(l)
	delete(d.found, partitionKey{l.TopicID, l.Partition})
	l.changed()
	l.discardFolder(sequence)
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
			f.touched[i].start, f.touched[i].end = l.start, l.end
			return
		}
	}
	f.touched = append(f.touched, touch{l, l.start, l.end})
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
			if !durable && (t.log.always || d.options.Durability == Fsync) {
				left = append(left, t)
				continue
			}
			if t.end > t.log.stable || t.start > t.log.stableStart {
				t.log.stable = max(t.log.stable, t.end)
				t.log.stableStart = max(t.log.stableStart, t.start)
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
	d.look()
	for _, l := range woken {
		assert.That(l.stable <= l.end, "the stable end does not pass the end")
		if l.onStable != nil {
			l.onStable()
		}
	}
}

package plan

import (
	"time"

	"barnabas/sim/simdisk"
)

// Fault is one thing that goes wrong. Which of the fields mean something depends on its kind; the others are zero.
type Fault struct {
	ID     uint64 // of its draws
	At     time.Duration
	Kind   Kind
	Broker int32         // whom it meets
	Down   time.Duration // until the broker's next process starts
	For    time.Duration // how long it lasts; of clock, how far it goes wrong; of crash-topic, how long after the topic was made
	// limp: how many times slower; fail, lie: one in so many; full: free bytes; rollback: which snapshot; aim: which instant of
	// which operation, see Instant; depose: how many microseconds after the old leader cut its tail it crashes, 0 is not at all;
	// rot-last: which commit from the end
	Number uint64
	Files  string // the files it is aimed at
	How    string // of damage and rot-last: what becomes of the block; of aim: at which operations
	Flag   bool   // power: with others at once; damage: the process is killed; others that crash: with the power
}

// Kind says what goes wrong.
type Kind uint8

// The kinds of fault. P1 and so on are the rows of the fault matrix.
const (
	Crash         Kind = iota // P1: the process is killed while its disk is at work
	Power                     // P2: the machine loses its power while its disk is at work
	Pause                     // P3: the process stands still
	Limp                      // D1: the disk is slow
	Lead                      // the controller moves a leader without need
	Stop                      // P5: the process is stopped as an operator does
	Clock                     // T1: the wall clock goes wrong, or right again
	FailSync                  // D5: the next sync fails
	Fail                      // D6: some operations of the disk fail
	Full                      // D7: the disk has no more room
	ReadOnly                  // D7: the disk refuses changes
	NoDescriptors             // D7: no file can be opened
	Damage                    // D8, D9, D10: a block at rest is not what was written
	Lie                       // D4: syncs succeed that were none
	Rollback                  // D13: the machine gets the disk of some time before
	Aim                       // P1, P2: a crash at an operation of a kind
	Depose                    // a leader loses its followers for a while, and then its leadership to one of them
	RotLast                   // D9: one of the last commits rots in a moment of quiet, and the process is killed
	CrashTopic                // P1, P2: a crash soon after the next topic is made
	kinds
)

// row is how a kind is written: its name, and the names of the fields that it has.
type row struct {
	name                                     string
	broker, down, lasts, files               bool
	hows                                     []string // the values of How; nil: it has none
	shift                                    bool     // For is a difference, with a sign
	number, flag                             string   // their names in this kind, or none
	least, most                              uint64   // of the number
	mayEndDirectory, losesData, spoilsAtRest bool
}

func rows() [kinds]row {
	return [kinds]row{
		Crash:         {name: "crash", broker: true, down: true},
		Power:         {name: "power", broker: true, down: true, flag: "together"},
		Pause:         {name: "pause", broker: true, lasts: true},
		Limp:          {name: "limp", broker: true, lasts: true, number: "factor", least: 1, most: 1 << 20},
		Lead:          {name: "lead"},
		Stop:          {name: "stop", broker: true, down: true, flag: "cut"},
		Clock:         {name: "clock", broker: true, shift: true},
		FailSync:      {name: "fail-sync", broker: true, files: true, mayEndDirectory: true},
		Fail:          {name: "fail", broker: true, lasts: true, number: "one-in", least: 1, most: 1 << 20, mayEndDirectory: true},
		Full:          {name: "full", broker: true, lasts: true, number: "free", most: 1 << 40},
		ReadOnly:      {name: "read-only", broker: true, lasts: true, mayEndDirectory: true},
		NoDescriptors: {name: "no-descriptors", broker: true, lasts: true, mayEndDirectory: true},
		Damage:        {name: "damage", broker: true, down: true, files: true, hows: hows(), flag: "kill", mayEndDirectory: true, spoilsAtRest: true},
		Lie:           {name: "lie", broker: true, lasts: true, number: "one-in", least: 1, most: 1 << 20, mayEndDirectory: true, losesData: true},
		Rollback:      {name: "rollback", broker: true, down: true, number: "back", least: 1, most: 1 << 20, mayEndDirectory: true, losesData: true},
		Aim:           {name: "aim", broker: true, down: true, lasts: true, hows: sights(), number: "instant", least: 1, most: 2 * instants, flag: "cut"},
		Depose:        {name: "depose", down: true, lasts: true, number: "crash-us", most: 1 << 30, flag: "cut"},
		RotLast:       {name: "rot-last", broker: true, down: true, hows: rotNames(), number: "back", least: 1, most: 4, flag: "cut", mayEndDirectory: true, spoilsAtRest: true},
		CrashTopic:    {name: "crash-topic", broker: true, down: true, lasts: true, flag: "cut"},
	}
}

// String returns the kind's name as it stands in a plan.
func (k Kind) String() string { return rows()[k].name }

// Kinds returns all kinds.
func Kinds() (all []Kind) {
	for k := range kinds {
		all = append(all, k)
	}
	return all
}

// The ways to damage a block at rest, other than rot.
const (
	Unreadable = "unreadable"
	Astray     = "astray" // the next write goes to another block
)

// Rots returns the ways in which a block rots, in the order of package simdisk.
func Rots() [4]string { return [...]string{"bit", "sector", "block", "noise"} }

func rotNames() []string {
	rots := Rots()
	return rots[:]
}

func hows() []string { return append([]string{Unreadable, Astray}, rotNames()...) }

// Sight is a kind of operation that a crash is aimed at: on which files, and which.
type Sight struct {
	Name  string
	Files string
	Kinds simdisk.Kinds
}

// Sights returns the operations that recovery has to get right one by one.
func Sights() []Sight {
	return []Sight{
		{"checkpoint-write", "journal-*.checkpoint", simdisk.Of(simdisk.OpWriteAt)},
		{"checkpoint-sync", "journal-*.checkpoint", simdisk.Of(simdisk.OpSync)},
		{"segment-name", "journal-*.segment", simdisk.Of(simdisk.OpRename, simdisk.OpSyncDir)},
		{"commit", "journal-*.segment", simdisk.Of(simdisk.OpWriteAt, simdisk.OpWriteSync, simdisk.OpSync)},
		{"log-write", "*.log", simdisk.Of(simdisk.OpWriteAt, simdisk.OpSync, simdisk.OpTruncate)},
		{"log-name", "*.log*", simdisk.Of(simdisk.OpRename, simdisk.OpRemove, simdisk.OpOpen)},
		{"index-write", "*index", simdisk.Of(simdisk.OpWriteAt, simdisk.OpSync)},
		{"folder-sync", "", simdisk.Of(simdisk.OpSyncDir)},
	}
}

func sights() (names []string) {
	for _, s := range Sights() {
		names = append(names, s.Name)
	}
	return names
}

// instants is how many there are of an aimed crash.
const instants = 9

// Instant says what an aimed crash does to which of the operations it is aimed at, the first being 1; and whether there is
// another one after it, of the power, when the next process does the same: what the first left may be in memory only.
func (f *Fault) Instant() (nth uint64, effect simdisk.Effect, twice bool) {
	n := f.Number - 1
	return 1 + n%instants/3, simdisk.CrashBefore + simdisk.Effect(n%3), n >= instants
}

// Second returns the crash that follows an aimed one.
func (f *Fault) Second() *Fault {
	again := *f
	again.Number, again.Flag = 1+(f.Number-1)%instants, true
	return &again
}

// MayEndDirectory says whether some fault may make a broker give up its log directory. Want of room does not.
func (p *Plan) MayEndDirectory() bool {
	all := rows()
	for _, f := range p.Faults {
		if all[f.Kind].mayEndDirectory {
			return true
		}
	}
	return false
}

// Has says whether there is a fault of the kind, of a broker, or with 0 of any.
func (p *Plan) Has(kind Kind, broker int32) bool {
	for _, f := range p.Faults {
		if f.Kind == kind && (broker == 0 || f.Broker == broker) {
			return true
		}
	}
	return false
}

package linearizability

import (
	"fmt"
	"math"
)

// Value is a record as a client made it: which client, and its number among that client's records. In one partition each
// value is sent by one operation only, and the numbers of a client's values ascend in the order in which it sent them.
type Value uint64

// MakeValue returns the client's value of that number.
func MakeValue(client, number uint32) Value { return Value(uint64(client)<<32 | uint64(number)) }

// Client returns who made it.
func (v Value) Client() uint32 { return uint32(v >> 32) }

// Number returns its number among the client's.
func (v Value) Number() uint32 { return uint32(v) }

// Refused stands in a poll for records that the broker refuses to give for good, with an error that says so: nobody knows
// what they are, and they are not lost in silence.
const Refused Value = math.MaxUint64

func (v Value) String() string {
	if v == Refused {
		return "!"
	}
	return fmt.Sprintf("%d.%d", v.Client(), v.Number())
}

// Class is what a client promises about its sends, on which depends what it is owed.
type Class uint8

// The classes of clients.
const (
	// Consumer sends nothing. (Administrators too.)
	Consumer Class = iota
	// Plain sends each batch once and never again, several at a time or not: each stands at most once.
	Plain
	// Retrying sends a batch again when it does not know: it may stand several times, each time whole.
	Retrying
	// Idempotent sends with a producer id and sequence numbers: each batch stands at most once, in the order of numbers.
	Idempotent
)

var classNames = [...]string{"consumer", "plain", "retrying", "idempotent"}

func (c Class) String() string { return classNames[c] }

// Client is one client.
type Client struct {
	Class Class
	// Lossy: its acknowledgements are not for good. So it is with acks=0, and with acks=1 where another replica may lead.
	Lossy bool
}

// Partition is one log. A topic that is deleted and made again has new ones.
type Partition struct {
	Name string
	// Expires: its oldest records may be deleted, by retention or because somebody asked for it.
	Expires bool
}

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	Send     Kind = iota // puts a batch into a partition
	Poll                 // reads from it
	Latest               // asks for its end, as consumers see it
	Earliest             // asks for its start
	Create               // makes a register: a topic, or anything else that is there or not
	Delete               // removes it
	Set                  // gives it a value, whether it is there or not
	Get                  // looks at it
)

var kindNames = [...]string{"send", "poll", "latest", "earliest", "create", "delete", "set", "get"}

func (k Kind) String() string { return kindNames[k] }

// OfRegister says whether the operation is one on a register.
func (k Kind) OfRegister() bool { return k >= Create }

// Outcome is what the client knows of how the operation ended.
type Outcome uint8

// The outcomes.
const (
	OK      Outcome = iota
	Failed          // it certainly had no effect
	Unknown         // it may have had one, or may have one yet
	// Conflict is the definite answer that the register's state forbids it: Create of what is there, Delete of what is not.
	Conflict
)

var outcomeNames = [...]string{"ok", "failed", "unknown", "conflict"}

func (o Outcome) String() string { return outcomeNames[o] }

// Never is the return of an operation that has none.
const Never = math.MaxInt64

// NoEpoch stands for a leader epoch that is not known.
const NoEpoch = -1

// Operation is one operation of a client. Times are nanoseconds of one clock, from anywhere; equal times overlap.
type Operation struct {
	Kind    Kind
	Outcome Outcome
	// Final: this Poll reached the end of the log, and its client knows by other means that nothing more had been
	// acknowledged; or this Latest was answered by who is known to be the leader.
	Final     bool
	Client    uint32
	Partition uint32 // not of a register
	// Epoch is the leader epoch: of an OK Send the one it was appended in, of an OK Latest that of the leader who answered.
	Epoch int32
	Count int32 // of a Send: records in the batch
	Call  int64
	// Return is Never for an operation whose end was not seen.
	Return int64
	First  Value // of a Send: the first value of the batch; the others follow
	// Offset is of an OK Send the base offset, of an OK Latest or Earliest the answer, of a Poll the position that the client
	// chose, or -1 when it went on where its last poll of the partition ended.
	Offset   int64
	Runs     []Run // of a Poll: what it returned, in order
	Register *Register
}

// Run is records with consecutive offsets and consecutive values.
type Run struct {
	Offset int64
	First  Value // or Refused
	Count  int32
	Epoch  int32 // of their batch, or NoEpoch
}

// Register is what an operation did to a register.
type Register struct {
	Key   string
	Value string // of a Get: "" when it is not there
	// Metadata is the offset of the metadata log: of a change its record's, of a Get the end of the image it was read from,
	// exclusive. -1 when it is not known.
	Metadata int64
}

// History is what clients did and saw. Clients and partitions are named by their places.
type History struct {
	Clients    []Client
	Partitions []Partition
	Operations []Operation // those of one client in the order of its calls, otherwise in any

	lines []int32 // where operations stand in the file they were read from
}

// AddClient adds a client and returns its number.
func (h *History) AddClient(c Client) uint32 {
	h.Clients = append(h.Clients, c)
	return uint32(len(h.Clients) - 1)
}

// AddPartition adds a partition and returns its number.
func (h *History) AddPartition(p Partition) uint32 {
	h.Partitions = append(h.Partitions, p)
	return uint32(len(h.Partitions) - 1)
}

// Add adds an operation and returns its place.
func (h *History) Add(o Operation) int {
	h.Operations = append(h.Operations, o)
	return len(h.Operations) - 1
}

// Line returns the line of the file on which the operation stands, or 0 if the history was not read from a file.
func (h *History) Line(operation int) int {
	if operation >= len(h.lines) {
		return 0
	}
	return int(h.lines[operation])
}

// where names an operation, for errors and findings.
func (h *History) where(operation int32) string {
	if line := h.Line(int(operation)); line > 0 {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("operation %d", operation)
}

// InvalidError is a history that makes no sense, whatever the broker did.
type InvalidError struct {
	Line int // of the file, or 0
	Text string
}

func (e *InvalidError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Text)
	}
	return e.Text
}

// invalid returns the error about an operation.
func (h *History) invalid(operation int32, format string, arguments ...any) error {
	text := fmt.Sprintf(format, arguments...)
	if line := h.Line(int(operation)); line > 0 {
		return &InvalidError{line, text}
	}
	return &InvalidError{Text: fmt.Sprintf("operation %d: %s", operation, text)}
}

package ledger

import (
	"fmt"
	"strings"
)

// Image is a log directory as its bytes are: what a process would read, or what is certain to survive.
type Image struct {
	Files func() []string                  // paths below the directory, in a fixed order
	Read  func(name string) ([]byte, bool) // a file's bytes; false if there is none
}

// Log is what an image holds of one log, by the ledger's own reading.
type Log struct {
	Topic     [16]byte
	Partition int32
	Name      string // of the log's folder: topic, dash, partition
	Start     int64
	End       int64
	// Runs are the records found of it, from the journal and from its folder, in no order. One offset may occur twice, and
	// what was cut off may still be among them.
	Runs []Run
}

// Run is a row of records of one producer whose offsets and numbers go on together.
type Run struct {
	Base  int64
	First Value
	Count int32
}

// Holding is what an image holds.
type Holding struct {
	Logs   map[uint64]*Log // by number
	Closed bool            // the last commit is a clean stop's
}

// Reader reads images of one log directory, again and again. What it found in a file it remembers by the file's checksum,
// so that a file which did not change costs no more than a look at its bytes.
type Reader struct {
	files map[string]scanned
}

// NewReader returns a reader that remembers nothing.
func NewReader() *Reader { return &Reader{files: make(map[string]scanned)} }

// scanned is what was found in a file of these bytes.
type scanned struct {
	bytes int
	sum   uint32
	runs  []Run
}

// Read reads an image: the newest valid checkpoint, the chain of commits that begins at it, and the segments in the logs'
// folders. It knows nothing of the broker's code, and trusts nothing without its checksum.
// Errors: whole commits that contradict each other.
func (r *Reader) Read(image Image) (Holding, error) {
	j := &journalReader{image: image, segments: make(map[uint32][]byte), logs: make(map[uint64]*Log), taken: make(map[uint64]moment)}
	if err := j.read(); err != nil {
		return Holding{Logs: j.logs}, err
	}
	folders := make(map[string][]*Log)
	for _, log := range j.logs {
		folders[log.Name] = append(folders[log.Name], log)
	}
	for _, name := range image.Files() {
		folder, file, found := strings.Cut(name, "/")
		if !found || !strings.HasSuffix(file, ".log") {
			continue
		}
		if logs := folders[folder]; len(logs) > 0 {
			runs := r.scan(image, name)
			for _, log := range logs {
				log.Runs = append(log.Runs, runs...)
			}
		}
	}
	return Holding{j.logs, j.closed}, nil
}

// scan returns the records in whole batches of a segment.
func (r *Reader) scan(image Image, name string) []Run {
	p, ok := image.Read(name)
	if !ok {
		delete(r.files, name)
		return nil
	}
	sum := checksum(p)
	if known, ok := r.files[name]; ok && known.bytes == len(p) && known.sum == sum {
		return known.runs
	}
	runs := scanSegment(p)
	r.files[name] = scanned{len(p), sum, runs}
	return runs
}

// scanSegment finds whole batches in a segment of a log's folder: back to back from its beginning. Zeros and what failed
// or was cut off stand behind them, and are passed over block by block, since a batch may stand there too.
func scanSegment(p []byte) (runs []Run) {
	for at := 0; at+batchHeaderBytes <= len(p); {
		length, err := checkBatch(p[at:])
		if err != nil {
			at = (at/blockBytes + 1) * blockBytes
			continue
		}
		runs, _ = appendRuns(runs, p[at:at+length])
		at += length
	}
	return runs
}

// appendRuns adds the records of a checked batch that are values of the run.
func appendRuns(runs []Run, batch []byte) ([]Run, error) {
	err := readBatch(batch, func(offset int64, payload []byte) {
		v, ok := Decode(payload)
		if !ok {
			return
		}
		if n := len(runs); n > 0 {
			last := &runs[n-1]
			next := Value{last.First.Producer, last.First.Number + uint32(last.Count)}
			if last.Base+int64(last.Count) == offset && next == v {
				last.Count++
				return
			}
		}
		runs = append(runs, Run{offset, v, 1})
	})
	return runs, err
}

// find returns the log of the partition, or nil.
func (h Holding) find(name string, topic [16]byte, known bool) (found *Log) {
	for _, log := range h.Logs {
		if log.Name == name && (!known || log.Topic == topic) && (found == nil || log.End > found.End) {
			found = log
		}
	}
	return found
}

// String describes the holding's log for a violation.
func (l *Log) String() string {
	if l == nil {
		return "nothing"
	}
	return fmt.Sprintf("[%d, %d)", l.Start, l.End)
}

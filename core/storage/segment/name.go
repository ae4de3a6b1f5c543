package segment

import (
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/record"
)

// Kind is what a file that is named after an offset holds.
type Kind uint8

const (
	Log Kind = iota
	OffsetIndex
	TimeIndex
	TxnIndex
	ProducerSnapshot
)

var extensions = [...]string{
	Log: ".log", OffsetIndex: ".index", TimeIndex: ".timeindex", TxnIndex: ".txnindex", ProducerSnapshot: ".snapshot",
}

// Stage says that a file is on its way into a log or out of it.
type Stage uint8

const (
	InUse   Stage = iota
	Deleted       // out of the log, and soon gone
	Cleaned       // being written by compaction
	Swap          // written by compaction, and about to take the place of what it replaces
)

var stages = [...]string{InUse: "", Deleted: ".deleted", Cleaned: ".cleaned", Swap: ".swap"}

// FileName is the name of a file of a partition that is named after an offset.
type FileName struct {
	Offset record.Offset // the base offset of a segment; of a snapshot the end of what it covers
	Kind   Kind
	Stage  Stage
}

// offsetDigits is how wide offsets are written, so that names sort as offsets do.
const offsetDigits = 20

// String returns the name. Requires: the offset is not negative.
func (n FileName) String() string {
	return fmt.Sprintf("%0*d%s%s", offsetDigits, n.Offset, extensions[n.Kind], stages[n.Stage])
}

// ParseFileName reads a name that String has written; it says whether this is one.
func ParseFileName(name string) (FileName, bool) {
	if len(name) < offsetDigits || !digits(name[:offsetDigits]) {
		return FileName{}, false
	}
	offset, err := strconv.ParseInt(name[:offsetDigits], 10, 64)
	if err != nil {
		return FileName{}, false
	}
	for kind, extension := range extensions {
		rest, ok := strings.CutPrefix(name[offsetDigits:], extension)
		if !ok {
			continue
		}
		for stage, text := range stages {
			if rest == text {
				return FileName{record.Offset(offset), Kind(kind), Stage(stage)}, true
			}
		}
	}
	return FileName{}, false
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

package storage

import "barnabas/core/record"

// Apache Kafka compacts: batches may be missing anywhere in a log that it left, but at its end. Whoever asks for an offset that
// is gone gets the next batch. Only the files tell where offsets are missing, so what a load found of it is remembered: a reader
// would ask for ever otherwise.

// hole is a range of offsets that no batch of the log holds.
type hole struct{ from, end record.Offset }

// holesMax is how many holes of a log are remembered, the latest: as many as there may be readers at holes at once.
const holesMax = 64

// pastHoles returns the offset, or where the holes that it lies in end.
func (l *Log) pastHoles(at record.Offset) record.Offset {
	for i := 0; i < len(l.holes); i++ {
		if h := l.holes[i]; h.from <= at && at < h.end {
			at, i = h.end, -1
		}
	}
	return at
}

// noteHole remembers that no batch holds the offsets.
func (l *Log) noteHole(from, end record.Offset) {
	if len(l.holes) == holesMax {
		l.holes = append(l.holes[:0], l.holes[1:]...)
	}
	l.holes = append(l.holes, hole{from, end})
}

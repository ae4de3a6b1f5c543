package storage

import "time"

// LogConfig are the settings of one log, by Kafka's names and with its meanings.
type LogConfig struct {
	SegmentBytes       int           // segment.bytes: a segment that would grow beyond it is closed first
	SegmentAge         time.Duration // segment.ms: … or whose first record is older than this, by record timestamps
	SegmentJitter      time.Duration // segment.jitter.ms: subtracted from SegmentAge, drawn per segment
	IndexIntervalBytes int           // index.interval.bytes
	IndexBytesMax      int           // segment.index.bytes
	Delete             bool          // cleanup.policy contains delete
	RetentionAge       time.Duration // retention.ms; negative: for ever
	RetentionBytes     int64         // retention.bytes; negative: without bound
	FileDeleteDelay    time.Duration // file.delete.delay.ms: between taking a file out of the log and removing it
}

// Configure gives the log its settings. They count from the next append on.
func (l *Log) Configure(c LogConfig) {
	if c.IndexIntervalBytes != l.config.IndexIntervalBytes {
		for _, s := range l.segments {
			s.index = nil // it is a function of the interval: built anew when it is needed
		}
	}
	l.config = c
}

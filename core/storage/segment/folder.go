package segment

import (
	"fmt"
	"strconv"
	"strings"
)

// FolderState says what a partition's folder is for.
type FolderState uint8

const (
	Live           FolderState = iota
	Deleting                   // of a deleted topic, and soon gone
	FutureReplica              // being filled, to replace the folder in another log directory
	StrayPartition             // found at a start, and of no partition that this broker has
)

var folderSuffixes = [...]string{Live: "", Deleting: "-delete", FutureReplica: "-future", StrayPartition: "-stray"}

// Folder is the name of a partition's folder: TOPIC-PARTITION, or TOPIC-PARTITION.ID-delete and so on.
type Folder struct {
	Topic     string // only its beginning, if the name of a folder to be removed would else be too long
	Partition int32
	State     FolderState
	ID        string // makes the name unique unless the folder is live; Kafka takes 32 hexadecimal digits
}

const (
	folderBytesMax = 255 // what file systems take
	topicBytesMax  = 249
)

// String returns the name. Requires: an ID exactly if the folder is not live.
func (f Folder) String() string {
	rest := fmt.Sprintf("-%d", f.Partition)
	if f.State != Live {
		rest += "." + f.ID + folderSuffixes[f.State]
	}
	topic := f.Topic
	// A folder with a future gets the topic back from its name, so that one is never shortened.
	if f.State == Deleting || f.State == StrayPartition {
		topic = topic[:max(0, min(len(topic), folderBytesMax-len(rest)))]
	}
	return topic + rest
}

// ParseFolder reads the name of a partition's folder. Errors: ErrInvalid.
func ParseFolder(name string) (Folder, error) {
	var f Folder
	rest := name
	for state := Deleting; int(state) < len(folderSuffixes); state++ {
		before, ok := strings.CutSuffix(name, folderSuffixes[state])
		if !ok {
			continue
		}
		dot := strings.LastIndexByte(before, '.')
		if dot < 0 || !plainName(before[dot+1:]) {
			return f, fmt.Errorf("folder %q: %w: no id before %s", name, ErrInvalid, folderSuffixes[state])
		}
		rest, f.ID, f.State = before[:dot], before[dot+1:], state
	}
	dash := strings.LastIndexByte(rest, '-')
	if dash < 0 {
		return f, fmt.Errorf("folder %q: %w: not TOPIC-PARTITION", name, ErrInvalid)
	}
	partition, err := strconv.ParseInt(rest[dash+1:], 10, 32)
	if err != nil || partition < 0 || strconv.FormatInt(partition, 10) != rest[dash+1:] {
		return f, fmt.Errorf("folder %q: %w: %q is no partition", name, ErrInvalid, rest[dash+1:])
	}
	f.Topic, f.Partition = rest[:dash], int32(partition)
	if !topicName(f.Topic) {
		return f, fmt.Errorf("folder %q: %w: %q is no topic", name, ErrInvalid, f.Topic)
	}
	return f, nil
}

// topicName says whether Kafka would take the name for a topic.
func topicName(name string) bool {
	return plainName(name) && name != "." && name != ".." && len(name) <= topicBytesMax
}

func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}

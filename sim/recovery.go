package sim

import (
	"fmt"
	"slices"
	"strings"

	"barnabas/core/storage"
	"barnabas/sim/ledger"
)

// image is the broker's log directory: what a process reads, or what is sure to survive.
func (b *broker) image(durable bool) ledger.Image {
	files, read := b.machine.Files, b.machine.Bytes
	if durable {
		files, read = b.machine.DurableFiles, b.machine.DurableBytes
	}
	return ledger.Image{
		Files: func() (names []string) {
			for _, path := range files() {
				if name, ok := strings.CutPrefix(path, dataFolder+"/"); ok {
					names = append(names, name)
				}
			}
			return names
		},
		Read: func(name string) ([]byte, bool) { return read(dataFolder + "/" + name) },
	}
}

// readDisk reads what a process of the machine would find, with the ledger's own parser.
func (b *broker) readDisk() ledger.Holding {
	held, err := b.live.Read(b.image(false))
	b.judgeStructure(err)
	return held
}

func (b *broker) judgeStructure(err error) {
	if err != nil && !b.trouble.damaged && !b.unclean {
		b.world.judge("LogStructure", fmt.Sprintf("broker %d's journal: %v", b.id, err))
	}
}

// judgeDisk compares what the disk holds with what was acknowledged, at a moment when no process runs or all is at rest.
// What counts is what a power loss leaves, whether or not there is one, unless the setting promises less.
func (b *broker) judgeDisk() {
	w := b.world
	if b.unclean || b.trouble.damaged || b.trouble.harmed {
		return
	}
	held := b.before
	if b.settings.String("durability") == "fsync" && !b.lies() {
		var err error
		held, err = b.durable.Read(b.image(true))
		b.judgeStructure(err)
	}
	w.ledger.JudgeDisk(fmt.Sprintf("broker %d's disk", b.id), held)
}

// judgeRecovery compares what the process recovered with what it had promised, and with what its disk holds.
func (b *broker) judgeRecovery() {
	if b.trouble.damaged {
		return // what is served is judged, record by record
	}
	if b.before.Closed && !b.process.Directory().Recovered.Clean {
		b.world.judge("CleanStop", fmt.Sprintf("broker %d's journal ends with a clean stop, and its start did not find that", b.id))
	}
	found := make(map[logKey]bool)
	for number, log := range b.process.Directory().Logs().All {
		key := logKey{log.TopicID, log.Partition}
		found[key] = true
		// The stable end is what was recovered: requests that waited may have been appended in this very step.
		recovered := log.StableEnd()
		if b.unclean {
			b.watch.promised[key] = min(b.watch.promised[key], recovered)
		}
		if promised := b.watch.promised[key]; recovered < promised {
			b.world.judge("RecoveredCoversPromised", fmt.Sprintf(
				"broker %d recovered %s up to %d and had promised %d", b.id, log.Name, recovered, promised))
		}
		b.judgeFirstSegment(log)
		onDisk, ok := b.before.Logs[uint64(number)]
		if ok && onDisk.Start > int64(log.Start()) {
			b.world.judge("LogStructure", fmt.Sprintf(
				"broker %d recovered %s from %d on; on its disk it starts at %d", b.id, log.Name, log.Start(), onDisk.Start))
		}
		// What a lying disk took is mended from the next commit, which the ledger's reader does not do.
		if isData := log.Name != "__cluster_metadata-0"; ok && isData && !b.trouble.harmed && onDisk.End != int64(recovered) {
			b.world.judge("LogStructure", fmt.Sprintf(
				"broker %d recovered %s up to %d; its disk holds whole commits up to %d", b.id, log.Name, recovered, onDisk.End))
		}
	}
	if !b.unclean {
		b.judgeMissing(found)
	}
}

// judgeFirstSegment sees to it that what lies wholly below a log's start is no part of it any more: its files may be gone.
func (b *broker) judgeFirstSegment(log *storage.Log) {
	if base, end, bytes, ok := log.FirstSegment(); ok && (end < log.Start() || end == log.Start() && bytes > 0) {
		b.world.judge("LogStructure", fmt.Sprintf(
			"broker %d recovered %s with a segment of [%d, %d), and it starts at %d", b.id, log.Name, base, end, log.Start()))
	}
}

// judgeMissing reports logs that promised something and are gone as a whole.
func (b *broker) judgeMissing(found map[logKey]bool) {
	var missing []string
	for key, promised := range b.watch.promised {
		if promised > 0 && !found[key] && !b.world.ledger.IsGone(key.topic) {
			missing = append(missing, fmt.Sprintf("topic %x partition %d up to %d", key.topic, key.partition, promised))
		}
	}
	slices.Sort(missing)
	for _, m := range missing {
		b.world.judge("RecoveredCoversPromised", fmt.Sprintf("broker %d has lost a log that had promised: %s", b.id, m))
	}
}

package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"barnabas/core/api"
	"barnabas/core/compress"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/quorum"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// Options say how a broker runs.
type Options struct {
	Settings  *config.Settings
	Listeners []string // host:port; port 0 for a free one
	// Advertised is, for each listener, the host:port its clients are told; "" or none: the one they came in on. Port 0
	// stands for the listener's.
	Advertised []string
	Folder     string // the log directory
	ClusterID  string // "": the directory's own, or a new one
	// Remote, if not nil, is the controller, elsewhere: the broker then runs no quorum of its own, and learns committed
	// metadata through Publish. The cluster's RPCs will stand behind it.
	Remote api.Controller
	// OnSettings, if not nil, is told what is in force when the metadata change it, on the loop: for settings of the world
	// outside, as those of listeners.
	OnSettings func(*config.Settings)
}

func durability(s *config.Settings) storage.Durability {
	if s.String("durability") == "replicated" {
		return storage.Replicated
	}
	return storage.Fsync
}

// StorageOptions are what a broker opens its log directory with.
func StorageOptions(o Options) storage.Options {
	s := o.Settings
	return storage.Options{
		Folder: o.Folder, NodeID: int32(s.Int("node.id")), ClusterID: o.ClusterID, Durability: durability(s),
		Journal: storage.JournalOptions{
			SegmentBytes: s.Int("journal.segment.bytes"), BytesMax: int(s.Long("journal.max.bytes")),
			CommitBytesMax: s.Int("journal.commit.max.bytes"), ArenaBytesMax: int(s.Long("arena.max.bytes")),
			ChunkBytes: s.Int("arena.chunk.bytes"),
		},
		CheckpointBytes: int(s.Long("journal.checkpoint.bytes")), OpenFilesMax: s.Int("open.files.max"),
		Votes:      storage.VoteForms{ToFile: quorum.VoteToFile, FromFile: quorum.VoteFromFile},
		Examine:    func(t *task.Task, d *storage.Directory) error { return quorum.Examine(t, d, int32(s.Int("node.id"))) },
		ScrubBytes: int(s.Long("scrub.bytes.per.second")),
	}
}

// promise says what an answer to acks=all means on this disk.
func promise(d storage.Durability, disk env.DiskDescription) string {
	on := fmt.Sprintf("%s, %s, %s", disk.FileSystem, disk.Backend, disk.Write)
	switch {
	case !disk.Durable:
		return "nothing survives a power loss, since the data folder is in memory (" + on + ")"
	case d == storage.Fsync:
		return "acknowledged records are on the device (" + on + ")"
	default:
		return "acknowledged records are written, not synced: a power loss of all in-sync replicas loses some (" + on + ")"
	}
}

// logConfig returns the settings of a topic's logs.
func logConfig(t config.TopicSettings) storage.LogConfig {
	c := storage.LogConfig{
		SegmentBytes: t.Int("segment.bytes"), SegmentAge: t.Duration("segment.ms"), SegmentJitter: t.Duration("segment.jitter.ms"),
		IndexIntervalBytes: t.Int("index.interval.bytes"), IndexBytesMax: t.Int("segment.index.bytes"),
		Delete:       slices.Contains(t.List("cleanup.policy"), "delete"),
		RetentionAge: t.Duration("retention.ms"), RetentionBytes: t.Long("retention.bytes"),
		FileDeleteDelay: t.Duration("file.delete.delay.ms"),
	}
	if t.Has("internal.segment.bytes") {
		c.SegmentBytes = t.Int("internal.segment.bytes")
	}
	return c
}

// rulesOf returns what a topic asks of produced batches.
func rulesOf(t config.TopicSettings) replica.Rules {
	r := replica.Rules{
		MessageBytesMax: t.Int("max.message.bytes"), SegmentBytesMax: t.Int("segment.bytes"),
		KeyRequired:   slices.Contains(t.List("cleanup.policy"), "compact"),
		LogAppendTime: t.String("message.timestamp.type") == "LogAppendTime",
		BeforeMax:     t.Milliseconds("message.timestamp.before.max.ms"), AfterMax: t.Milliseconds("message.timestamp.after.max.ms"),
	}
	codec, ok := compress.ByName(t.String("compression.type"))
	if !ok {
		r.AsProduced = true
		return r
	}
	r.Codec = codec
	if level := "compression." + codec.String() + ".level"; codec != compress.None && codec != compress.Snappy {
		r.Level = t.Int(level)
	}
	return r
}

// splitAddress cuts host:port at the last colon; brackets of an IPv6 host are taken off.
func splitAddress(address string) (host string, port int32) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return address, -1
	}
	n, err := strconv.ParseInt(address[i+1:], 10, 32)
	if err != nil {
		return address, -1
	}
	return strings.Trim(address[:i], "[]"), int32(n)
}

// advertised returns what to tell a client that came in on this address.
func (b *Broker) advertised(local string) (host string, port int32) {
	host, port = splitAddress(local)
	for i, l := range b.listeners {
		if _, listened := splitAddress(l.Address()); listened == port {
			if told, has := b.advertisedOf(i); has {
				return splitAddress(told)
			}
		}
	}
	return host, port
}

// advertisedOf returns what clients of a listener are told, if that is set.
func (b *Broker) advertisedOf(listener int) (address string, set bool) {
	if listener >= len(b.options.Advertised) || b.options.Advertised[listener] == "" {
		return "", false
	}
	host, port := splitAddress(b.options.Advertised[listener])
	if port == 0 {
		_, port = splitAddress(b.listeners[listener].Address())
	}
	return joinAddress(host, port), true
}

// joinAddress is the reverse of splitAddress.
func joinAddress(host string, port int32) string {
	if strings.ContainsRune(host, ':') {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}

// fetchPatience is how long beyond its longest wait a leader may take to answer a follower before the connection is given
// up: a half-open one must not stall replication for long.
const fetchPatience = 5 * time.Second

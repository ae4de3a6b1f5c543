package core

import (
	"strconv"
	"strings"
	"time"

	"barnabas/core/api"
	"barnabas/core/config"
	"barnabas/core/storage"
)

// Options say how a broker runs.
type Options struct {
	Settings  *config.Settings
	Listeners []string // host:port; port 0 for a free one
	Folder    string   // the log directory
	ClusterID string   // "": the directory's own, or a new one
	// Remote, if not nil, is the controller, elsewhere: the broker then runs no quorum of its own, and learns committed
	// metadata through Publish. The cluster's RPCs will stand behind it.
	Remote api.Controller
}

func durability(s *config.Settings) storage.Durability {
	if s.String("durability") == "replicated" {
		return storage.Replicated
	}
	return storage.Fsync
}

func storageOptions(o Options) storage.Options {
	s := o.Settings
	return storage.Options{
		Folder: o.Folder, NodeID: int32(s.Int("node.id")), ClusterID: o.ClusterID, Durability: durability(s),
		Journal: storage.JournalOptions{
			SegmentBytes: s.Int("journal.segment.bytes"), BytesMax: int(s.Long("journal.max.bytes")),
			CommitBytesMax: s.Int("journal.commit.max.bytes"), ArenaBytesMax: int(s.Long("arena.max.bytes")),
			ChunkBytes: s.Int("arena.chunk.bytes"),
		},
	}
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

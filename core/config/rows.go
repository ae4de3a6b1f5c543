package config

import "slices"

// Row is one setting that has an effect.
type Row struct {
	Name    string
	Alias   string // another name, read when Name is not given; "" for none
	Rule    Rule
	Default string // "" for a number: it has no value unless it is given one
	Meaning string
	// Dynamic says that the setting may change while a broker runs. So may those that are defaults of topics' settings.
	Dynamic bool
	// Simulation is what the simulator draws from; nil where the topology decides or nothing would change.
	Simulation []string
}

// Rows returns the table, ordered by theme.
func Rows() []Row { return slices.Clone(table) }

const (
	blockBytes = 4096 // as env.BlockBytes: the journal writes directly
	kib        = 1 << 10
	mib        = 1 << 20
	gib        = 1 << 30
)

// DefaultFolder is the data folder when nothing else is given, in the folder the broker was started in.
const DefaultFolder = "barnabas-data"

// table is all rows, ordered by theme.
var table = slices.Concat(brokerRows, journalRows, logRows)

// compressionTypes are the values of compression.type.
var compressionTypes = []string{"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"}

var brokerRows = []Row{
	{
		Name: "node.id", Alias: "broker.id", Rule: atLeast(Int, 0), Default: "1",
		Meaning: "this broker's number in its cluster",
	},
	{
		Name: "log.dirs", Alias: "log.dir", Rule: Rule{Type: List}, Default: DefaultFolder,
		Meaning: "the data folder (one, for now)",
	},
	{
		Name: "listeners", Rule: Rule{Type: List}, Default: "PLAINTEXT://localhost:9092",
		Meaning: "where clients connect, NAME://HOST:PORT; no host: every interface; port 0: a free one",
	},
	{
		Name: "advertised.listeners", Rule: Rule{Type: List}, Default: "",
		Meaning: "what clients are told to connect to, NAME://HOST:PORT (port 0: the listener's); not set: the address each came in on",
	},
	{
		Name: "listener.security.protocol.map", Rule: Rule{Type: List},
		Default: "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
		Meaning: "the protocol each listener's name stands for; only PLAINTEXT is served",
	},
	{
		Name: "controller.listener.names", Rule: Rule{Type: List}, Default: "",
		Meaning: "listeners meant for controllers; they are not opened",
	},
	{
		Name: "max.connections", Rule: atLeast(Int, 0), Default: "2147483647", Dynamic: true,
		Meaning: "connections open at once; one more is closed",
	},
	{
		Name: "max.connections.per.ip", Rule: atLeast(Int, 0), Default: "2147483647", Dynamic: true,
		Meaning: "connections of one address open at once; one more is closed",
	},
	{
		Name: "max.connections.per.ip.overrides", Rule: Rule{Type: List}, Default: "", Dynamic: true,
		Meaning: "addresses with another bound, ADDRESS:NUMBER",
	},
	{
		Name: "max.connection.creation.rate", Rule: atLeast(Int, 1), Default: "2147483647", Dynamic: true,
		Meaning: "connections taken in a second, of all listeners together; more wait to be taken",
	},
	{
		Name: "queued.max.request.bytes", Rule: atLeast(Long, -1), Default: "268435456",
		Meaning: "memory for requests that came and are not answered; beyond it none is read; -1: no bound",
	},
	{
		Name: "queued.max.response.bytes", Rule: atLeast(Long, -1), Default: "268435456",
		Meaning: "answers that clients have not read yet, of all together; beyond it requests wait, and who reads nothing for 5 seconds " +
			"is closed; -1: no bound",
		Simulation: []string{"32768", "268435456", "268435456"},
	},
	{
		Name: "connections.max.idle.ms", Rule: atLeast(Duration, -1), Default: "600000",
		Meaning:    "a connection without a request for this long is closed; -1: never",
		Simulation: []string{"10000", "600000"},
	},
	{
		Name: "socket.request.max.bytes", Rule: atLeast(Int, 1), Default: "104857600",
		Meaning: "a longer request closes its connection",
	},
	{
		Name: "metrics.listen", Rule: Rule{Type: String}, Default: "",
		Meaning: "HOST:PORT where /metrics, /livez and /readyz are served over HTTP, without authentication; not set: nowhere",
	},
	{
		Name: "logging.format", Rule: oneOf("text", "json"), Default: "text",
		Meaning: "how a running broker writes to stderr what changes: for people (text), or an object a line (json)",
	},
	{
		Name: "auto.create.topics.enable", Rule: Rule{Type: Bool}, Default: "true",
		Meaning: "a topic comes into being when a client asks for it",
	},
	{
		Name: "delete.topic.enable", Rule: Rule{Type: Bool}, Default: "true",
		Meaning: "topics may be deleted",
	},
	{
		Name: "num.partitions", Rule: atLeast(Int, 1), Default: "1",
		Meaning:    "partitions of a topic whose maker did not say",
		Simulation: []string{"1", "3"},
	},
	{
		Name: "default.replication.factor", Rule: between(Int, 1, 1<<15-1), Default: "1",
		Meaning: "replicas of a topic whose maker did not say",
	},
	{
		Name: "min.insync.replicas", Rule: atLeast(Int, 1), Default: "1",
		Meaning: "replicas in sync that acks=all needs",
	},
	{
		Name: "message.max.bytes", Rule: atLeast(Int, 0), Default: "1048588",
		Meaning:    "the largest record batch taken; at most half of journal.segment.bytes",
		Simulation: []string{"16384", "1048588"},
	},
	{
		Name: "decompressed.max.bytes", Rule: atLeast(Long, kib), Default: "33554432",
		Meaning: "a compressed batch that holds more when it is opened is refused",
	},
	{
		Name: "compression.type", Default: "producer", Rule: oneOf(compressionTypes...),
		Meaning: "how batches are compressed on disk; producer: as they came",
	},
	{
		Name: "compression.gzip.level", Rule: between(Int, -1, 9), Default: "-1",
		Meaning: "the level for compression.type=gzip; -1: gzip's own",
	},
	{
		Name: "compression.lz4.level", Rule: between(Int, 1, 17), Default: "9",
		Meaning: "the level for compression.type=lz4; above 9 as 9",
	},
	{
		Name: "compression.zstd.level", Rule: between(Int, -131072, 22), Default: "3",
		Meaning: "the level for compression.type=zstd",
	},
	{
		Name: "fetch.max.bytes", Rule: atLeast(Int, 1*kib), Default: "57671680",
		Meaning:    "the most record bytes in one fetch answer (a first batch is never cut)",
		Simulation: []string{"4096", "65536", "57671680"},
	},
	{
		Name: "max.incremental.fetch.session.cache.slots", Rule: atLeast(Int, 0), Default: "1000",
		Meaning: "how many fetch sessions are remembered; 0: none",
	},
	{
		Name: "replica.fetch.max.bytes", Rule: atLeast(Int, 0), Default: "1048576",
		Meaning:    "the most a follower asks of one partition at once",
		Simulation: []string{"1", "16384", "1048576"},
	},
	{
		Name: "replica.fetch.wait.max.ms", Rule: between(Duration, 0, intMax), Default: "500",
		Meaning:    "how long a leader lets a follower's fetch wait for records",
		Simulation: []string{"10", "500"},
	},
	{
		Name: "replica.fetch.backoff.ms", Rule: between(Duration, 0, intMax), Default: "1000",
		Meaning:    "how long a follower waits after a failed fetch",
		Simulation: []string{"20", "1000"},
	},
}

var journalRows = []Row{
	{
		Name: "durability", Rule: oneOf("fsync", "replicated"), Default: "fsync",
		Meaning:    "when records count as stored: on the device (fsync), or written but not synced (replicated)",
		Simulation: []string{"fsync", "fsync", "fsync", "replicated"},
	},
	{
		Name: "journal.segment.bytes", Rule: blocks(Int, 64*kib, gib), Default: "16777216",
		Meaning:    "the size of a journal segment, a multiple of 4096; at least eight fit into journal.max.bytes",
		Simulation: []string{"65536", "262144", "1048576", "4194304"},
	},
	{
		Name: "journal.max.bytes", Rule: atLeast(Long, mib), Default: "1073741824",
		Meaning:    "the most the journal takes on disk; produce waits beyond it until partition logs have caught up",
		Simulation: []string{"1048576", "4194304", "67108864"},
	},
	{
		Name: "journal.checkpoint.bytes", Rule: atLeast(Long, blockBytes), Default: "67108864",
		Meaning:    "how much journal is written between two checkpoints; at most a quarter of journal.max.bytes",
		Simulation: []string{"65536", "262144", "4194304"},
	},
	{
		Name: "journal.commit.max.bytes", Rule: blocks(Int, blockBytes, 64*mib), Default: "1048576",
		Meaning:    "one write to the journal takes no more than this, unless a single batch is larger",
		Simulation: []string{"8192", "65536", "1048576"},
	},
	{
		Name: "arena.max.bytes", Rule: blocks(Long, 2*blockBytes, 1<<40), Default: "134217728",
		Meaning:    "memory for the newest records; producers wait while partition logs lack half of that",
		Simulation: []string{"1048576", "4194304", "67108864"},
	},
	{
		Name: "arena.chunk.bytes", Rule: blocks(Int, blockBytes, 64*mib), Default: "8388608",
		Meaning:    "the unit in which that memory is taken; at most half of arena.max.bytes",
		Simulation: []string{"65536", "1048576"},
	},
}

// isOptional says whether the setting may be without a value.
func (r Row) isOptional() bool { return r.Default == "" && r.Rule.isNumber() }

// find returns the place of the row that name, or its alias, belongs to, or -1.
func find(name string) int {
	return slices.IndexFunc(table, func(r Row) bool { return name == r.Name || r.Alias != "" && name == r.Alias })
}

// names returns every name that is no error: of the table, then those Kafka alone knows.
func names() []string {
	var all []string
	for _, r := range table {
		all = append(all, r.Name)
		if r.Alias != "" {
			all = append(all, r.Alias)
		}
	}
	return append(all, withoutEffect...)
}

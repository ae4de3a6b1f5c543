package config

// logRows are the settings of partition logs. Those that a topic may have too are the defaults of its own, see TopicRow.
//
// The simulator draws sizes and times so small that within a minute logs roll, lose their oldest segments and forget
// producers (rule O4). Only cleanup.policy and the settings in hours and minutes stay out of it.
var logRows = []Row{
	{
		Name: "log.segment.bytes", Rule: atLeast(Int, mib), Default: "1073741824",
		Meaning: "a segment that would grow beyond this is closed first",
	},
	{
		Name: "internal.log.segment.bytes", Rule: atLeast(Int, 1), Default: "",
		Meaning:    "for tests: takes the place of log.segment.bytes, and may be smaller",
		Simulation: []string{"4096", "16384", "65536", "1073741824"},
	},
	{
		Name: "log.roll.ms", Rule: atLeast(Duration, 1), Default: "",
		Meaning:    "a segment that is older, by the times of its records, is closed; not set: log.roll.hours",
		Simulation: []string{"1000", "10000", "604800000"},
	},
	{
		Name: "log.roll.hours", Rule: atLeast(Int, 1), Default: "168",
		Meaning: "the same in hours",
	},
	{
		Name: "log.roll.jitter.ms", Rule: atLeast(Duration, 0), Default: "",
		Meaning:    "up to so much is taken off log.roll.ms, so that not all logs roll at once; not set: log.roll.jitter.hours",
		Simulation: []string{"0", "500"},
	},
	{
		Name: "log.roll.jitter.hours", Rule: atLeast(Int, 0), Default: "0",
		Meaning: "the same in hours",
	},
	{
		Name: "log.index.interval.bytes", Rule: atLeast(Int, 0), Default: "4096",
		Meaning:    "after so many bytes of a log its indexes get another entry",
		Simulation: []string{"0", "1000", "4096"},
	},
	{
		Name: "log.index.size.max.bytes", Rule: atLeast(Int, 4), Default: "10485760",
		Meaning:    "a segment whose index would outgrow this is closed first",
		Simulation: []string{"96", "10485760"},
	},
	{
		Name: "log.cleanup.policy", Rule: listOf("compact", "delete"), Default: "delete",
		Meaning: "delete: old segments are removed; without it they stay (compact removes nothing so far; it asks for a key on every record)",
	},
	{
		Name: "log.retention.ms", Rule: between(Duration, -1<<63, longMax), Default: "",
		Meaning:    "a segment whose newest record is older goes; -1: never; not set: log.retention.minutes",
		Simulation: []string{"3000", "15000", "604800000", "604800000"},
	},
	{
		Name: "log.retention.minutes", Rule: between(Int, -1<<31, intMax), Default: "",
		Meaning: "the same in minutes; not set: log.retention.hours",
	},
	{
		Name: "log.retention.hours", Rule: between(Int, -1<<31, intMax), Default: "168",
		Meaning: "the same in hours",
	},
	{
		Name: "log.retention.bytes", Rule: between(Long, -1<<63, longMax), Default: "-1",
		Meaning:    "the oldest segments of a longer log go; -1: no bound",
		Simulation: []string{"-1", "-1", "32768", "262144"},
	},
	{
		Name: "log.retention.check.interval.ms", Rule: atLeast(Duration, 1), Default: "300000",
		Meaning:    "how often logs are looked through for segments that may go",
		Simulation: []string{"200", "2000", "300000"},
	},
	{
		Name: "log.initial.task.delay.ms", Rule: atLeast(Duration, 0), Default: "30000",
		Meaning: "how long after the start they are first looked through, if the interval is not shorter",
	},
	{
		Name: "log.message.timestamp.type", Rule: oneOf("CreateTime", "LogAppendTime"), Default: "CreateTime",
		Meaning: "whose time records carry: the producer's, or the broker's at the append",
	},
	{
		Name: "log.message.timestamp.before.max.ms", Rule: atLeast(Duration, 0), Default: forever,
		Meaning: "a record with a CreateTime further in the past is refused",
	},
	{
		Name: "log.message.timestamp.after.max.ms", Rule: atLeast(Duration, 0), Default: "3600000",
		Meaning: "a record with a CreateTime further in the future is refused",
	},
	{
		Name: "log.segment.delete.delay.ms", Rule: atLeast(Duration, 0), Default: "60000",
		Meaning:    "how long a removed segment's files stay",
		Simulation: []string{"0", "1000", "60000"},
	},
	{
		Name: "producer.id.expiration.ms", Rule: between(Duration, 1, intMax), Default: "86400000", Dynamic: true,
		Meaning:    "an idempotent producer is forgotten so long after its last record",
		Simulation: []string{"20000", "86400000"},
	},
	{
		Name: "producer.id.expiration.check.interval.ms", Rule: between(Duration, 1, intMax), Default: "600000",
		Meaning:    "how often logs are looked through for such producers",
		Simulation: []string{"1000", "600000"},
	},
	{
		Name: "scrub.bytes.per.second", Rule: atLeast(Long, 0), Default: "10485760",
		Meaning:    "how fast stored bytes are read again in the background to find damage; 0: not at all",
		Simulation: []string{"0", "1048576"},
	},
	{
		Name: "open.files.max", Rule: atLeast(Int, 16), Default: "1024",
		Meaning:    "how many files of logs are open at once",
		Simulation: []string{"16", "1024"},
	},
}

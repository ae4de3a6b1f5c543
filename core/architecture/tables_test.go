package architecture

// module is the import path all of ours starts with.
const module = "barnabas"

// variants are the build tags the rules are checked under. A file of core that none of them compiles fails the test,
// since no rule would have looked at it.
var variants = []string{"", "mutants"}

// floors are the storeys of core. A package imports only lower ones: never its own, never a higher.
// The room "" is the package core itself.
var floors = map[string]int{
	"": 7,

	"api": 6,

	"controller": 5, "group": 5, "txn": 5, "share": 5,

	"coordinator": 4, "quorum": 4,

	"replica": 3,

	"storage": 2, "raft": 2, "metadata": 2, "wire": 2,

	"env": 1, "config": 1, "security": 1, "timeline": 1,

	"assert": 0, "ordered": 0, "task": 0, "record": 0, "protocol": 0, "compress": 0, "metric": 0, "mutant": 0,
}

// inner are packages inside a room. They stand below it: they import what lies under the room's floor, and the room
// alone imports them (tests and fuzz targets may too).
var inner = map[string]string{
	"storage/journal": "the journal has one user, the log directory, and its own exhaustive crash tests",
	"storage/segment": "Kafka's files have one user, the log directory, and are checked against Kafka's own programs",
}

// sameFloor are the imports allowed between packages of one floor, or between inner packages of one room, each for a
// reason. Their number is in testdata/exceptions.txt.
var sameFloor = map[[2]string]string{
	{"record", "assert"}:   "assertions stand below everything",
	{"task", "assert"}:     "assertions stand below everything",
	{"protocol", "assert"}: "assertions stand below everything",
	{"compress", "assert"}: "assertions stand below everything",
}

// outside are packages under core which are no part of the broker, and so are free of core's rules.
var outside = map[string]string{
	"architecture":      "holds only this test",
	"env/envtest":       "the conformance suite of the worlds; only tests import it",
	"protocol/generate": "a program that writes source code",
}

// suite is imported by tests alone, and by the tests of these trees alone.
const suite = "env/envtest"

var suiteUsers = []string{"sim", "net", "disk", "core/env"}

// top are the names at the top of the module, and what of ours each may import. An entry ending in /... means the tree;
// a tree may always import itself. Core's own imports are the business of floors.
var top = map[string][]string{
	"core":            {"core/..."},
	"net":             worldImports,
	"disk":            worldImports,
	"sim":             {"core/...", "linearizability/...", "fuzz/..."},
	"linearizability": {},
	"fuzz":            {"core/...", "sim/...", "linearizability/...", "net/...", "disk/..."},
	"cmd":             {"core/...", "net/...", "disk/...", "sim/...", "linearizability/...", "fuzz/..."},
}

// worldImports is what the real adapters see of the broker: the interfaces they implement and the loop they feed.
var worldImports = []string{"core/env", "core/task", "core/assert", "core/mutant", "core/metric"}

// testsToo are the trees whose tests are held to the same list (plus the suite, for suiteUsers). Other trees' tests may
// import all but cmd.
var testsToo = []string{"net", "disk", "sim", "linearizability"}

// stdlib is what core may import of the standard library: everywhere (nil), or only in the rooms named.
var stdlib = map[string][]string{
	"bytes":           nil,
	"cmp":             nil,
	"encoding/base64": nil,
	"encoding/binary": nil,
	"encoding/hex":    nil,
	"errors":          nil,
	"fmt":             nil,
	"hash/crc32":      nil,
	"io":              nil,
	"maps":            nil, // its iterators only inside slices.Sorted
	"math":            nil,
	"math/bits":       nil,
	"slices":          nil,
	"sort":            nil,
	"strconv":         nil,
	"strings":         nil,
	"time":            nil, // only what names allows
	"unicode/utf8":    nil,

	"iter":          {"task"}, // coroutines are how tasks are made, and nowhere else
	"runtime/debug": {"task"}, // the stack of a panic in a task

	"compress/flate": {"compress"},
	"compress/gzip":  {"compress"},
	"compress/zlib":  {"compress"},
}

// thirdParty are the rooms which may import modules of others.
var thirdParty = []string{"compress"}

// importHints say what to use instead of the imports people reach for. A path stands for the tree below it too.
var importHints = map[string]string{
	"sync":        "core runs on one loop and needs no locks",
	"context":     "a task is stopped by its loop",
	"os":          "take files and settings from core/env",
	"net":         "take connections from core/env",
	"syscall":     "core knows no operating system",
	"math/rand":   "take randomness from core/env, keyed",
	"crypto/rand": "take randomness from core/env, keyed",
	"hash/maphash": "its seed differs from run to run; use hash/crc32 or " +
		"write the hash out",
	"iter":    "only core/task makes coroutines; write the function type out",
	"reflect": "it walks maps in random order and hides what code does",
	"unsafe":  "memory tricks belong outside core",
	"runtime": "only core/task needs the runtime, for a panic's stack",
	"log":     "return the error, or count it in core/metric",
	"testing": "test helpers belong in _test.go files",
}

// names restricts packages by what is used of them: only allow when it is given, else all but deny.
var names = map[string]struct {
	allow, deny []string
	hint        string
}{
	"time": {
		allow: []string{
			"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour",
		},
		hint: "only time.Duration and its constants; ask the Clock of core/env for time, the loop for timers",
	},
	"runtime/debug": {allow: []string{"Stack"}, hint: "only the stack of a panic"},
	"fmt": {
		deny: []string{"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
		hint: "core has no terminal; return the text",
	},
	"io": {deny: []string{"Pipe"}, hint: "it blocks the loop"},
}

// excuseKinds are the rules that can be excused at the spot.
var excuseKinds = []string{"float", "task", "unordered", "variable"}

// taskRoom makes the tasks: it may recover, and hand tasks to closures and deferred calls.
const taskRoom = "task"

// buildTags are the only constraints a file of core may carry: behaviour depends on no machine and no other tag.
var buildTags = []string{"mutants", "!mutants"}

// machineSuffixes would make a file depend on a machine by its name alone.
var machineSuffixes = []string{
	"linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "unix", "js", "wasip1", "android", "ios", "solaris",
	"plan9", "aix", "dragonfly", "illumos",
	"amd64", "arm64", "386", "arm", "riscv64", "wasm", "loong64", "ppc64", "ppc64le", "s390x", "mips", "mipsle",
	"mips64", "mips64le",
}

// linesMax is the wall for a file written by hand.
const linesMax = 800

// emptyNames say nothing of what a package holds.
var emptyNames = []string{
	"util", "utils", "common", "misc", "helper", "helpers", "types", "shared", "base", "lib",
}

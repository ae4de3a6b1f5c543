package architecture

var importViolations = []violation{
	{
		name: "imports all fine",
		text: `import (
	_ "bytes"
	_ "maps"

	_ "barnabas/core/env"
	_ "barnabas/core/storage/journal"
	_ "barnabas/core/task"
)`,
	},
	{
		name: "higher floor",
		text: `import _ "barnabas/core/replica"`,
		want: []string{
			"x.go:2: core/storage (floor 2) imports core/replica (floor 3): a package imports only lower floors",
		},
	},
	{
		name: "same floor",
		text: `import _ "barnabas/core/raft"`,
		want: []string{
			"x.go:2: core/storage imports core/raft: both are on floor 2; move what both need below, or add the pair to " +
				"sameFloor in tables_test.go with a reason",
		},
	},
	{
		name: "same floor, allowed",
		path: "barnabas/core/record",
		text: `import _ "barnabas/core/assert"`,
	},
	{
		name: "core itself from below",
		text: `import _ "barnabas/core"`,
		want: []string{"x.go:2: core/storage (floor 2) imports core (floor 7): a package imports only lower floors"},
	},
	{
		name: "inner package of another room",
		path: "barnabas/core/replica",
		text: `import _ "barnabas/core/storage/journal"`,
		want: []string{
			"x.go:2: core/replica imports core/storage/journal: only core/storage may, an inner package serves its room alone",
		},
	},
	{
		name: "inner package of a room, from another tree",
		path: "barnabas/sim",
		text: `import _ "barnabas/core/storage/journal"`,
		want: []string{
			"x.go:2: sim imports core/storage/journal: only core/storage may, an inner package serves its room alone",
		},
	},
	{
		name: "inner package imports its room",
		path: "barnabas/core/storage/journal",
		text: `import _ "barnabas/core/storage"`,
		want: []string{
			"x.go:2: core/storage/journal imports core/storage: both are on floor 2; move what both need below, or add the " +
				"pair to sameFloor in tables_test.go with a reason",
		},
	},
	{
		name: "inner packages of one room",
		path: "barnabas/core/storage/journal",
		text: `import _ "barnabas/core/storage/segment"`,
		want: []string{
			"x.go:2: core/storage/journal imports core/storage/segment: inner packages of a room do not import each other; " +
				"move what both need below, or add the pair to sameFloor in tables_test.go",
		},
	},
	{
		name: "no floor",
		path: "barnabas/core/attic",
		want: []string{".: core/attic has no floor: give it one in floors in tables_test.go"},
	},
	{
		name: "inner package without a row",
		path: "barnabas/core/storage/attic",
		want: []string{
			".: core/storage/attic is not in the table of inner packages: add it to inner in " +
				"tables_test.go, and say why core/storage needs it",
		},
	},
	{
		name: "part of core that is not the broker",
		text: `import _ "barnabas/core/architecture"`,
		want: []string{
			"x.go:2: core/storage imports core/architecture, which is no part of the broker: holds only this test",
		},
	},
	{
		name: "core imports a world",
		text: `import _ "barnabas/net"`,
		want: []string{"x.go:2: core/storage imports net: of ours, core imports only core/..."},
	},
	{
		name: "standard library, not listed",
		text: `import (
	_ "context"
	_ "crypto/rand"
	_ "encoding/json"
	_ "hash/maphash"
	_ "math/rand/v2"
	_ "net/netip"
	_ "os"
	_ "reflect"
	_ "sync"
	_ "sync/atomic"
	_ "unsafe"
)`,
		want: []string{
			"x.go:3: core/storage imports context: a task is stopped by its loop",
			"x.go:4: core/storage imports crypto/rand: take randomness from core/env, keyed",
			"x.go:5: core/storage imports encoding/json: core may not; if it is pure and the same on every machine, add it to stdlib in tables_test.go",
			"x.go:6: core/storage imports hash/maphash: its seed differs from run to run; use hash/crc32 or write the hash out",
			"x.go:7: core/storage imports math/rand/v2: take randomness from core/env, keyed",
			"x.go:8: core/storage imports net/netip: take connections from core/env",
			"x.go:9: core/storage imports os: take files and settings from core/env",
			"x.go:10: core/storage imports reflect: it walks maps in random order and hides what code does",
			"x.go:11: core/storage imports sync: core runs on one loop and needs no locks",
			"x.go:12: core/storage imports sync/atomic: core runs on one loop and needs no locks",
			"x.go:13: core/storage imports unsafe: memory tricks belong outside core",
		},
	},
	{
		name: "standard library, in one room only",
		text: `import (
	_ "compress/gzip"
	_ "iter"
	_ "runtime/debug"
)`,
		want: []string{
			"x.go:3: core/storage imports compress/gzip: of core, only core/compress may",
			"x.go:4: core/storage imports iter: only core/task makes coroutines; write the function type out",
			"x.go:5: core/storage imports runtime/debug: only core/task needs the runtime, for a panic's stack",
		},
	},
	{
		name: "standard library, in its room",
		path: "barnabas/core/task",
		text: `import (
	_ "iter"
	_ "runtime/debug"
)`,
	},
	{
		name: "another module",
		text: `import _ "github.com/klauspost/compress/zstd"`,
		want: []string{
			"x.go:2: core/storage imports github.com/klauspost/compress/zstd: of core, only core/compress imports other modules",
		},
	},
	{
		name: "another module, in its room",
		path: "barnabas/core/compress",
		text: `import _ "github.com/klauspost/compress/zstd"`,
	},
	{
		name: "a world imports the broker",
		path: "barnabas/net/host",
		text: `import (
	_ "barnabas/core/env"
	_ "barnabas/core/storage"
	_ "barnabas/net"
)`,
		want: []string{
			"x.go:4: net/host imports core/storage: of ours, net imports only core/env, core/task, core/assert, core/mutant, core/metric",
		},
	},
	{
		name: "a world imports the other",
		path: "barnabas/disk",
		text: `import _ "barnabas/net"`,
		want: []string{
			"x.go:2: disk imports net: of ours, disk imports only core/env, core/task, core/assert, core/mutant, core/metric",
		},
	},
	{
		name: "the simulator imports a world",
		path: "barnabas/sim",
		text: `import (
	_ "barnabas/core"
	_ "barnabas/disk"
	_ "barnabas/net/host"
)`,
		want: []string{
			"x.go:4: sim imports disk: of ours, sim imports only core/..., linearizability/..., fuzz/...",
			"x.go:5: sim imports net/host: of ours, sim imports only core/..., linearizability/..., fuzz/...",
		},
	},
	{
		name:  "the simulator's tests import a world",
		path:  "barnabas/sim",
		tests: true,
		text:  `import _ "barnabas/disk"`,
		want: []string{
			"x.go:2: sim imports disk: of ours, sim imports only core/..., linearizability/..., fuzz/...",
		},
	},
	{
		name: "the judge imports the judged",
		path: "barnabas/linearizability",
		text: `import _ "barnabas/core/record"`,
		want: []string{
			"x.go:2: linearizability imports core/record: linearizability imports nothing of ours",
		},
	},
	{
		name: "someone imports a command",
		path: "barnabas/sim",
		text: `import _ "barnabas/cmd/barnabas"`,
		want: []string{
			"x.go:2: sim imports cmd/barnabas: nothing imports a command",
		},
	},
	{
		name:  "a test imports a command",
		path:  "barnabas/core/storage",
		tests: true,
		text:  `import _ "barnabas/cmd/barnabas"`,
		want: []string{
			"x.go:2: core/storage imports cmd/barnabas: nothing imports a command",
		},
	},
	{
		name: "a command imports everything",
		path: "barnabas/cmd/barnabas",
		text: `import (
	_ "os"

	_ "barnabas/core"
	_ "barnabas/net/host"
	_ "barnabas/sim"
)`,
	},
	{
		name: "the suite outside of tests",
		path: "barnabas/disk",
		text: `import _ "barnabas/core/env/envtest"`,
		want: []string{
			"x.go:2: disk imports core/env/envtest: only tests of sim, net, disk, core/env may",
		},
	},
	{
		name:  "the suite in a world's test",
		path:  "barnabas/disk",
		tests: true,
		text:  `import _ "barnabas/core/env/envtest"`,
	},
	{
		name:  "the suite in another test",
		path:  "barnabas/core/storage",
		tests: true,
		text:  `import _ "barnabas/core/env/envtest"`,
		want: []string{
			"x.go:2: core/storage imports core/env/envtest: only tests of sim, net, disk, core/env may",
		},
	},
	{
		name: "the generator is no part of the broker",
		path: "barnabas/core/protocol/generate",
		text: `import _ "os"
func init() { go println() }`,
	},
	{
		name: "fuzz targets reach inner packages",
		path: "barnabas/fuzz",
		text: `import _ "barnabas/core/storage/journal"`,
	},
	{
		name: "a new top-level name",
		path: "barnabas/attic",
		want: []string{
			".: barnabas/attic is not one of the module's top-level names; add it to top in tables_test.go if it must be",
		},
	},
}

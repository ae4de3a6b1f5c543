package simdisk

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	OpOpen Kind = iota
	OpList
	OpMakeFolder
	OpRename
	OpRemove
	OpSyncDir
	OpLock
	OpSize
	OpReadAt
	OpWriteAt
	OpWriteSync
	OpTruncate
	OpSync
)

func (k Kind) String() string {
	return [...]string{
		"open", "list", "make folder", "rename", "remove", "sync folder", "lock",
		"size", "read", "write", "direct write", "truncate", "sync",
	}[k]
}

// Kinds is a set of kinds. The empty one stands for all.
type Kinds uint16

// The sets that belong together.
const (
	// Syncs say that something is durable.
	Syncs = 1<<OpSync | 1<<OpSyncDir | 1<<OpWriteSync
	// Changes are what a read-only file system refuses. Open is among them, because files are opened for writing.
	Changes = Syncs | 1<<OpOpen | 1<<OpMakeFolder | 1<<OpRename | 1<<OpRemove | 1<<OpLock | 1<<OpWriteAt | 1<<OpTruncate
	// Descriptors are what a process without a free descriptor cannot do.
	Descriptors = 1<<OpOpen | 1<<OpList | 1<<OpSyncDir | 1<<OpLock
)

// Of returns the set of some kinds.
func Of(all ...Kind) (s Kinds) {
	for _, k := range all {
		s |= 1 << k
	}
	return s
}

// Has says whether the set holds the kind.
func (s Kinds) Has(k Kind) bool { return s == 0 || s>>k&1 == 1 }

// within says whether all kinds of the set are in another one.
func (s Kinds) within(other Kinds) bool { return s != 0 && s&^other == 0 }

package storage

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"barnabas/core/env"
	"barnabas/core/storage/journal"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// Identity is what a log directory's meta.properties says.
type Identity struct {
	ClusterID string
	NodeID    int32
	Directory [16]byte
}

const (
	identityFile = segment.MetaPropertiesFile
	// While we own a directory the version is 2, which Apache Kafka refuses: our last writes are in the journal, and it
	// would not see them (rule K1).
	ownVersion = 2
	// Kafka's version: it owns the directory, or we left it complete.
	sharedVersion = 1
	identityMax   = 64 << 10
)

var uuidText = base64.RawURLEncoding

// openIdentity reads the directory's identity and its version, or finds one for a directory that is none yet. That one is
// written when all else is there (see Open), so a directory with an identity has a journal.
func openIdentity(t *task.Task, e env.Env, o Options) (id Identity, version int, fresh bool, err error) {
	name := o.Folder + "/" + identityFile
	p, err := readFile(t, e.Disk, name, identityMax)
	if errors.Is(err, env.ErrNotExist) {
		id, err := newIdentity(t, e, o)
		return id, ownVersion, true, err
	}
	if err != nil {
		return Identity{}, 0, false, err
	}
	id, version, err = parseIdentity(p)
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", name, err)
	case id.NodeID != o.NodeID:
		err = fmt.Errorf("%s: the folder is node %d's, this is node %d: set node.id, or give another folder", name, id.NodeID, o.NodeID)
	case o.ClusterID != "" && id.ClusterID != o.ClusterID:
		err = fmt.Errorf("%s: the folder belongs to cluster %s, not %s", name, id.ClusterID, o.ClusterID)
	}
	return id, version, false, err
}

// readFile reads a small file. Errors: the disk's; a file larger than most.
func readFile(t *task.Task, disk env.Disk, name string, most int64) ([]byte, error) {
	file, err := disk.Open(name, env.OpenExisting).Wait(t)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size().Wait(t)
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, fmt.Errorf("%s: %w: %d bytes", name, errTooLarge, size)
	}
	p := make([]byte, size)
	n, err := file.ReadAt(p, 0).Wait(t)
	return p[:n], err
}

func parseIdentity(p []byte) (Identity, int, error) {
	m, err := segment.DecodeMetaProperties(p)
	switch {
	case errors.Is(err, segment.ErrVersion):
		return Identity{}, 0, errors.New("the folder was written by Apache Kafka with ZooKeeper, which is not read here: upgrade it to Kafka 4 first")
	case err != nil:
		return Identity{}, 0, err
	case m.Version > ownVersion:
		return Identity{}, 0, fmt.Errorf("version %d is not known here: start a newer version on this folder", m.Version)
	case m.Directory == [16]byte{}:
		return Identity{}, 0, errors.New("it has no directory.id, so Apache Kafka wrote it before version 3.7: start Kafka 4 on the folder once")
	}
	return Identity{ClusterID: m.ClusterID, NodeID: m.NodeID, Directory: m.Directory}, m.Version, nil
}

// newIdentity makes an identity up. What a first start left that was cut off before it had written one is removed. Errors: there
// is a journal with something in it.
func newIdentity(t *task.Task, e env.Env, o Options) (Identity, error) {
	names, err := e.Disk.List(o.Folder).Wait(t)
	if err != nil {
		return Identity{}, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, "journal-") })
	if len(names) > 0 {
		blank, err := journal.Blank(t, e.Disk, o.Folder, names)
		if err != nil {
			return Identity{}, err
		}
		if !blank {
			return Identity{}, fmt.Errorf("%s holds a journal and no %s: files were removed from the folder", o.Folder, identityFile)
		}
	}
	for _, name := range names {
		if _, err := e.Disk.Remove(o.Folder + "/" + name).Wait(t); err != nil {
			return Identity{}, err
		}
	}
	id := Identity{ClusterID: o.ClusterID, NodeID: o.NodeID, Directory: e.Random.UUID(env.StreamDirectoryID)}
	if id.ClusterID == "" {
		cluster := e.Random.UUID(env.StreamClusterID)
		id.ClusterID = uuidText.EncodeToString(cluster[:])
	}
	return id, nil
}

// writeIdentity has meta.properties say who owns the directory, durably.
func writeIdentity(t *task.Task, e env.Env, folder string, id Identity, version int) error {
	text := segment.EncodeMetaProperties(segment.MetaProperties{
		Version: version, ClusterID: id.ClusterID, NodeID: id.NodeID, Directory: id.Directory,
	})
	err := replaceIdentity(t, e, folder, text)
	if errors.Is(err, env.ErrNoSpace) {
		// A start on a full disk must not need room: the two versions differ in one byte. A first start does.
		if again := overwriteIdentity(t, e, folder, text); !errors.Is(again, env.ErrNotExist) {
			return again
		}
	}
	return err
}

// overwriteIdentity writes over a file of the same length.
func overwriteIdentity(t *task.Task, e env.Env, folder string, text []byte) error {
	file, err := e.Disk.Open(folder+"/"+identityFile, env.OpenExisting).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := file.Size().Wait(t)
	if err == nil && size != int64(len(text)) {
		err = fmt.Errorf("%s/%s: %w for another one", folder, identityFile, env.ErrNoSpace)
	}
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(text, 0).Wait(t); err != nil {
		return err
	}
	_, err = file.Sync().Wait(t)
	return err
}

// replaceIdentity writes the file anew and puts it in the place of the old one.
func replaceIdentity(t *task.Task, e env.Env, folder string, text []byte) error {
	name := folder + "/" + identityFile
	file, err := e.Disk.Open(name+".tmp", env.OpenCreate).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Truncate(0).Wait(t); err != nil {
		return err
	}
	if _, err := file.WriteAt(text, 0).Wait(t); err != nil {
		return err
	}
	if _, err := file.Sync().Wait(t); err != nil {
		return err
	}
	if _, err := e.Disk.Rename(name+".tmp", name).Wait(t); err != nil {
		return err
	}
	_, err = e.Disk.SyncDir(folder).Wait(t)
	return err
}

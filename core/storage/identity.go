package storage

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Identity is what a log directory's meta.properties says.
type Identity struct {
	ClusterID string
	NodeID    int32
	Directory [16]byte
}

const (
	identityFile = "meta.properties"
	// While we own a directory the version is 2, which Apache Kafka refuses: our last writes are in the journal, and it
	// would not see them (rule K1).
	identityVersion = "2"
	identityMax     = 64 << 10
)

var uuidText = base64.RawURLEncoding

// openIdentity reads the directory's identity, or gives it one and makes that durable before anything else is written.
func openIdentity(t *task.Task, e env.Env, o Options) (Identity, error) {
	name := o.Folder + "/" + identityFile
	file, err := e.Disk.Open(name, env.OpenExisting).Wait(t)
	if errors.Is(err, env.ErrNotExist) {
		return makeIdentity(t, e, o)
	}
	if err != nil {
		return Identity{}, err
	}
	defer file.Close()
	size, err := file.Size().Wait(t)
	if err != nil {
		return Identity{}, err
	}
	p := make([]byte, min(size, identityMax))
	n, err := file.ReadAt(p, 0).Wait(t)
	if err != nil {
		return Identity{}, err
	}
	id, err := parseIdentity(string(p[:n]))
	if err != nil {
		return id, fmt.Errorf("%s: %w", name, err)
	}
	if id.NodeID != o.NodeID {
		return id, fmt.Errorf("%s: the folder is node %d's, this is node %d: set node.id, or give another folder", name, id.NodeID, o.NodeID)
	}
	if o.ClusterID != "" && id.ClusterID != o.ClusterID {
		return id, fmt.Errorf("%s: the folder belongs to cluster %s, not %s", name, id.ClusterID, o.ClusterID)
	}
	return id, nil
}

func parseIdentity(text string) (Identity, error) {
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return Identity{}, fmt.Errorf("line %q has no '='", line)
		}
		values[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	switch v := values["version"]; v {
	case identityVersion:
	case "0", "1":
		return Identity{}, errors.New("the folder was written by Apache Kafka, which this version does not open yet: give an empty folder")
	default:
		return Identity{}, fmt.Errorf("version %q is not known here: start a newer version on this folder", v)
	}
	node, err := strconv.ParseInt(values["node.id"], 10, 32)
	if err != nil {
		return Identity{}, fmt.Errorf("node.id %q is no number", values["node.id"])
	}
	directory, err := uuidText.DecodeString(values["directory.id"])
	if err != nil || len(directory) != 16 {
		return Identity{}, fmt.Errorf("directory.id %q is no id", values["directory.id"])
	}
	return Identity{ClusterID: values["cluster.id"], NodeID: int32(node), Directory: [16]byte(directory)}, nil
}

func makeIdentity(t *task.Task, e env.Env, o Options) (Identity, error) {
	names, err := e.Disk.List(o.Folder).Wait(t)
	if err != nil {
		return Identity{}, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "journal-") {
			return Identity{}, fmt.Errorf("%s holds a journal and no %s: files were removed from the folder", o.Folder, identityFile)
		}
	}
	id := Identity{ClusterID: o.ClusterID, NodeID: o.NodeID, Directory: e.Random.UUID(env.StreamDirectoryID)}
	if id.ClusterID == "" {
		cluster := e.Random.UUID(env.StreamClusterID)
		id.ClusterID = uuidText.EncodeToString(cluster[:])
	}
	text := fmt.Sprintf("version=%s\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n",
		identityVersion, id.ClusterID, id.NodeID, uuidText.EncodeToString(id.Directory[:]))
	name := o.Folder + "/" + identityFile
	file, err := e.Disk.Open(name+".tmp", env.OpenCreate).Wait(t)
	if err != nil {
		return id, err
	}
	defer file.Close()
	if _, err := file.Truncate(0).Wait(t); err != nil {
		return id, err
	}
	if _, err := file.WriteAt([]byte(text), 0).Wait(t); err != nil {
		return id, err
	}
	if _, err := file.Sync().Wait(t); err != nil {
		return id, err
	}
	if _, err := e.Disk.Rename(name+".tmp", name).Wait(t); err != nil {
		return id, err
	}
	_, err = e.Disk.SyncDir(o.Folder).Wait(t)
	return id, err
}

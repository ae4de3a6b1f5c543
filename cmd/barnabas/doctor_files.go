package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"barnabas/core/storage"
)

// look looks at one file of the folder as dump-log does, and returns its items of a kind.
func (d *doctor) look(name, kind string) ([]storage.Item, error) {
	file, err := openInspected(filepath.Join(d.folder, name))
	if err != nil {
		return nil, err
	}
	defer file.close()
	var items []storage.Item
	_, err = storage.Inspect(file.InspectedFile, storage.InspectOptions{}, func(i storage.Item) error {
		if i.Kind == kind {
			items = append(items, i)
		}
		return nil
	})
	return items, err
}

// value returns the value of an item's field, or nil.
func value(i storage.Item, name string) any {
	for _, f := range i.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

const propertiesFile = "meta.properties"

// identity returns the number of the node that the folder is.
func (d *doctor) identity() (any, error) {
	items, err := d.look(propertiesFile, "properties")
	if err != nil || len(items) == 0 || items[0].Wrong != "" {
		return nil, errors.Join(errors.New("the folder says no node"), err)
	}
	return value(items[0], "node"), nil
}

// properties says whose folder it is.
func (d *doctor) properties() error {
	items, err := d.look(propertiesFile, "properties")
	if errors.Is(err, fs.ErrNotExist) {
		d.tell("identity", "", field("is", "none: no broker was started on this folder"))
		return nil
	}
	if err != nil {
		return err
	}
	for _, i := range items {
		d.tell("identity", i.Wrong, i.Fields...)
	}
	return nil
}

// checkpoints says of both checkpoints of the journal whether they are whole. One that is not is no damage: a crash may have
// cut it off.
func (d *doctor) checkpoints() error {
	newest := uint64(0)
	var numbers [2]uint64
	var is [2]string
	for which, name := range checkpointNames {
		p, err := d.look(name, "header")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			is[which] = "not there"
		case errors.Is(err, fs.ErrPermission):
			return err
		case err != nil:
			is[which] = "not readable (" + err.Error() + ")"
			d.tell("checkpoint", err.Error(), field("name", name))
		case len(p) == 0:
			is[which] = "empty"
		case p[0].Wrong != "":
			is[which] = "not whole (" + p[0].Wrong + ")"
		default:
			numbers[which], _ = value(p[0], "number").(uint64)
			newest, is[which] = max(newest, numbers[which]), "whole"
		}
	}
	for which, name := range checkpointNames {
		fields := []storage.Field{field("name", name), field("is", is[which])}
		if is[which] == "whole" {
			fields = append(fields, field("number", numbers[which]), field("newest", numbers[which] == newest))
		}
		d.tell("checkpoint", "", fields...)
	}
	return nil
}

var checkpointNames = [2]string{"journal-0.checkpoint", "journal-1.checkpoint"}

// expected is what belongs into the folder: names below it, with why.
type expected map[string]bool

// segments compares the files of a log's segments with what they must be.
func (d *doctor) segments(l *storage.LogReport, known expected) (missing int) {
	for _, s := range l.Segments {
		name := l.Name + "/" + s.Name
		known[name] = true
		for _, derived := range s.Derived {
			known[l.Name+"/"+derived] = true
		}
		if s.Filled == 0 {
			continue
		}
		fields := []storage.Field{field("file", name), field("base", s.Base), field("last", s.End-1)}
		info, err := os.Stat(filepath.Join(d.folder, name))
		switch {
		case err != nil:
			missing++
			d.tell("segment", fmt.Sprintf("the file can't be found (%v)", err), fields...)
		case info.Size() < int64(s.Filled):
			missing++
			d.tell("segment", fmt.Sprintf("the file has %d bytes, %d must be there", info.Size(), s.Filled), fields...)
		case s.Sealed && info.Size() != int64(s.Bytes):
			missing++
			d.tell("segment", fmt.Sprintf("the file has %d bytes, it was closed with %d", info.Size(), s.Bytes), fields...)
		}
	}
	return missing
}

// strangers tells files and folders that belong to nothing the journal knows. They are in nobody's way.
func (d *doctor) strangers(known expected) error {
	return filepath.WalkDir(d.folder, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(d.folder, at)
		if err != nil || name == "." {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case strings.HasPrefix(name, "quarantine-commit-"):
			d.tell("quarantine", "", field("file", name), field("is", "a copy of a commit that was found damaged; it is yours to remove"))
		case known.has(name):
		case entry.IsDir():
			d.tell("stranger", "", field("folder", name))
			return fs.SkipDir
		default:
			d.tell("stranger", "", field("file", name))
		}
		return nil
	})
}

// small are the files that stand beside segments, or at the top of a folder that Apache Kafka may open too.
var small = []string{
	"partition.metadata", "leader-epoch-checkpoint", "quorum-state", "recovery-point-offset-checkpoint",
	"log-start-offset-checkpoint", "replication-offset-checkpoint", ".kafka_cleanshutdown", propertiesFile, propertiesFile + ".tmp",
}

// has says whether the name belongs into the folder.
func (k expected) has(name string) bool {
	base, parent := path.Base(name), path.Dir(name)
	switch {
	case k[name], k[parent+"/*"]:
		return true
	case parent == ".":
		return base == ".lock" || strings.HasPrefix(base, "journal-") || slices.Contains(small, base)
	}
	return k[parent] && (slices.Contains(small, base) || strings.HasSuffix(base, ".snapshot"))
}

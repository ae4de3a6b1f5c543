package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"barnabas/core/storage"
)

const dumpLogHelp = `A FILE is any file of a log directory, of ours or of Apache Kafka's: a segment or checkpoint of the journal, a .log, .index,
.timeindex or .snapshot of a partition, leader-epoch-checkpoint, partition.metadata, meta.properties, quorum-state and so on.
It tells them by name, or by their first bytes. Files are opened for reading only, and nothing is changed.

Every checksum is compared. Behind damage it goes on at the next thing that is whole. A file is judged alone, with what lies
beside it in its folder: the end of the newest .log may be unfinished after a crash, and that is no loss, since the journal
still has it; barnabas doctor knows.

With --output json there is one object a line.

Exit codes: 0 done, 1 a file could not be read or is none of a log directory, 2 wrong usage, 6 damage was found.
`

// dumpFlags are what barnabas dump-log is given.
type dumpFlags struct {
	storage.InspectOptions
	output string
}

func prepareDumpLog(p *program, flags *pflag.FlagSet) func() int {
	var f dumpFlags
	flags.BoolVar(&f.Entries, "entries", false, "show the entries of the journal's commits")
	flags.BoolVar(&f.Records, "records", false, "show the records of uncompressed batches, those of the metadata log decoded")
	flags.StringVar(&f.output, "output", "table", "table or json")
	return func() int {
		if err := oneOf("output", f.output, "table", "json"); err != nil {
			return p.misused(dumpLogPath, err)
		}
		if flags.NArg() == 0 {
			return p.misused(dumpLogPath, usagef("no FILE is given; name the files to look at"))
		}
		return p.dumpLog(f, flags.Args())
	}
}

const dumpLogPath = "barnabas dump-log"

// dumpLog looks at each file, also after one that can't be read.
func (p *program) dumpLog(f dumpFlags, paths []string) int {
	code := exitDone
	for _, path := range paths {
		found, err := p.dumpFile(f, path)
		var unwritable errOutput
		switch {
		case errors.As(err, &unwritable):
			return p.failed("barnabas", unwritable.cause)
		case err != nil:
			p.failed(dumpLogPath, fmt.Errorf("%s: %w", path, err))
			code = max(code, exitFailed)
		}
		if found.Damaged > 0 {
			p.say("%s: %s: DAMAGED in %d places", dumpLogPath, path, found.Damaged)
			code = exitViolation
		}
	}
	return code
}

// errOutput is an error of stdout.
type errOutput struct{ cause error }

func (e errOutput) Error() string { return e.cause.Error() }

func (p *program) dumpFile(f dumpFlags, path string) (found storage.Inspected, err error) {
	file, err := openInspected(path)
	if err != nil {
		return found, err
	}
	defer file.close()
	out := bufio.NewWriter(p.stdout)
	show := showItem
	if f.output == "json" {
		show = showItemJSON
	}
	_ = show(out, storage.Item{Kind: "file", Fields: []storage.Field{{Name: "path", Value: path}, {Name: "bytes", Value: file.Size}}})
	found, err = storage.Inspect(file.InspectedFile, f.InspectOptions, func(i storage.Item) error {
		if err := show(out, i); err != nil {
			return errOutput{err}
		}
		return nil
	})
	if err == nil {
		_ = show(out, storage.Item{Kind: "end", Fields: []storage.Field{{Name: "is", Value: found.What}, {Name: "damaged", Value: found.Damaged}}})
	}
	if failed := out.Flush(); failed != nil {
		return found, errOutput{failed}
	}
	return found, err
}

// inspectedFile is a file that is open for reading, and those beside it that were opened too.
type inspectedFile struct {
	storage.InspectedFile
	open []*os.File
}

func openInspected(path string) (*inspectedFile, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &inspectedFile{}
	f.Name, f.Folder = filepath.Base(absolute), filepath.Base(filepath.Dir(absolute))
	f.Bytes, f.Size, err = f.take(absolute)
	f.Beside = func(name string) (io.ReaderAt, int64, error) {
		return f.take(filepath.Join(filepath.Dir(absolute), name))
	}
	return f, err
}

func (f *inspectedFile) take(path string) (io.ReaderAt, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no plain file; name the files in it")
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	f.open = append(f.open, file)
	return file, info.Size(), nil
}

func (f *inspectedFile) close() {
	for _, file := range f.open {
		_ = file.Close()
	}
}

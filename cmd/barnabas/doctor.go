package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"barnabas/core"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/disk"
	"barnabas/net/host"
)

const doctorHelp = `It looks at a data folder while no broker runs on it: it runs the start's own recovery on it, with everything that would be
written kept in memory, and says what came out. Nothing in the folder is changed.

Every commit of the journal that a start would redo is checked, and that the files of partitions are there and long enough.
With --deep every batch in them is checked too, which reads them whole.

The last line is the verdict: what a start would do. With --output json there is one object a line.

Exit codes: 0 a start would go well, 1 the folder could not be looked at, 2 wrong usage, 6 something is damaged, or a start
would be refused.
`

// doctorFlags are what barnabas doctor is given.
type doctorFlags struct {
	data   string
	output string
	deep   bool
}

const doctorPath = "barnabas doctor"

func prepareDoctor(p *program, flags *pflag.FlagSet) func() int {
	var f doctorFlags
	flags.StringVar(&f.data, "data", config.DefaultFolder, "the data `folder`")
	flags.BoolVar(&f.deep, "deep", false, "check every batch in the files of partitions")
	flags.StringVar(&f.output, "output", "table", "table or json")
	return func() int {
		if err := oneOf("output", f.output, "table", "json"); err != nil {
			return p.misused(doctorPath, err)
		}
		return p.doctor(f)
	}
}

func (p *program) doctor(f doctorFlags) int {
	d := &doctor{folder: f.data, deep: f.deep}
	if err := d.examine(); err != nil {
		return p.failed(doctorPath, err)
	}
	show := showItem
	if f.output == "json" {
		show = showItemJSON
	}
	var text strings.Builder
	for _, i := range d.items {
		_ = show(&text, i)
	}
	switch code := p.print(text.String()); {
	case code != exitDone:
		return code
	case d.wrong > 0:
		return exitViolation
	}
	return exitDone
}

// doctor is one folder being looked at.
type doctor struct {
	folder string
	deep   bool
	items  []storage.Item
	wrong  int // how many items are damaged
}

// tell notes something to say. wrong is "" or what is damaged.
func (d *doctor) tell(kind, wrong string, fields ...storage.Field) {
	if wrong != "" {
		d.wrong++
	}
	d.items = append(d.items, storage.Item{Kind: kind, Wrong: wrong, Fields: fields})
}

// field makes one of a name and a value.
func field(name string, value any) storage.Field { return storage.Field{Name: name, Value: value} }

// examine looks at everything. Errors: the folder can't be looked at.
func (d *doctor) examine() error {
	info, err := os.Stat(d.folder)
	if err != nil {
		return fmt.Errorf("%w: name the data folder with --data", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder: name the data folder with --data", d.folder)
	}
	seen, err := disk.Look(d.folder)
	if err != nil {
		return err
	}
	d.place(seen)
	if seen.Locked != nil {
		d.tell("lock", seen.Locked.Error(), field("is", "held"))
		d.verdict("be refused: " + seen.Locked.Error() + "; stop it, then look again: what is in the folder changes meanwhile")
		return nil
	}
	d.tell("lock", "", field("is", "free"))
	if err := d.properties(); err != nil {
		return err
	}
	if err := d.checkpoints(); err != nil {
		return err
	}
	found, err := d.recover()
	switch {
	case errors.Is(err, fs.ErrPermission):
		return err
	case err != nil:
		d.tell("recovery", err.Error())
		d.verdict("be refused: " + err.Error())
		return nil
	}
	return d.report(found)
}

// place says what the folder is on.
func (d *doctor) place(seen disk.Seen) {
	promise := "what is synced survives a power loss"
	if !seen.Durable {
		promise = "nothing survives a power loss, since it is in memory"
	}
	d.tell("folder", "", field("path", d.folder), field("file system", seen.FileSystem), field("free bytes", seen.FreeBytes),
		field("promise", promise))
}

// verdict is the last line.
func (d *doctor) verdict(would string) {
	d.items = append(d.items, storage.Item{Kind: "verdict", Fields: []storage.Field{field("a start would:", would)}})
}

// recovered is what the start's own recovery made of the folder.
type recovered struct {
	*storage.Directory
	report          storage.Report
	said            []string // to the operator
	batches, bytes  int64    // that are good, when all were read
	ofBatches       error    // why they could not all be read
	segmentsMissing int
}

// errLooked ends the host when all is done.
var errLooked = errors.New("looked")

// recover runs the start's recovery on the folder, in memory. Errors: why a start would be refused.
func (d *doctor) recover() (*recovered, error) {
	pairs := []config.Pair{flagPair("--data", "log.dirs", d.folder)}
	if m, err := d.identity(); err == nil {
		pairs = append(pairs, flagPair("--data", "node.id", fmt.Sprint(m)))
	}
	settings, _, err := config.Parse(pairs)
	if err != nil {
		return nil, err
	}
	found := &recovered{}
	h := host.New(host.Options{Say: func(line string) { found.said = append(found.said, line) }})
	e := h.Env(newOverlay(h), nil)
	var opened error
	h.Loop().Go("doctor", func(t *task.Task) {
		opened = d.open(t, e, core.StorageOptions(core.Options{Settings: settings, Folder: d.folder}), found)
		h.Fail(errLooked)
	})
	if err := h.Run(nil); !errors.Is(err, errLooked) {
		return nil, err
	}
	return found, opened
}

func (d *doctor) open(t *task.Task, e env.Env, o storage.Options, found *recovered) (err error) {
	if found.Directory, err = storage.Open(t, e, o); err != nil {
		return err
	}
	if d.deep {
		found.batches, found.bytes, found.ofBatches = found.Examine(t)
	}
	found.report = found.Report()
	return nil
}

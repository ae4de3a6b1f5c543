package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"barnabas/core/config"
	"barnabas/core/env"
)

const startHelp = `A setting comes from, in rising order of precedence: the table (barnabas help settings), the file given
with --config (key=value lines, as Kafka's server.properties), the environment (BARNABAS_NUM_PARTITIONS is
num.partitions), --set, and the flags that are named after what they set.

Exit codes: 0 after SIGINT or SIGTERM, 1 could not start or go on, 2 wrong usage or an unknown setting.
`

// startFlags are what barnabas start is given.
type startFlags struct {
	listen []string
	data   string
	ready  string
	config string
	set    []string

	metrics, logFormat string
}

func prepareStart(p *program, flags *pflag.FlagSet) func() int {
	var f startFlags
	f.declareSettings(flags)
	flags.StringVar(&f.ready, "ready-file", "",
		"`file` to write when the broker takes records: one HOST:PORT a line; what stands there at the start is removed")
	return func() int { return p.start(f) }
}

// declareSettings declares the flags that give settings.
func (f *startFlags) declareSettings(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.listen, "listen", nil,
		"`HOST:PORT` to take connections at, may be repeated; port 0 takes a free one (default localhost:9092)")
	flags.StringVar(&f.data, "data", "", "the data `folder` (default "+config.DefaultFolder+" in the current folder)")
	flags.StringVar(&f.metrics, "metrics-listen", "", "`HOST:PORT` for /metrics, /livez and /readyz over HTTP (default: nowhere)")
	flags.StringVar(&f.logFormat, "log-format", "", "`FORMAT` of what is written to stderr: text or json (default text)")
	flags.StringVar(&f.config, "config", "", "properties `file` of settings")
	flags.StringArrayVar(&f.set, "set", nil, "a setting as `key=value`, may be repeated")
}

const startPath = "barnabas start"

func (p *program) start(f startFlags) int {
	begun := time.Now()
	settings, warnings, code := p.settings(startPath, f)
	if settings == nil {
		return code
	}
	log := p.logbook(settings)
	for _, w := range warnings {
		log.warn(string(w))
	}
	if err := removeReady(f.ready); err != nil {
		return log.failed(startPath, err)
	}
	info, _ := debug.ReadBuildInfo()
	log.say(version(info, p.mutants))
	if err := p.mutate(); err != nil {
		return p.misused(startPath, err)
	}
	stopped, release := p.stop()
	defer release()
	err := p.serve(site{
		settings: settings, version: version(info, p.mutants), say: log.say,
		ready: func(s started) error { return announce(log, s, settings, f.ready, time.Since(begun)) },
	}, stopped)
	if err != nil {
		return log.failed(startPath, explain(err, settings))
	}
	log.say("stopped")
	return exitDone
}

// pairs collects the settings from everywhere, in rising order of precedence.
func (f startFlags) pairs(environ []string) ([]config.Pair, error) {
	var pairs []config.Pair
	if f.config != "" {
		text, err := os.ReadFile(f.config)
		if err != nil {
			return nil, fmt.Errorf("could not read the settings: %w", err)
		}
		if pairs, err = config.Properties(f.config, string(text)); err != nil {
			return nil, errUsage{err.Error()}
		}
	}
	pairs = append(pairs, config.Environment(environ)...)
	for _, text := range f.set {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usagef("--set %q is no setting; write key=value", text)
		}
		pairs = append(pairs, flagPair("--set", strings.TrimSpace(name), value))
	}
	if len(f.listen) > 0 {
		var listeners []string
		for _, address := range f.listen {
			if err := config.CheckAddress(address); err != nil {
				return nil, usagef("--listen: %v", err)
			}
			listeners = append(listeners, "PLAINTEXT://"+address)
		}
		pairs = append(pairs,
			flagPair("--listen", "listeners", strings.Join(listeners, ",")),
			flagPair("--listen", "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT"),
			flagPair("--listen", "controller.listener.names", ""))
	}
	if f.data != "" {
		if strings.Contains(f.data, ",") {
			return nil, usagef("--data %q has a comma, which separates folders in log.dirs; take a folder without", f.data)
		}
		pairs = append(pairs, flagPair("--data", "log.dirs", f.data))
	}
	if f.metrics != "" {
		pairs = append(pairs, flagPair("--metrics-listen", "metrics.listen", f.metrics))
	}
	if f.logFormat != "" {
		pairs = append(pairs, flagPair("--log-format", "logging.format", f.logFormat))
	}
	return pairs, nil
}

func flagPair(flag, name, value string) config.Pair {
	return config.Pair{Name: name, Value: value, Origin: config.Origin{Source: config.FromFlag, Name: flag}}
}

// announce says what runs, then writes the ready file.
func announce(log *logbook, s started, settings *config.Settings, ready string, took time.Duration) error {
	folder := settings.Folder()
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	durability := s.durability
	if !s.disk.Durable {
		durability = "none (memory)"
	}
	facts := [][2]string{
		{"listeners", strings.Join(s.addresses, ", ")},
		{"data", folder},
		{"file system", s.disk.FileSystem},
		{"disk", s.disk.Backend + ", " + s.disk.Write},
		{"durability", durability},
		{"recovery", s.recovery},
	}
	if s.metrics != "" {
		facts = append(facts, [2]string{"metrics", "http://" + s.metrics + "/metrics"})
	}
	log.warnOfOpenDoors(s)
	log.fields(fmt.Sprintf("ready in %v", took.Round(100*time.Microsecond)), facts)
	if ready == "" {
		return nil
	}
	return writeReady(ready, s.addresses)
}

// removeReady takes away what an earlier start left, which would say that this one is ready.
func removeReady(path string) error {
	info, err := os.Lstat(path)
	if path == "" || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		return fmt.Errorf("the ready file %s is a folder; name a file", path)
	}
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return fmt.Errorf("could not remove the ready file of an earlier start: %w", err)
	}
	return nil
}

// writeReady makes the file appear whole.
func writeReady(path string, addresses []string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("could not write the ready file: %w", err)
	}
	_, err = file.WriteString(strings.Join(addresses, "\n") + "\n")
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("could not write the ready file: %w", err)
	}
	return nil
}

// explain adds what to do about errors that an operator meets.
func explain(err error, settings *config.Settings) error {
	folder := settings.Folder()
	switch {
	case errors.Is(err, env.ErrAddressInUse):
		return fmt.Errorf("%w: another program listens there; stop it, or take another port with --listen (port 0: a free one)", err)
	case errors.Is(err, env.ErrLocked):
		return fmt.Errorf("%w: another broker runs in %s; stop it, or take another folder with --data", err, folder)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: the data folder is %s; give this user the right to it, or take another with --data", err, folder)
	case errors.Is(err, env.ErrNoSpace):
		return fmt.Errorf("%w: make room for %s, or take another folder with --data", err, folder)
	}
	if file := fileInTheWay(folder); file != "" {
		return fmt.Errorf("%w: %s is no folder; take another one with --data", err, file)
	}
	return err
}

// fileInTheWay returns the part of the path that is there and is no folder, or "".
func fileInTheWay(folder string) string {
	for {
		info, err := os.Stat(folder)
		above := filepath.Dir(folder)
		switch {
		case err == nil && info.IsDir():
			return ""
		case err == nil:
			return folder
		case above == folder:
			return ""
		}
		folder = above
	}
}

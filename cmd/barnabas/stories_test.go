package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"barnabas/core/config"
)

var updateStories = flag.Bool("stories.update", false, "write what comes out into the stories, to be looked through")

// TestStories runs testdata/stories: what a user types, and what comes out. A story has a broker of its own on a free port
// of localhost, in this process, with the settings of its file broker.properties; BARNABAS_BOOTSTRAP_SERVER names
// it. Beyond testscript's own words there are
//
//	exits CODE WORD...   runs the words and wants this exit code
//	get PATH             gets http://METRICS/PATH, if the properties have metrics.listen=127.0.0.1:0
//	plain FILE           writes what came out last to FILE, with ids and ports that differ each time made equal
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/stories", UpdateScripts: *updateStories, Setup: storyBroker,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "get": get, "plain": plain},
	})
}

func storyBroker(e *testscript.Env) error {
	pairs := []config.Pair{
		flagPair("--data", "log.dirs", filepath.Join(e.WorkDir, "data")), flagPair("--listen", "listeners", "PLAINTEXT://localhost:0"),
	}
	if text, err := os.ReadFile(filepath.Join(e.WorkDir, "broker.properties")); err == nil {
		more, err := config.Properties("broker.properties", string(text))
		if err != nil {
			return err
		}
		pairs = append(pairs, more...)
	}
	settings, _, err := config.Parse(pairs)
	if err != nil {
		return err
	}
	ready, ended, stop := make(chan started, 1), make(chan error, 1), make(chan struct{})
	go func() {
		ended <- serve(site{settings: settings, say: func(string) {}, ready: func(s started) error {
			ready <- s
			return nil
		}}, stop)
	}()
	select {
	case s := <-ready:
		port := s.addresses[0][strings.LastIndexByte(s.addresses[0], ':')+1:]
		e.Setenv(bootstrapVariable, "127.0.0.1:"+port)
		e.Setenv("PORT", port)
		e.Setenv("METRICS", s.metrics)
	case err := <-ended:
		return fmt.Errorf("the story's broker does not start: %w", err)
	}
	e.Defer(func() {
		close(stop)
		if err := <-ended; err != nil {
			e.T().Log("the story's broker: ", err)
		}
	})
	return nil
}

func exits(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) < 2 {
		ts.Fatalf("usage: exits CODE WORD...")
	}
	want, err := strconv.Atoi(words[0])
	ts.Check(err)
	err = ts.Exec(words[1], words[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func get(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	answer, err := http.Get("http://" + ts.Getenv("METRICS") + words[0])
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s", answer.Status)
	}
}

var (
	anyID   = regexp.MustCompile(`(^|[\s"])[A-Za-z0-9_-]{22}($|[\s"])`)
	anyTime = regexp.MustCompile(`"timestamp":\d{13}`)
)

func plain(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) != 1 {
		ts.Fatalf("usage: plain FILE")
	}
	text := ts.ReadFile("stdout")
	text = anyID.ReplaceAllString(text, "${1}(an id of 22 letters.)${2}")
	text = anyTime.ReplaceAllString(text, `"timestamp":0`)
	text = strings.ReplaceAll(text, ts.Getenv("PORT"), "PORT")
	ts.Check(os.WriteFile(ts.MkAbs(words[0]), []byte(text), 0o600))
}

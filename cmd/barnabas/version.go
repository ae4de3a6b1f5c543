package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"
)

func prepareVersion(p *program, _ *pflag.FlagSet) func() int {
	return func() int {
		info, _ := debug.ReadBuildInfo()
		return p.print(version(info, p.mutants) + "\n")
	}
}

// version says what was built. info may be nil: a build can leave it out.
func version(info *debug.BuildInfo, mutants bool) string {
	number, commit, changed := "devel", "", false
	if info != nil {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			number = v
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value[:min(12, len(s.Value))]
			case "vcs.modified":
				changed = s.Value == "true"
			}
		}
	}
	var notes []string
	if commit != "" {
		notes = append(notes, "commit "+commit)
	}
	if changed {
		notes = append(notes, "with changes")
	}
	if mutants {
		notes = append(notes, "with mutants")
	}
	notes = append(notes, runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("barnabas %s (%s)", number, strings.Join(notes, ", "))
}

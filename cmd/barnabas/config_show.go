package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"barnabas/core/config"
)

const configShowHelp = `It shows the settings that barnabas start would run with, given the same flags, file and environment, and starts nothing.
Settings that a start would refuse are refused here too, so that it checks a file before it is put in place.

Exit codes: 0 done, 1 the file could not be read, 2 wrong usage or a setting that would be refused.
`

func prepareConfigShow(p *program, flags *pflag.FlagSet) func() int {
	var f startFlags
	f.declareSettings(flags)
	origin := flags.Bool("origin", false, "say where each value comes from")
	given := flags.Bool("given", false, "only what is not a default")
	output := flags.String("output", "table", "table or json")
	return func() int {
		const path = "barnabas config show"
		if err := oneOf("output", *output, "table", "json"); err != nil {
			return p.misused(path, err)
		}
		settings, warnings, code := p.settings(path, f)
		if settings == nil {
			return code
		}
		for _, w := range warnings {
			p.say("warning: %s", w)
		}
		return p.print(showConfig(settings.All(), *origin, *given, *output == "json"))
	}
}

// settings reads what a start would run with. nil: the reason was told, and there is an exit code.
func (p *program) settings(path string, f startFlags) (*config.Settings, []config.Warning, int) {
	pairs, err := f.pairs(p.environ)
	var wrong errUsage
	switch {
	case errors.As(err, &wrong):
		return nil, nil, p.misused(path, err)
	case err != nil:
		return nil, nil, p.failed(path, err)
	}
	settings, warnings, err := config.Parse(pairs)
	if err != nil {
		return nil, nil, p.misused(path, err)
	}
	return settings, warnings, exitDone
}

func showConfig(all []config.Setting, origin, given, asJSON bool) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(words ...string) {
		if !origin {
			words = words[:2]
		}
		fmt.Fprintln(table, strings.Join(words, "\t"))
	}
	if !asJSON {
		row("SETTING", "VALUE", "ORIGIN")
	}
	for _, s := range all {
		switch {
		case given && s.Origin.Source == config.FromTable:
		case asJSON:
			writeJSON(&b, struct {
				Setting string `json:"setting"`
				Value   string `json:"value"`
				Origin  string `json:"origin"`
			}{s.Name, s.Value, s.Origin.String()})
		default:
			row(s.Name, s.Value, s.Origin.String())
		}
	}
	_ = table.Flush()
	return b.String()
}

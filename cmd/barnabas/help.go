package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"barnabas/core/config"
)

// helpOf explains a command. flags may be nil.
func helpOf(c *command, path string, flags *pflag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", path, c.short)
	if len(c.below) > 0 {
		fmt.Fprintf(&b, "usage: %s COMMAND [flags]\n\ncommands:\n", path)
		for _, below := range c.below {
			fmt.Fprintf(&b, "  %-10s %s\n", below.name, below.short)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "usage: %s\n", strings.TrimSpace(path+" "+c.usage))
	if flags != nil && flags.HasFlags() {
		fmt.Fprintf(&b, "\nflags:\n%s", flags.FlagUsages())
	}
	if c.long != "" {
		fmt.Fprintf(&b, "\n%s", c.long)
	}
	return b.String()
}

func prepareHelp(p *program, flags *pflag.FlagSet) func() int {
	return func() int {
		words := flags.Args()
		if len(words) == 1 && words[0] == "settings" {
			return p.print(settingsHelp())
		}
		at, path := commands(), "barnabas"
		for _, word := range words {
			next := at.find(word)
			switch {
			case len(at.below) == 0:
				return p.misused("barnabas help", usagef("%s has no commands below it", path))
			case next == nil:
				return p.misused("barnabas help", unknownCommand(at, path, word))
			}
			at, path = next, path+" "+word
		}
		if at.prepare == nil {
			return p.print(helpOf(at, path, nil))
		}
		own := newFlags(at)
		at.prepare(p, own)
		return p.print(helpOf(at, path, own))
	}
}

// settingsHelp lists the table of settings.
func settingsHelp() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tDEFAULT\tMEANING")
	for _, row := range config.Rows() {
		name := row.Name
		if row.Alias != "" {
			name += " (" + row.Alias + ")"
		}
		shown := row.Default
		if len(shown) > 32 {
			shown = shown[:29] + "..."
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, shown, row.Meaning)
	}
	_ = table.Flush()
	return b.String()
}

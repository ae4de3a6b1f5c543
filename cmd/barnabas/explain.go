package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"barnabas/cmd/barnabas/internal/codes"
)

const explainHelp = `It explains one of Kafka's error codes: what it means, what usually causes it, and what to do. The code is given as its
number or its name, as clients and logs show it. Without one, all are listed.

Exit codes: 0 done, 2 there is no such code.
`

func prepareExplain(p *program, flags *pflag.FlagSet) func() int {
	const path = "barnabas explain"
	output := flags.String("output", "table", "table or json")
	return func() int {
		if err := oneOf("output", *output, "table", "json"); err != nil {
			return p.misused(path, err)
		}
		asJSON := *output == "json"
		if flags.NArg() == 0 {
			return p.print(showCodes(codes.All(), asJSON))
		}
		var b strings.Builder
		for i, word := range flags.Args() {
			c, err := codes.Find(word)
			if err != nil {
				return p.misused(path, err)
			}
			if i > 0 && !asJSON {
				b.WriteString("\n")
			}
			explainCode(&b, c, asJSON)
		}
		return p.print(b.String())
	}
}

func showCodes(all []codes.Code, asJSON bool) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(table, "CODE\tNAME\tMEANING")
	}
	for _, c := range all {
		if asJSON {
			writeJSON(&b, c)
		} else {
			fmt.Fprintf(table, "%d\t%s\t%s\n", c.Number, c.Name, c.Meaning)
		}
	}
	_ = table.Flush()
	return b.String()
}

func explainCode(b *strings.Builder, c codes.Code, asJSON bool) {
	if asJSON {
		writeJSON(b, c)
		return
	}
	retries := "clients do not try again by themselves"
	if c.Retriable {
		retries = "clients try again by themselves"
	}
	fmt.Fprintf(b, "%d  %s\n", c.Number, c.Name)
	for _, line := range [][2]string{{"meaning", c.Meaning}, {"cause", c.Cause}, {"do", c.Do}, {"retried", retries}} {
		fmt.Fprintf(b, "  %-8s %s\n", line[0], line[1])
	}
}

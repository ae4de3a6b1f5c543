package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"barnabas/core/mutant"
)

const simMutantsHelp = `Each one is a bug that a real broker had, or nearly had, as one guarded line. A binary carries them when it was built
with -tags mutants; barnabas sim run --mutant NAME then shows how it is found.
`

type jsonMutant struct {
	Name      string `json:"name"`
	Origin    string `json:"origin"`
	Claim     string `json:"claim"`
	Oracle    string `json:"oracle"`
	Available bool   `json:"available"`
}

func prepareSimMutants(p *program, flags *pflag.FlagSet) func() int {
	output := flags.String("output", "table", "table or json")
	return func() int {
		if err := oneOf("output", *output, "table", "json"); err != nil {
			return p.misused("barnabas sim mutants", err)
		}
		return p.print(p.listMutants(*output == "json"))
	}
}

func (p *program) listMutants(asJSON bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, m := range mutant.Museum() {
		if asJSON {
			_ = encoder.Encode(jsonMutant{m.Name, m.Origin, m.Claim, m.Oracle, p.mutants})
			continue
		}
		fmt.Fprintf(&b, "%s\n  breaks %s, found by %s\n  %s\n", m.Name, m.Claim, m.Oracle, m.Origin)
	}
	if !asJSON && !p.mutants {
		b.WriteString("\nNone is in this binary; build one that has them: go build -tags mutants ./cmd/barnabas\n")
	}
	return b.String()
}

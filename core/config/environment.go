package config

import (
	"cmp"
	"slices"
	"strings"
)

const environmentPrefix = "BARNABAS_"

// forCommands is BARNABAS_BOOTSTRAP_SERVER, which tells commands where a broker is, and the broker nothing.
const forCommands = "BOOTSTRAP_SERVER"

// Environment returns the settings among environment variables ("NAME=value"): BARNABAS_LOG_SEGMENT_BYTES is
// log.segment.bytes. They come in ascending order of their names.
func Environment(variables []string) []Pair {
	var pairs []Pair
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, environmentPrefix)
		if !ours || isServiceLink(rest) || rest == forCommands {
			continue
		}
		pairs = append(pairs, Pair{
			Name: strings.ToLower(strings.ReplaceAll(rest, "_", ".")), Value: value,
			Origin: Origin{Source: FromEnvironment, Name: name},
		})
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Origin.Name, b.Origin.Name) })
	return pairs
}

// isServiceLink tells the variables that Kubernetes sets in every container near a service called barnabas. Refusing
// them as unknown settings would keep a broker from starting beside its own service; no setting is called like them.
func isServiceLink(rest string) bool {
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") ||
		rest == "SERVICE_HOST" || strings.HasPrefix(rest, "SERVICE_PORT")
}

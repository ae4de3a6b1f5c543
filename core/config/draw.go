package config

import "strconv"

// Draw returns settings for a simulated broker. choose picks one of n values for the setting called name.
//
// Sizes are drawn one by one, so that every row has its own key, and then lowered to what the others allow.
func Draw(choose func(name string, n int) int) []Pair {
	var pairs []Pair
	for _, row := range table {
		if n := len(row.Simulation); n > 0 {
			pairs = append(pairs, Pair{
				Name: row.Name, Value: row.Simulation[choose(row.Name, n)], Origin: Origin{Source: FromSimulation},
			})
		}
	}
	lower(pairs, "message.max.bytes", "journal.segment.bytes")
	lower(pairs, "journal.commit.max.bytes", "journal.segment.bytes")
	lower(pairs, "arena.chunk.bytes", "arena.max.bytes")
	return pairs
}

// lower makes small at most half of large.
func lower(pairs []Pair, small, large string) {
	number := func(name string) (*Pair, int64) {
		for i := range pairs {
			if pairs[i].Name == name {
				n, _ := strconv.ParseInt(pairs[i].Value, 10, 64)
				return &pairs[i], n
			}
		}
		return nil, 0
	}
	pair, least := number(small)
	_, most := number(large)
	if least > most/2 {
		pair.Value = strconv.FormatInt(most/2, 10)
	}
}

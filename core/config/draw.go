package config

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
	Settle(pairs)
	return pairs
}

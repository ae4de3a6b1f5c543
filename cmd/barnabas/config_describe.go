package main

import "strconv"

// brokerIDs reads the names of brokers, which are numbers.
func brokerIDs(names []string) ([]int32, error) {
	var ids []int32
	for _, name := range names {
		n, err := strconv.ParseInt(name, 10, 32)
		if err != nil || n < 0 {
			return nil, usagef("%q is no broker: give its number, as barnabas cluster status shows it", name)
		}
		ids = append(ids, int32(n))
	}
	return ids, nil
}

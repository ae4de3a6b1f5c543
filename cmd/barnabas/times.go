package main

import (
	"strconv"
	"time"
)

// parseTime reads milliseconds since 1970, or a time as RFC 3339 has it, and returns milliseconds.
func parseTime(text string) (int64, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return ms, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UnixMilli(), err
}

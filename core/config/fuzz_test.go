package config

import "testing"

// FuzzProperties reads any text as a file of settings: it is refused, or it gives pairs that Parse judges. Neither panics.
func FuzzProperties(f *testing.F) {
	f.Add("node.id=1\n# a comment\nlog.retention.ms = 500\n")
	f.Add("a\\\n  b=c\\u0041\n!x\n")
	f.Add("log.segment.bytes=99999999999999999999\n=\n:\n")
	f.Fuzz(func(_ *testing.T, text string) {
		if pairs, err := Properties("server.properties", text); err == nil {
			_, _, _ = Parse(pairs)
		}
	})
}

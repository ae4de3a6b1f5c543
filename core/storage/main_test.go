package storage

import (
	"flag"
	"os"
	"testing"
)

// TestMain has rapid try more than its usual hundred worlds: ours are small.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("250")
	}
	os.Exit(m.Run())
}

package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"barnabas/core/env"
)

// goldenBytes reads a golden hexdump back.
func goldenBytes(f *testing.F, name string) []byte {
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		f.Fatal(err)
	}
	return undump(f, string(text))
}

// FuzzInspect reads damaged segments, commits, tables of entries and checkpoints. None may panic, what is found lies within
// the file, and an inspection ends.
func FuzzInspect(f *testing.F) {
	header, commit := goldenBytes(f, "segment"), goldenBytes(f, "commit-1")
	segment := make([]byte, 3*env.BlockBytes)
	copy(segment, header)
	copy(segment[env.BlockBytes:], commit)
	for i, p := range [][]byte{segment, commit, commit[HeaderBytes:], goldenBytes(f, "checkpoint"), nil} {
		f.Add(uint8(i), p)
	}
	f.Fuzz(func(t *testing.T, format uint8, p []byte) {
		switch format % 4 {
		case 0:
			size := int64(len(p))
			facts, _, err := InspectHeader(bytes.NewReader(p), -1)
			if err != nil {
				return
			}
			found := 0
			err = InspectSegment(bytes.NewReader(p), size, facts, Known{}, func(Finding) error { found++; return nil })
			if err != nil || int64(found) > 2+2*size/env.BlockBytes {
				t.Fatalf("%d findings in %d bytes: %v", found, size, err)
			}
		case 1:
			_ = InspectCommit(p)
		case 2:
			_ = EachEntry(p, func(Entry) error { return nil })
		case 3:
			_, _, _ = InspectCheckpoint(p)
		}
	})
}

package record

import (
	"errors"
	"testing"
)

// FuzzRecords looks at bytes as a listener does, and walks their records. What is good by its checksum and its facts can be
// walked, and an error is of a known kind.
func FuzzRecords(f *testing.F) {
	b := NewBuilder(nil, 0, -1)
	b.SetProducer(7, 0, 3)
	b.Append(1, []byte("key"), []byte("value"))
	b.Append(2, nil, nil)
	batch := b.Finish(5)
	f.Add(batch)
	f.Add(append(append([]byte{}, batch...), batch...))
	f.Add(batch[:len(batch)-1])
	f.Fuzz(func(t *testing.T, p []byte) {
		facts := Inspect(p)
		if facts.Err != nil {
			if !errors.Is(facts.Err, ErrInvalid) && !errors.Is(facts.Err, ErrCRC) && !errors.Is(facts.Err, ErrTruncated) && !errors.Is(facts.Err, ErrMagic) {
				t.Fatalf("%v is of no known kind", facts.Err)
			}
			return
		}
		if !facts.Opened || facts.Batches != 1 || facts.Attributes.Codec() != 0 {
			return
		}
		if err := Walk(p[HeaderBytes:], facts.Count, nil); err != nil {
			t.Fatalf("its facts are good, its records are not: %v", err)
		}
	})
}

package hostile

import (
	"bytes"
	"testing"
)

func TestTheCorpusIsAlwaysTheSame(t *testing.T) {
	one, two := Corpus("t"), Corpus("t")
	names := map[string]bool{}
	for i := range one {
		if one[i].Name != two[i].Name || !bytes.Equal(one[i].Stream, two[i].Stream) || names[one[i].Name] {
			t.Errorf("case %d is called %s and %s", i, one[i].Name, two[i].Name)
		}
		names[one[i].Name] = true
	}
	if len(one) < 300 {
		t.Errorf("only %d cases", len(one))
	}
	t.Logf("%d cases", len(one))
}

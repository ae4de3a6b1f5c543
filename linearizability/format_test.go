package linearizability

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// plain returns the history as it would be without a file.
func (h *History) plain() History {
	return History{Clients: h.Clients, Partitions: h.Partitions, Operations: h.Operations}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 7))
		h := randomHistory(r)
		if seed%2 == 0 {
			h = randomRegister(r, true)
		}
		lieFree := h.plain()
		var text bytes.Buffer
		if n, err := h.WriteTo(&text); err != nil || n != int64(text.Len()) {
			t.Fatalf("%d of %d bytes: %v", n, text.Len(), err)
		}
		again, err := Read(bytes.NewReader(text.Bytes()))
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, &text)
		}
		if got := again.plain(); !sameHistory(&got, &lieFree) {
			t.Fatalf("seed %d: read\n%+v\nwant\n%+v\n%s", seed, got, lieFree, &text)
		}
		for at := range again.Operations {
			if line := again.Line(at); line != 2+len(h.Partitions)+len(h.Clients)+at {
				t.Fatalf("seed %d: operation %d is said to stand on line %d", seed, at, line)
			}
		}
	}
}

// sameHistory compares, with no difference between no runs and none of any.
func sameHistory(a, b *History) bool {
	if !reflect.DeepEqual(a.Clients, b.Clients) || !reflect.DeepEqual(a.Partitions, b.Partitions) || len(a.Operations) != len(b.Operations) {
		return false
	}
	for i := range a.Operations {
		x, y := a.Operations[i], b.Operations[i]
		for _, o := range []*Operation{&x, &y} {
			if o.Outcome != OK || o.Kind == Earliest || o.Kind == Poll {
				o.Epoch = NoEpoch // it means nothing there, and is not written
			}
			if len(o.Runs) == 0 {
				o.Runs = nil
			}
		}
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

func TestWhatCannotBeReadIsRefusedWithItsLine(t *testing.T) {
	const head = "barnabas-history 1\npartition 0 t-0\nclient 0 consumer\nclient 1 plain\n"
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"", 1, `a history begins with "barnabas-history 1", and here is nothing`},
		{"barnabas-history 2\n", 1, `a history begins with "barnabas-history 1", and this with "barnabas-history 2"`},
		{head + "\n# talk\nsand 1 0 1 2 ok 1.0@0", 7, `"sand" is no operation: take one of [send poll`},
		{head + "partition 2 t-2", 5, "partition 2 follows 1 others"},
		{head + "partition 1", 5, "partition 1 has no name"},
		{head + "client 3 plain", 5, "client 3 follows 2 others"},
		{head + "client 2 pushy", 5, `"pushy" is no class of clients: take one of [consumer plain retrying idempotent]`},
		{head + "client 2 plain lossy twice", 5, `"twice" is too much`},
		{head + "send 2 0 1 2 ok 2.0@0", 5, "there is no client 2"},
		{head + "send 1 1 1 2 ok 1.0@0", 5, "there is no partition 1"},
		{head + "send 1 0 3 2 ok 1.0@0", 5, "it returns at 2, before its call at 3"},
		{head + "send 1 0 1 2 fine 1.0@0", 5, `"fine" is no outcome: take one of [ok failed unknown conflict]`},
		{head + "send 1 0 1 2 conflict 1.0", 5, `a send has no outcome "conflict"`},
		{head + "send 1 0 1 2 ok 1.0", 5, "values are written VALUES@OFFSET"},
		{head + "send 1 0 1 2 ok 1.0@-1", 5, `a number is missing at "-1"`},
		{head + "send 1 0 1 2 ok 10", 5, "a value is written CLIENT.NUMBER"},
		{head + "send 1 0 1 2 ok 0.1@0", 5, "client 1 sends value 0.1, which is not its own"},
		{head + "send 1 0 1 2 ok !@0", 5, "client 1 sends value !, which is not its own"},
		{head + "send 0 0 1 2 ok 0.1@0", 5, "client 0 is a consumer, and sends"},
		{head + "send 1 0 1 2 ok 1.1+0@0", 5, "0 values from 1.1: too few or too many"},
		{head + "send 1 0 1 2 ok 1.4294967295+2@0", 5, "2 values from 1.4294967295: too few or too many"},
		{head + "send 1 0 1 2 ok 1.4294967296@0", 5, "4294967296 is too large: at most 4294967295"},
		{head + "send 1 0 1 99999999999999999999 ok 1.0@0", 5, "a number is too large"},
		{head + "send 1 0 1x 2 ok 1.0@0", 5, `"x" after a number`},
		{head + "send 1 0 1 2 ok 1.0@0x e1", 5, `"x" after values`},
		{head + "send 1 0 1 2 failed 1.0@0", 5, `"@0" after values`},
		{head + "send 1 0 1 2 ok 1.0@0 e1 e2", 5, `"e2" is too much`},
		{head + "poll 0 0 1 2 unknown from=0 1.0@0", 5, "a poll that is not ok returns nothing"},
		{head + "poll 0 0 1 2 ok from=0 final 1.0@0", 5, `"1.0@0" is too much`},
		{head + "latest 0 0 1 2 ok", 5, "a number is missing"},
		{head + "create 0 1 2 ok", 5, "a register is written KEY=VALUE"},
		{head + "create 0 1 2 ok t=A n5", 5, `"n5" is too much`},
		{head + "set 0 1 2 conflict t=A m5", 5, `a set has no outcome "conflict"`},
	} {
		h, err := Read(strings.NewReader(c.text))
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Line != c.line || !strings.HasPrefix(invalid.Text, c.want) || h != nil {
			t.Errorf("%q: %v, want line %d: %s", c.text, err, c.line, c.want)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errors.New("no disk") }
func (broken) Write([]byte) (int, error) { return 0, errors.New("no disk") }

func TestFilesFail(t *testing.T) {
	if _, err := Read(broken{}); err == nil || err.Error() != "no disk" {
		t.Error(err)
	}
	h := &History{}
	if _, err := h.WriteTo(broken{}); err == nil || err.Error() != "no disk" {
		t.Error(err)
	}
}

// Whatever is read is judged without a panic, and comes back the same when it is written and read again.
func FuzzRead(f *testing.F) {
	for _, file := range storyFiles {
		for _, s := range readStories(f, file) {
			f.Add([]byte(s.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := h.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&out)
		if err != nil {
			t.Fatalf("%v of what was written of %q", err, text)
		}
		a, b := h.plain(), again.plain()
		if !sameHistory(&a, &b) {
			t.Fatalf("%q is read otherwise the second time", text)
		}
		_, _ = Check(h)
	})
}

package journal

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// inspected returns what the first segment of a stopped machine holds, and says whether the header is good.
func (r *rig) inspected(t *testing.T, known Known) (findings []Finding) {
	t.Helper()
	p, _ := r.machine.Bytes(firstSegment)
	facts, wrong, err := InspectHeader(bytes.NewReader(p), 1)
	if err != nil || wrong != "" {
		t.Fatal(wrong, err)
	}
	err = InspectSegment(bytes.NewReader(p), int64(len(p)), facts, known, func(f Finding) error {
		f.Commit.Entries = bytes.Clone(f.Commit.Entries)
		findings = append(findings, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

func count(findings []Finding, kind FindingKind) (n int) {
	for _, f := range findings {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// A journal that nothing happened to has whole commits, in order, and nothing behind them.
func TestInspectionOfAGoodJournal(t *testing.T) {
	r, s, at := written(t, 5, 100, true)
	findings := r.inspected(t, Known{})
	if count(findings, Whole) < len(s.items) || count(findings, Damaged)+count(findings, Torn) > 0 || findings[len(findings)-1].Kind != Unused {
		t.Fatalf("%+v", findings)
	}
	appends := 0
	for i, f := range findings[:len(findings)-1] {
		if f.Sequence != uint64(i+1) || f.Commit.Sequence != f.Sequence {
			t.Errorf("finding %d is of commit %d", i, f.Sequence)
		}
		err := EachEntry(f.Commit.Entries, func(e Entry) error {
			if want := at[appends]; f.Position != want.Position || e.Base != int64(appends) {
				t.Errorf("entry %+v in a commit at %d, want %v", e, f.Position, want)
			}
			appends++
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if appends != len(at) || !findings[len(findings)-2].Commit.Closing {
		t.Errorf("%d entries, last %+v", appends, findings[len(findings)-2])
	}
}

// Damage to any part of any commit is found at its place, as recovery finds it, and what follows is found all the same.
func TestInspectionFindsDamage(t *testing.T) {
	const size = 5000
	payload := len(batch(0, size))
	for part, within := range map[string]int{
		"magic": 0, "journal": 10, "sequence": 39, "place": 52, "size": 57, "checksum": 90, "header's checksum": 127,
		"payload": HeaderBytes + payload - 1, "table": HeaderBytes + payload + 3,
	} {
		for k := range 5 {
			t.Run(fmt.Sprintf("%s of %d", part, k), func(t *testing.T) {
				r, _, at := written(t, 5, size, false)
				r.edit(firstSegment, flip(int(at[k].Position)+within))
				findings := r.inspected(t, Known{})
				if count(findings, Damaged) != 1 || count(findings, Torn) > 0 || count(findings, Whole) < 4 {
					t.Fatalf("%+v", findings)
				}
				for _, f := range findings {
					if f.Kind == Damaged && (f.Position != at[k].Position || f.Sequence != uint64(k+1) || f.Why == "") {
						t.Errorf("%+v, want it at %v", f, at[k])
					}
				}
				if err := r.open(); err == nil && len(r.finding.Damaged) != 1 {
					t.Errorf("recovery found %q", r.finding.Damaged)
				}
			})
		}
	}
}

// The copy of the table before is checked too: nothing else would tell of damage to it before it is needed.
func TestInspectionFindsDamageToTheCopiedTable(t *testing.T) {
	r, _, at := written(t, 3, 100, false)
	findings := r.inspected(t, Known{})
	c := findings[1].Commit
	r.edit(firstSegment, flip(int(at[1].Position+HeaderBytes+c.Payload+c.Table)+5))
	findings = r.inspected(t, Known{})
	if count(findings, Damaged) != 1 || findings[1].Kind != Damaged || count(findings, Whole) < 3 {
		t.Errorf("%+v", findings)
	}
}

// A last commit that nothing vouches for is torn; with a checkpoint that does, it is damaged.
func TestInspectionTellsTornFromDamaged(t *testing.T) {
	r, s := closedAtOnce(true)
	findings := r.inspected(t, Known{})
	last := findings[len(s.items)]
	r.edit(firstSegment, flip(int(last.Position)+100))
	for known, want := range map[Known]FindingKind{{}: Unused, {Durable: last.Sequence}: Damaged} {
		findings = r.inspected(t, known)
		if f := findings[len(findings)-1]; f.Kind != want || f.Position != last.Position {
			t.Errorf("%+v: %+v", known, f)
		}
	}
}

// What a recovery dropped stays dropped, though it is whole again.
func TestInspectionLeavesOutWhatWasDropped(t *testing.T) {
	r, _, _ := written(t, 3, 100, false)
	for known, want := range map[Known]int{{}: 4, {Durable: 2, Generation: 1}: 4, {Durable: 2, Generation: 2}: 2} {
		if findings := r.inspected(t, known); count(findings, Whole) != want {
			t.Errorf("%+v: %+v", known, findings)
		}
	}
}

// Headers and checkpoints that are not whole, or of another version, are told.
func TestInspectionOfHeaders(t *testing.T) {
	r, _, _ := written(t, 1, 100, true)
	p, _ := r.machine.Bytes(firstSegment)
	for name, c := range map[string]struct {
		change func([]byte) []byte
		number int64
		wrong  bool
		err    error
	}{
		"good":    {func(p []byte) []byte { return p }, 1, false, nil},
		"renamed": {func(p []byte) []byte { return p }, 2, true, nil},
		"no name": {func(p []byte) []byte { return p }, -1, false, nil},
		"flipped": {flip(60), 1, true, nil},
		"magic":   {flip(0), 1, false, ErrNotJournal},
		"short":   {func(p []byte) []byte { return p[:67] }, 1, false, ErrNotJournal},
		"newer":   {resum(func(p []byte) { p[9]++ }, 0, 64, 64), 1, true, nil},
	} {
		_, wrong, err := InspectHeader(bytes.NewReader(c.change(bytes.Clone(p))), c.number)
		if (wrong != "") != c.wrong || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", name, wrong, err)
		}
	}
	p, _ = r.machine.Bytes("data/" + CheckpointName(0))
	facts, empty, err := InspectCheckpoint(p)
	if err != nil || empty || facts.Directory != directory || facts.Next.Segment != 1 {
		t.Errorf("%+v, %v", facts, err)
	}
	for _, at := range []int{0, 9, 20, 103, 107, 110} {
		if _, _, err := InspectCheckpoint(flip(at)(bytes.Clone(p))); err == nil {
			t.Errorf("byte %d of a checkpoint may be anything", at)
		}
	}
	if _, empty, err := InspectCheckpoint(make([]byte, 4096)); !empty || err != nil {
		t.Errorf("zeros are no empty checkpoint: %v", err)
	}
}

// A commit that was put aside tells what is left of it.
func TestInspectionOfACommit(t *testing.T) {
	r, _, at := written(t, 2, 100, true)
	p, _ := r.machine.Bytes(firstSegment)
	p = p[at[1].Position:]
	for name, c := range map[string]struct {
		p     []byte
		known bool
		kind  FindingKind
	}{
		"whole": {p, true, Whole}, "payload": {flip(HeaderBytes + 3)(bytes.Clone(p)), true, Damaged},
		"header": {flip(3)(bytes.Clone(p)), false, Damaged}, "cut": {p[:HeaderBytes], true, Damaged}, "nothing": {nil, false, Damaged},
	} {
		if f := InspectCommit(c.p); f.Kind != c.kind || (f.Sequence == 2) != c.known || (f.Why == "") != (c.kind == Whole) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// A whole commit that does not belong where it stands is no commit there: one of another history, or of another place.
func TestInspectionFindsMisplacedCommits(t *testing.T) {
	r, _, at := written(t, 5, 100, false)
	other, _, _ := written(t, 5, 101, false)
	foreign, _ := other.machine.Bytes(firstSegment)
	block := func(of []byte, k int) []byte { return of[at[k].Position:at[k+1].Position] }
	r.edit(firstSegment, func(p []byte) []byte {
		copy(block(p, 2), block(foreign, 2))
		return p
	})
	if findings := r.inspected(t, Known{}); count(findings, Damaged) != 1 || findings[2].Kind != Damaged {
		t.Errorf("a commit of another history: %+v", findings)
	}
	r, _, at = written(t, 5, 100, false)
	r.edit(firstSegment, func(p []byte) []byte {
		clear(block(p, 1))
		copy(block(p, 2), block(p, 3))
		return p
	})
	findings := r.inspected(t, Known{})
	if count(findings, Damaged) != 1 || findings[1].Kind != Damaged || findings[2].Position != at[3].Position {
		t.Errorf("a commit of another place: %+v", findings)
	}
}

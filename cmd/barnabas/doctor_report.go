package main

import (
	"fmt"
	"strings"

	"barnabas/core/storage"
)

// report says what the recovery made of the folder, and what is beside it.
func (d *doctor) report(found *recovered) error {
	d.redo(found)
	known := make(expected)
	for i := range found.report.Logs {
		d.log(&found.report.Logs[i], found, known)
	}
	for _, w := range found.report.Wastes {
		d.tell("deleted", "", field("name", w.From), field("as", w.To), field("is", "out of its log, and removed later"))
		known[w.From], known[w.To] = true, true
		if w.Folder {
			known[w.From+"/*"], known[w.To+"/*"] = true, true
		}
	}
	if err := d.strangers(known); err != nil {
		return err
	}
	if d.deep {
		d.batches(found)
	}
	d.conclude(found)
	return nil
}

// redo says what of the journal a start would read again.
func (d *doctor) redo(found *recovered) {
	r := found.Recovered
	if r.Fresh {
		d.tell("journal", "", field("is", "none: a start makes one"))
		return
	}
	stop := "a crash"
	if r.Clean {
		stop = "a clean stop"
	}
	durability := found.report.Durability
	if durability == "" {
		durability = "unknown"
	}
	d.tell("journal", "", field("after", stop), field("commits to redo", r.Commits), field("bytes to redo", r.Bytes),
		field("unfinished tail", r.TornTail), field("older checkpoint taken", r.Fallback != ""), field("ran under durability", durability),
		field("broker epoch", found.report.BrokerEpoch))
	if r.Fallback != "" {
		d.tell("fallback", "", field("is", r.Fallback))
	}
	for _, why := range r.Damaged {
		d.tell("commit", why)
	}
}

// log says what a log is, which ranges of it are in doubt, and what is wrong with its files.
func (d *doctor) log(l *storage.LogReport, found *recovered, known expected) {
	known[l.Name] = true
	d.tell("log", "", field("name", l.Name), field("number", l.Number), field("start", l.Start), field("end", l.End),
		field("bytes", l.Bytes), field("segments", len(l.Segments)), field("only in the journal", l.Unfilled))
	found.segmentsMissing += d.segments(l, known)
	for _, x := range l.Doubts {
		why := x.Why
		if why == "" {
			why = "it was found before"
		}
		d.tell("doubt", why, field("log", l.Name), field("base", x.Base), field("last", x.Last))
	}
}

// batches says what reading all of them came to.
func (d *doctor) batches(found *recovered) {
	wrong := ""
	if found.ofBatches != nil {
		wrong = "not all could be read: " + found.ofBatches.Error()
	}
	d.tell("batches", wrong, field("good", found.batches), field("bytes", found.bytes))
}

// begin is the verdict on a folder without a journal.
func (d *doctor) begin(found *recovered) string {
	switch logs := len(found.report.Logs); {
	case logs > 0 && d.wrong > 0:
		return fmt.Sprintf("make a journal and take over %d logs that are here, damaged as they are (see above)", logs)
	case logs > 0:
		return fmt.Sprintf("make a journal and take over %d logs that are here", logs)
	}
	return "make a new log directory here"
}

// conclude gives the verdict on a folder that a start would take.
func (d *doctor) conclude(found *recovered) {
	r := found.Recovered
	if r.Fresh {
		d.verdict(d.begin(found))
		return
	}
	stop := "a crash"
	if r.Clean {
		stop = "a clean stop"
	}
	would := fmt.Sprintf("redo %d commits (%d bytes) after %s", r.Commits, r.Bytes, stop)
	doubts := 0
	for i := range found.report.Logs {
		doubts += len(found.report.Logs[i].Doubts)
	}
	var harm []string
	if doubts > 0 {
		harm = append(harm, fmt.Sprintf("%d ranges of offsets offline", doubts))
	}
	if found.segmentsMissing > 0 {
		harm = append(harm, fmt.Sprintf("%d segment files missing or of the wrong size, whose offsets go offline when they are read", found.segmentsMissing))
	}
	switch {
	case len(harm) > 0:
		would += ", and serve everything but what is damaged: " + strings.Join(harm, "; ")
	case d.wrong > 0:
		would += ", and serve everything, though something is damaged (see above)"
	default:
		would += ", and serve everything"
	}
	d.verdict(would)
}

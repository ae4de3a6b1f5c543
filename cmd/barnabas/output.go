package main

import (
	"bufio"
	"fmt"
	"strings"
	"time"
)

// output is stdout for commands that print much: it is written in large pieces. The first error stays.
type output struct {
	w   *bufio.Writer
	err error
}

func newOutput(p *program) *output { return &output{w: bufio.NewWriterSize(p.stdout, 1<<16)} }

func (o *output) add(text string) { o.note(o.w.WriteString(text)) }

// Write is add for who writes to an io.Writer. It does not fail.
func (o *output) Write(text []byte) (int, error) {
	o.addBytes(text)
	return len(text), nil
}

func (o *output) addBytes(text []byte) { o.note(o.w.Write(text)) }

func (o *output) flush() { o.note(0, o.w.Flush()) }

func (o *output) note(_ int, err error) {
	if o.err == nil {
		o.err = err
	}
}

// meter shows on a terminal how far long work is. Elsewhere it shows nothing.
type meter struct {
	p      *program
	what   string
	begun  time.Time
	next   time.Time
	shown  bool
	counts int
}

const meterPause = 200 * time.Millisecond

func (p *program) newMeter(what string) *meter {
	now := time.Now()
	return &meter{p: p, what: what, begun: now, next: now.Add(5 * meterPause)}
}

// count says how much is done.
func (m *meter) count(n int) {
	m.counts++
	if !m.p.shows || m.counts%256 != 0 && n%256 != 0 {
		return
	}
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(meterPause)
	m.show(fmt.Sprintf("%d %s, %.0f a second", n, m.what, float64(n)/now.Sub(m.begun).Seconds()))
}

// show replaces the line shown before.
func (m *meter) show(line string) {
	if m.p.shows {
		m.shown = true
		fmt.Fprintf(m.p.stderr, "\r%s", line+strings.Repeat(" ", max(0, 60-len(line))))
	}
}

// end takes the line away.
func (m *meter) end() {
	if m.shown {
		fmt.Fprintf(m.p.stderr, "\r%s\r", strings.Repeat(" ", 60))
		m.shown = false
	}
}

package architecture

// What several findings end in.
const (
	floatWant    = ": rounding differs between machines; use integers (parts per million, nanoseconds), or say //core:float and why"
	mapWant      = ": its order is random; use core/ordered or slices.Sorted(maps.Keys(m)), or say //core:unordered and why"
	timeWant     = ": only time.Duration and its constants; ask the Clock of core/env for time, the loop for timers"
	variableWant = ": keep state in a struct, or say //core:variable and why here or where it is declared"
	firstWant    = ": *task.Task is not the first and only one of the parameters: a function that may wait takes t *task.Task first"
)

var constructViolations = []violation{
	{
		name: "clean",
		text: `
import (
	"fmt"
	"maps"
	"slices"
	"time"

	"barnabas/core/task"
)

const patience = 3 * time.Second

var names = map[string]int{"a": 1}

type segment struct {
	p      *task.Pending[int]
	weight float64
}

type waiter interface{ wait(t *task.Task, n int) error }

// flush waits, sorts its keys, and carries a float without asking what it is.
func (s *segment) flush(t *task.Task, m map[string]int, weight float64) (string, error) {
	defer s.close()
	s.weight = weight
	local := [3]int{}
	local[1]++
	p := &local
	p[2] = 2
	for _, k := range slices.Sorted(maps.Keys(m)) {
		m[k] = names[k]
	}
	run(t, func(t *task.Task) { t.Yield() })
	n, err := s.p.Wait(t)
	return fmt.Sprintf("100%%pure %d of %v", n, patience), err
}

func (s *segment) close() {}

func run(t *task.Task, f func(t *task.Task)) { f(t) }
`,
	},
	{name: "go", text: `func f() { go f() }`, want: []string{
		"x.go:2: go statement: core runs on one loop; start a task",
	}},
	{name: "channels", text: `
func f(c chan int) {
	c <- 1
	<-c
	select {}
}
func g[C chan int](c C) {
	for range c {
	}
}`, want: []string{
		"x.go:3: channel: core runs on one loop; use what core/task offers to wait",
		"x.go:4: channel send: core runs on one loop; complete a task.Pending",
		"x.go:5: channel receive: core runs on one loop; wait for a task.Pending",
		"x.go:6: select: core runs on one loop; use what core/task offers to wait",
		"x.go:8: channel: core runs on one loop; use what core/task offers to wait",
		"x.go:9: range over a channel: core runs on one loop; wait for a task.Pending",
	}},
	{name: "init", text: `func init() {}`, want: []string{
		"x.go:2: func init: nothing happens before the loop starts; write the value out, or make it in a constructor",
	}},
	{name: "recover", text: `func f() { defer func() { _ = recover() }() }`, want: []string{
		"x.go:2: recover: a panic is our own mistake and stops the broker; only core/task recovers",
	}},
	{name: "recover in task", path: "barnabas/core/task", text: `func f() { defer func() { _ = recover() }() }`},
	{name: "pointer verb", text: `
import "fmt"
func f(x *int) string { return fmt.Sprintf("at %-8p", x) }`, want: []string{
		"x.go:4: %p prints an address, which differs from run to run: print an id",
	}},
	{name: "time", text: `
import clock "time"
func f(d clock.Duration) clock.Time {
	clock.Sleep(d)
	<-clock.After(clock.Second)
	return clock.Now()
}`, want: []string{
		"x.go:4: time.Time" + timeWant,
		"x.go:5: time.Sleep" + timeWant,
		"x.go:6: channel receive: core runs on one loop; wait for a task.Pending",
		"x.go:6: time.After" + timeWant,
		"x.go:7: time.Now" + timeWant,
	}},
	{name: "terminal", text: `
import "fmt"
func f() { fmt.Println(); println() }`, want: []string{
		"x.go:4: fmt.Println: core has no terminal; return the text",
		"x.go:4: println: core has no terminal; return the text",
	}},
	{name: "pipe", text: `
import "io"
func f() { io.Pipe() }`, want: []string{
		"x.go:4: io.Pipe: it blocks the loop",
	}},
	{name: "debug", path: "barnabas/core/task", text: `
import "runtime/debug"
func f() []byte { debug.FreeOSMemory(); return debug.Stack() }`, want: []string{
		"x.go:4: runtime/debug.FreeOSMemory: only the stack of a panic",
	}},
	{name: "range over a map", text: `
type table map[int]int
func f(m table) {
	for range m {
	}
}
func g[M ~map[K]V, K comparable, V any](m M) {
	for range m {
	}
}`, want: []string{
		"x.go:5: range over a map" + mapWant,
		"x.go:9: range over a map" + mapWant,
	}},
	{name: "map iterators", text: `
import (
	"maps"
	"slices"
)
func f(m map[int]int) []int {
	for range maps.All(m) {
	}
	keys := maps.Keys[map[int]int]
	_ = slices.Collect(keys(m))
	_ = slices.Sorted(maps.Values(m))
	maps.DeleteFunc(m, nil)
	return slices.SortedFunc(maps.Keys(m), nil)
}`, want: []string{
		"x.go:8: maps.All" + mapWant,
		"x.go:10: maps.Keys" + mapWant,
		"x.go:13: maps.DeleteFunc" + mapWant,
		"x.go:14: maps.Keys" + mapWant,
	}},
	{name: "floats", text: `
import "math"
type ratio float64
func f(a, b ratio, n int) (int, bool) {
	const half = 1.0 / 2
	c := a * b
	c += half
	c++
	switch c {
	}
	_ = -c
	_ = math.Floor(float64(c))
	_ = math.Float64bits(float64(c))
	_ = float64(n)
	return int(c), a < 1
}
func g[F ~float32 | ~float64](a F) F { return a + a }`, want: []string{
		"x.go:7: float *" + floatWant,
		"x.go:8: float +=" + floatWant,
		"x.go:9: float ++" + floatWant,
		"x.go:10: switch on a float" + floatWant,
		"x.go:12: float -" + floatWant,
		"x.go:13: math.Floor" + floatWant,
		"x.go:15: conversion of a float" + floatWant,
		"x.go:16: conversion of a float" + floatWant,
		"x.go:16: float <" + floatWant,
		"x.go:18: float +" + floatWant,
	}},
}

var variableViolations = []violation{
	{name: "package variables", text: `
import "barnabas/core/task"
type counter struct{ n int; list []int }
func (c *counter) add() { c.n++ }
func (c counter) get() int { return c.n }
var (
	plain  int
	table  = map[int]int{}
	array  [4]int
	one    counter
	behind = &counter{}
)
func f(n int) int {
	plain = n
	plain++
	table[n] = 1
	delete(table, n)
	array[0], n = 1, 2
	one.list[3] = 4
	behind.n = 1
	_ = &one.n
	_ = array[:]
	one.add()
	task.Limit = 3
	for plain = range 3 {
	}
	copy(one.list, []int{})
	plain := 1
	plain = 2
	return one.get() + table[1] + array[2] + plain
}`, want: []string{
		"x.go:15: package variable plain is written" + variableWant,
		"x.go:16: package variable plain is written" + variableWant,
		"x.go:17: package variable table is written" + variableWant,
		"x.go:18: package variable table is written" + variableWant,
		"x.go:19: package variable array is written" + variableWant,
		"x.go:20: package variable one is written" + variableWant,
		"x.go:21: package variable behind is written" + variableWant,
		"x.go:22: package variable one is addressed" + variableWant,
		"x.go:23: package variable array is addressed" + variableWant,
		"x.go:24: package variable one is addressed" + variableWant,
		"x.go:25: package variable Limit is written" + variableWant,
		"x.go:26: package variable plain is written" + variableWant,
		"x.go:28: package variable one is written" + variableWant,
	}},
	{name: "excused where declared", text: `
//core:variable the switch of a test
var on bool
func f() { on = true; on = false }`},
	{name: "excused where written", text: `
var on bool
func f() {
	on = true //core:variable the switch of a test
	on = false
}`, want: []string{
		"x.go:6: package variable on is written" + variableWant,
	}},
}

var taskViolations = []violation{
	{name: "task first", text: `
import "barnabas/core/task"
type s struct{}
func (s) method(n int, t *task.Task) {}
func two(a, b *task.Task) {}
type i interface{ wait(n int, t *task.Task) }
type f func(string, *task.Task)
var literal = func(n int, t *task.Task) {}
func right(t *task.Task, n int) {}
type renamed = task.Task
func hidden(n int, t *renamed) {}
func several(t ...*task.Task) {}`, want: []string{
		"x.go:5" + firstWant,
		"x.go:6" + firstWant,
		"x.go:7" + firstWant,
		"x.go:8" + firstWant,
		"x.go:9" + firstWant,
		"x.go:12" + firstWant,
		"x.go:13" + firstWant,
	}},
	{name: "deferred", text: `
import "barnabas/core/task"
func f(t *task.Task, p *task.Pending[int]) {
	defer p.Wait(t)
	defer func() {
		p.Wait(t)
	}()
	defer t.Yield()
}`, want: []string{
		"x.go:5: task t in a deferred call: deferred functions never wait, they run while a task is being killed too",
		"x.go:7: task t in a deferred call: deferred functions never wait, they run while a task is being killed too",
		"x.go:9: task t in a deferred call: deferred functions never wait, they run while a task is being killed too",
	}},
	{name: "captured", text: `
import "barnabas/core/task"
func f(t *task.Task, p *task.Pending[int]) (func(), func()) {
	//core:task runs inside its caller
	g := func() { p.Wait(t) }
	return g, func() {
		func(t *task.Task) { t.Yield() }(nil)
		p.Wait(t)
	}
}`, want: []string{
		"x.go:9: task t of the function around this literal: give the literal its own t *task.Task as first parameter, or say //core:task and why",
	}},
	{name: "the loop itself", path: "barnabas/core/task", text: `
type Task struct{}
func (t *Task) Yield() {}
func f(t *Task) func() {
	defer t.Yield()
	return func() { t.Yield() }
}`},
}

var excuseViolations = []violation{
	{name: "excused", text: `
func f(m map[int]int, a float64) (sum int) {
	//core:unordered a sum
	for _, v := range m {
		sum += v
	}
	for range m { //core:unordered a count
		sum++
	}
	_ = a < 1 //core:float only shown
	return sum
}`},
	{name: "excuse for another rule", text: `
func f(m map[int]int) {
	for range m { //core:float a count
	}
}`, want: []string{
		"x.go:4: //core:float excuses nothing: remove it",
		"x.go:4: range over a map" + mapWant,
	}},
	{name: "excuse too far", text: `
func f(m map[int]int) {
	//core:unordered a count

	for range m {
	}
	_ = 1 //core:unordered a count
	for range m {
	}
}`, want: []string{
		"x.go:4: //core:unordered excuses nothing: remove it",
		"x.go:6: range over a map" + mapWant,
		"x.go:8: //core:unordered excuses nothing: remove it",
		"x.go:9: range over a map" + mapWant,
	}},
	{name: "excuse without a reason", text: `
func f(m map[int]int) {
	//core:unordered
	for range m {
	}
}`, want: []string{
		"x.go:4: //core:unordered needs a reason: say why it is harmless here",
		"x.go:5: range over a map" + mapWant,
	}},
	{name: "excuse of no kind", text: `
//core:whatever because
func f() {}`, want: []string{
		"x.go:3: no excuse is called //core:whatever; there are float, task, unordered, variable",
	}},
}

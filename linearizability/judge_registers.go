package linearizability

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// anyValue is the value of something that is there and that nobody was told the value of.
const anyValue = "?"

// entry is one change of a register.
type entry struct {
	metadata int64 // -1 when it is not known
	value    string
}

// request is an operation on a register, and how many changes are known below its metadata offset.
type request struct {
	*Operation
	known int
}

// registerModel is the model of one register: all its changes, in order.
func registerModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{[]entry(nil)} },
		Step: func(state, input, _ any) []any {
			r := input.(*request)
			if r.Kind == Get {
				return readRegister(state.([]entry), r)
			}
			return changeRegister(state.([]entry), r)
		},
		Equal:             func(a, b any) bool { return slices.Equal(a.([]entry), b.([]entry)) },
		DescribeOperation: func(input, _ any) string { return input.(*request).String() },
		DescribeState:     func(state any) string { return fmt.Sprint(state) },
	}
	return model.ToModel()
}

func changeRegister(log []entry, r *request) (next []any) {
	now, above := "", int64(-1)
	for _, e := range log {
		now, above = e.value, max(above, e.metadata)
	}
	own := r.Register.Value
	e := entry{r.Register.Metadata, own}
	allowed, conflicts := true, false
	switch r.Kind {
	case Create:
		allowed, conflicts = now == "", now != ""
		if own == "" {
			e.value = anyValue
		}
	case Delete:
		same := own == "" || own == now || now == anyValue
		allowed, conflicts = now != "" && same, now == "" || own != now && own != ""
		e.value = ""
	}
	if r.Outcome == Conflict {
		if conflicts {
			return []any{log}
		}
		return nil
	}
	if r.Outcome == Unknown {
		next = append(next, log)
		e.metadata = -1
	}
	if allowed && (e.metadata < 0 || e.metadata > above) {
		next = append(next, append(slices.Clone(log), e))
	}
	return next
}

func readRegister(log []entry, r *request) []any {
	end, known := r.Register.Metadata, 0
	values := []string{""} // that it may have at the end of the image
	for _, e := range log {
		switch {
		case end >= 0 && e.metadata >= end:
			if known != r.known {
				return nil
			}
			return readOf(values, log, r)
		case end < 0 || e.metadata >= 0:
			values = []string{e.value}
			known++
		default:
			values = append(values, e.value)
		}
	}
	if end >= 0 && known != r.known {
		return nil
	}
	return readOf(values, log, r)
}

func readOf(values []string, log []entry, r *request) []any {
	if slices.Contains(values, r.Register.Value) || r.Register.Value != "" && slices.Contains(values, anyValue) {
		return []any{log}
	}
	return nil
}

// JudgeRegisters has Porcupine judge the history of each register. Reads of an image are held against its metadata offset,
// other reads are a controller's.
func JudgeRegisters(h *History, patience time.Duration) Verdict {
	worst := Linearizable
	for _, v := range judgeRegisters(h, patience) {
		worst = max(worst, v.verdict)
	}
	return worst
}

// verdictOn is what Porcupine says of one register.
type verdictOn struct {
	key     string
	verdict Verdict
}

func judgeRegisters(h *History, patience time.Duration) (all []verdictOn) {
	registers := registersOf(h)
	for _, key := range slices.Sorted(maps.Keys(registers)) {
		r := porcupine.CheckOperationsTimeout(registerModel(), registers[key], patience)
		all = append(all, verdictOn{key, verdictOf(r)})
	}
	return all
}

// registersOf translates the operations on each register.
func registersOf(h *History) map[string][]porcupine.Operation {
	changes := changesOf(h)
	operations := make(map[string][]porcupine.Operation)
	for at := range h.Operations {
		o := &h.Operations[at]
		if !o.Kind.OfRegister() || o.Outcome == Failed || o.Kind == Get && o.Outcome != OK {
			continue
		}
		ret := o.Return
		if o.Outcome == Unknown {
			ret = Never
		}
		below, _ := slices.BinarySearch(changes[o.Register.Key], o.Register.Metadata)
		operations[o.Register.Key] = append(operations[o.Register.Key], porcupine.Operation{
			ClientId: int(o.Client), Input: &request{o, below}, Call: o.Call, Return: ret,
		})
	}
	return operations
}

// changesOf returns the known metadata offsets of each register's changes, ascending.
func changesOf(h *History) map[string][]int64 {
	changes := make(map[string][]int64)
	for at := range h.Operations {
		o := &h.Operations[at]
		if o.Kind.OfRegister() && o.Kind != Get && o.Outcome == OK && o.Register.Metadata >= 0 {
			changes[o.Register.Key] = append(changes[o.Register.Key], o.Register.Metadata)
		}
	}
	for _, offsets := range changes {
		slices.Sort(offsets)
	}
	return changes
}

package linearizability

import (
	"fmt"
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
	operations := make(map[string][]porcupine.Operation)
	var keys []string
	for at := range h.Operations {
		o := &h.Operations[at]
		if !o.Kind.OfRegister() || o.Outcome == Failed || o.Kind == Get && o.Outcome != OK {
			continue
		}
		key := o.Register.Key
		if operations[key] == nil {
			keys = append(keys, key)
		}
		ret := o.Return
		if o.Outcome == Unknown {
			ret = Never
		}
		operations[key] = append(operations[key], porcupine.Operation{
			ClientId: int(o.Client), Input: &request{o, knownBelow(h, o)}, Call: o.Call, Return: ret,
		})
	}
	for _, key := range keys {
		if v := verdictOf(porcupine.CheckOperationsTimeout(registerModel(), operations[key], patience)); v != Linearizable {
			return v
		}
	}
	return Linearizable
}

// knownBelow returns how many changes are known to stand below a read's metadata offset.
func knownBelow(h *History, read *Operation) (count int) {
	if read.Kind != Get || read.Register.Metadata < 0 {
		return 0
	}
	for at := range h.Operations {
		o := &h.Operations[at]
		if o.Kind.OfRegister() && o.Kind != Get && o.Outcome == OK && o.Register.Key == read.Register.Key &&
			o.Register.Metadata >= 0 && o.Register.Metadata < read.Register.Metadata {
			count++
		}
	}
	return count
}

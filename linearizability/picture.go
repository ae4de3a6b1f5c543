package linearizability

import (
	"fmt"
	"io"
	"slices"

	"github.com/anishathalye/porcupine"
)

// aroundMax is how many batches before and behind the finding a picture shows.
const aroundMax = 24

// Picture writes an HTML page about a finding: the operations around it as Porcupine sees them, how far it gets, and what
// Check says of it. Browsers show it without anything else.
func Picture(h *History, f *Finding, w io.Writer) error {
	model, operations, err := pictured(h, f)
	if err != nil {
		return err
	}
	inLanes(operations, len(h.Clients))
	_, info := porcupine.CheckOperationsVerbose(model, operations, defaultPatience)
	info.AddAnnotations(notes(h, f))
	return porcupine.Visualize(model, info, w)
}

// pictured returns what a picture of the finding shows.
func pictured(h *History, f *Finding) (porcupine.Model, []porcupine.Operation, error) {
	if f.partition < 0 {
		return registerModel(), registersOf(h)[f.Where], nil
	}
	c := &checker{book: book{h: h}, senders: make([]sender, len(h.Clients))}
	starts, places := c.byPartition()
	if err := c.place(int(f.partition), places[starts[f.partition]:starts[f.partition+1]]); err != nil {
		return porcupine.Model{}, nil, err
	}
	n := c.below(f.Offset)
	cut := newWindower(c).cut(max(0, n-aroundMax), min(len(c.order), n+aroundMax))
	return logModel(cut.start), cut.operations, nil
}

// inLanes gives operations that overlap lanes of their own: several of one client, and what stands for the rest of the log.
func inLanes(operations []porcupine.Operation, clients int) {
	order := make([]int, len(operations))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(operations[a].Call, operations[b].Call) })
	type lane struct {
		client int
		until  int64
	}
	var lanes []lane
	for _, i := range order {
		o := &operations[i]
		if b, ok := o.Input.(*batch); ok && b.send < 0 {
			o.ClientId = clients // nobody's
		}
		at := slices.IndexFunc(lanes, func(l lane) bool { return l.client == o.ClientId && l.until < o.Call })
		if at < 0 {
			at = len(lanes)
			lanes = append(lanes, lane{client: o.ClientId})
		}
		lanes[at].until = o.Return
		o.ClientId = at
	}
}

// notes are the finding and the operations that prove it.
func notes(h *History, f *Finding) (all []porcupine.Annotation) {
	for i, at := range f.Operations {
		o := &h.Operations[at]
		note := porcupine.Annotation{
			Tag: f.Anomaly.String(), Start: o.Call, End: o.Return, Description: fmt.Sprintf("%s %d", o.Kind, i+1),
			Details: fmt.Sprintf("%s\n%s: %s", f.Detail, h.where(int32(at)), short(o.String())), BackgroundColor: "#ffd0d0",
		}
		if o.Return == Never {
			note.End = o.Call
		}
		all = append(all, note)
	}
	return all
}

package linearizability

import "cmp"

// Examine is Check, then Porcupine on windows of each partition and on each register. What Porcupine adds to a history that
// Check passes is a disagreement of the two, or that it ran out of time; neither is a pass.
func Examine(h *History, w Windows) (*Report, error) {
	report, err := Check(h)
	if err != nil {
		return nil, err
	}
	windows, err := JudgeWindows(h, w)
	if err != nil {
		return nil, err
	}
	report.add(windows)
	b := book{h: h}
	for _, v := range judgeRegisters(h, cmp.Or(w.Patience, defaultPatience)) {
		b.open(v.key, -1)
		switch v.verdict {
		case Illegal:
			b.find(NotLinearizable, -1, nil, "no order of operations explains it")
		case Undecided:
			b.find(LinearizabilityUnknown, -1, nil, "Porcupine could not decide")
		}
	}
	report.add(&b.report)
	return report, nil
}

func (r *Report) add(o *Report) {
	r.Findings = append(r.Findings, o.Findings...)
	for a, n := range o.Counts {
		r.Counts[a] += n
	}
}

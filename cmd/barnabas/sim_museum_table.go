package main

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"barnabas/core/mutant"
)

// exhibit is what was measured of one mutant.
type exhibit struct {
	entry   mutant.Entry
	hunts   []hunt
	unclean []uint64 // seeds with a violation without the mutant, too
	commit  string
}

// found says whether every trial found the mutant, and nothing else.
func (x *exhibit) found() bool {
	for _, h := range x.hunts {
		if h.oracle == "" {
			return false
		}
	}
	return len(x.unclean) == 0
}

// seeds says how many seeds trials took: the median, the least and the most. A trial that gave up counts as more than any other.
func (x *exhibit) seeds(off bool) string {
	const never = ^uint64(0)
	var counts []uint64
	most := uint64(0)
	for _, h := range x.hunts {
		switch {
		case h.off != off:
		case h.oracle == "":
			counts, most = append(counts, never), h.seeds
		default:
			counts = append(counts, h.seeds)
		}
	}
	if len(counts) == 0 {
		return "–"
	}
	slices.Sort(counts)
	show := func(n uint64) string {
		if n == never {
			return fmt.Sprintf("over %d", most)
		}
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s, %s–%s (%d)", show(counts[(len(counts)-1)/2]), show(counts[0]), show(counts[len(counts)-1]), len(counts))
}

// oracles says who found it, the most frequent first.
func (x *exhibit) oracles(off bool) string {
	count := make(map[string]int)
	for _, h := range x.hunts {
		if h.off == off && h.oracle != "" {
			count[h.oracle]++
		}
	}
	names := slices.Sorted(maps.Keys(count))
	slices.SortStableFunc(names, func(a, b string) int { return count[b] - count[a] })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, count[name])
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

func (x *exhibit) cleanWithout() string {
	if len(x.unclean) > 0 {
		return fmt.Sprintf("NO: %d", x.unclean)
	}
	return "yes"
}

const exhibitHead = "MUTANT                        SEEDS                LEDGER OFF           CLEAN  FOUND BY\n"

// line shows the exhibit for eyes.
func (x *exhibit) line() string {
	text := fmt.Sprintf("%-29s %-20s %-20s %-6s %s", x.entry.Name, x.seeds(false), x.seeds(true), x.cleanWithout(), x.oracles(false))
	if x.entry.Loss {
		text += "; " + x.oracles(true)
	}
	inside := uint64(0)
	for _, h := range x.hunts {
		inside += h.inside
	}
	if inside > 0 {
		text += fmt.Sprintf("; %d more seeds were noticed, not by an oracle that counts", inside)
	}
	return text + "\n"
}

// The region of a document that holds the museum's table.
const (
	museumBegin = "<!-- museum -->"
	museumEnd   = "<!-- /museum -->"
)

const museumHead = `| Mutant | Breaks | Origin | Found by | Seeds: median, least–most (trials) | Ledger off: found by | Seeds | Clean without | Commit |
|---|---|---|---|---|---|---|---|---|
`

// row is the exhibit in the document's table.
func (x *exhibit) row() string {
	cells := []string{
		x.entry.Name, x.entry.Claim, x.entry.Origin, x.oracles(false), x.seeds(false), x.oracles(true), x.seeds(true),
		x.cleanWithout(), x.commit,
	}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "/")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// writeMuseum replaces the rows of what was measured in the file's table, and leaves everything else as it is.
func writeMuseum(path string, measured []exhibit) error {
	return rewrite(path, func(text string) (string, error) { return withMuseum(text, measured) })
}

// rewrite changes the file of --write.
func rewrite(path string, change func(string) (string, error)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("could not read the file of --write: %w", err)
	}
	changed, err := change(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(changed), 0o644)
}

// withMuseum returns the text with the measured rows in the table's region. Other mutants keep the rows they have.
func withMuseum(text string, measured []exhibit) (string, error) {
	var order []string
	for _, e := range mutant.Museum() {
		order = append(order, e.Name)
	}
	rows := make(map[string]string)
	for i := range measured {
		rows[measured[i].entry.Name] = measured[i].row()
	}
	return region{museumBegin, museumEnd, museumHead}.with(text, order, rows)
}

// region is a table in a document, whose rows begin with a name.
type region struct{ begin, end, head string }

// with returns the text with these rows in the table, in this order. Names without a new row keep the one they have.
func (r region) with(text string, order []string, fresh map[string]string) (string, error) {
	before, rest, opened := strings.Cut(text, r.begin+"\n")
	old, after, closed := strings.Cut(rest, r.end)
	if !opened || !closed {
		return "", fmt.Errorf("there is no region from %s to %s to write the table into", r.begin, r.end)
	}
	rows := make(map[string]string)
	for line := range strings.Lines(old) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok {
			rows[name] = line
		}
	}
	maps.Copy(rows, fresh)
	var table strings.Builder
	table.WriteString(r.head)
	for _, name := range order {
		table.WriteString(rows[name])
	}
	return before + r.begin + "\n" + table.String() + r.end + after, nil
}

// commitOf returns the commit a binary was built from, as far as the build says so.
func commitOf(read func() (*debug.BuildInfo, bool)) string {
	info, ok := read()
	if !ok {
		return "unknown"
	}
	commit, changed := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(7, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " and changes"
		}
	}
	return commit + changed
}

package linearizability

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// story is a history as text with what must be found in it. In testdata/stories.txt stories stand one after another:
//
//	== what happens
//	lines of a history, without the first
//	-- ANOMALY LINES: of each finding the lines that prove it, by their numbers within the story
//
// A story without findings is clean. A history that makes no sense has the line "-- error TEXT".
type story struct {
	name string
	text string
	want []string
}

// storyFiles hold stories. On those of the first two Porcupine must say the same.
var storyFiles = []string{"stories.txt", "registers.txt", "stale.txt", "senseless.txt"}

func readStories(t testing.TB, file string) (all []story) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "\n== ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		s := story{name: name, text: header + "\n"}
		for _, line := range strings.Split(strings.TrimSpace(rest), "\n") {
			if want, ok := strings.CutPrefix(line, "-- "); ok {
				s.want = append(s.want, want)
			} else {
				s.text += line + "\n"
			}
		}
		all = append(all, s)
	}
	return all
}

// findings returns what Check finds, in the form of stories.
func (s *story) findings() (h *History, got []string, err error) {
	if h, err = Read(strings.NewReader(s.text)); err != nil {
		return nil, nil, err
	}
	report, err := Check(h)
	if err != nil {
		return h, []string{"error " + err.Error()}, nil
	}
	for _, f := range report.Findings {
		line := f.Anomaly.String()
		for _, at := range f.Operations {
			line += fmt.Sprintf(" %d", h.Line(at)-1) // without the header
		}
		got = append(got, line)
	}
	return h, got, nil
}

// told says whether the findings are those of the story.
func (s *story) told(got []string) bool { return strings.Join(got, "\n") == strings.Join(s.want, "\n") }

func TestStories(t *testing.T) {
	for _, file := range storyFiles {
		for _, s := range readStories(t, file) {
			t.Run(s.name, func(t *testing.T) {
				h, got, err := s.findings()
				if err != nil {
					t.Fatal(err)
				}
				if !s.told(got) {
					t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(s.want, "\n"))
				}
				if !slices.Contains([]string{"stories.txt", "registers.txt"}, file) {
					return
				}
				if v := Judge(h, patience); (v == Linearizable) != (len(s.want) == 0) {
					t.Errorf("Porcupine says it is %v", v)
				}
			})
		}
	}
}

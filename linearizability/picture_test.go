package linearizability

import (
	"bytes"
	"strings"
	"testing"
)

// Of every finding of every story there is a picture that names it.
func TestPictures(t *testing.T) {
	pictures := 0
	for _, file := range []string{"stories.txt", "registers.txt"} {
		for _, s := range readStories(t, file) {
			h, err := Read(strings.NewReader(s.text))
			if err != nil {
				t.Fatal(err)
			}
			report, err := Check(h)
			if err != nil {
				t.Fatal(err)
			}
			for i := range report.Findings {
				var page bytes.Buffer
				f := &report.Findings[i]
				if err := Picture(h, f, &page); err != nil || !strings.Contains(page.String(), "<html") || !strings.Contains(page.String(), f.Anomaly.String()) {
					t.Errorf("%s: %v: %v, %d bytes", s.name, f.Anomaly, err, page.Len())
				}
				pictures++
			}
		}
	}
	if pictures < 40 {
		t.Errorf("%d pictures", pictures)
	}
}

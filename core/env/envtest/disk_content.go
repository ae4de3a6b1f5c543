package envtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Stories write bytes as runs: "a*4096,.*10,b" is 4096 a, ten zeros and one b; "-" is nothing. "?" is noise, which is
// only ever read.

const diskSector = 512

// parseRuns returns the bytes of a text of runs.
func parseRuns(text string) (p []byte) {
	if text == "-" {
		return nil
	}
	for run := range strings.SplitSeq(text, ",") {
		letter, times, many := strings.Cut(run, "*")
		count := 1
		if many {
			count, _ = strconv.Atoi(times)
		}
		c := letter[0]
		if c == '.' {
			c = 0
		}
		for range count {
			p = append(p, c)
		}
	}
	return p
}

// renderRuns is parseRuns backwards. Sectors that no story writes are shown as noise.
func renderRuns(p []byte) string {
	var shown []byte
	for at := 0; at < len(p); at += diskSector {
		sector := p[at:min(at+diskSector, len(p))]
		if noisy(sector) {
			shown = append(shown, strings.Repeat("?", len(sector))...)
		} else {
			shown = append(shown, sector...)
		}
	}
	var runs []string
	for at := 0; at < len(shown); {
		end := at + 1
		for end < len(shown) && shown[end] == shown[at] {
			end++
		}
		runs = append(runs, renderRun(shown[at], end-at))
		at = end
	}
	if runs == nil {
		return "-"
	}
	return strings.Join(runs, ",")
}

func renderRun(c byte, count int) string {
	letter := string(rune(c))
	if c == 0 {
		letter = "."
	}
	if count == 1 {
		return letter
	}
	return fmt.Sprintf("%s*%d", letter, count)
}

// noisy says whether a sector holds anything but letters and zeros.
func noisy(sector []byte) bool {
	for _, c := range sector {
		if c != 0 && (c < 'A' || c > 'z') {
			return true
		}
	}
	return false
}

// RenderDisk writes down the files of a disk in one line, for comparison.
func RenderDisk(paths []string, contents [][]byte) string {
	var files []string
	for i, path := range paths {
		files = append(files, path+"="+renderRuns(contents[i]))
	}
	if files == nil {
		return "nothing"
	}
	return strings.Join(files, " ")
}

package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// line is one line as it is read, word by word. After the first error the rest is nonsense, and only the error counts.
type line struct {
	words []string
	err   error
}

func (l *line) fail(format string, arguments ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, arguments...)
	}
}

// split cuts a line into words. Words in quotes are as Go writes them; what follows a # is a comment.
func (l *line) split(s string) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		switch {
		case s == "" || s[0] == '#':
			return
		case s[0] == '"':
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				l.fail("a quote that does not end")
				return
			}
			word, err := strconv.Unquote(quoted)
			if err != nil {
				l.fail("%s is not quoted as Go does", quoted)
				return
			}
			l.words = append(l.words, word)
			s = s[len(quoted):]
		default:
			end := strings.IndexAny(s, " \t\r\n")
			if end < 0 {
				end = len(s)
			}
			l.words = append(l.words, s[:end])
			s = s[end:]
		}
	}
}

// word takes the next word.
func (l *line) word() string {
	if len(l.words) == 0 {
		l.fail("a word is missing at the end")
		return ""
	}
	word := l.words[0]
	l.words = l.words[1:]
	return word
}

// name takes the next word, which has nothing in it that would need quotes.
func (l *line) name() string {
	word := l.word()
	for _, r := range word {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			l.fail("%q is no name", word)
			return ""
		}
	}
	return word
}

// keyword takes the next word, which must be this one.
func (l *line) keyword(want string) {
	if got := l.word(); got != want {
		l.fail("%q stands where %q must", got, want)
	}
}

// flag takes the next word if it is this one.
func (l *line) flag(name string) bool {
	if len(l.words) > 0 && l.words[0] == name {
		l.words = l.words[1:]
		return true
	}
	return false
}

func (l *line) unsigned(most uint64) uint64 { return l.parsed(l.word(), most) }

func (l *line) parsed(word string, most uint64) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil || n > most {
		l.fail("%q is no number from 0 to %d", word, most)
		return 0
	}
	return n
}

func (l *line) duration() time.Duration {
	d := l.signedDuration()
	if d < 0 {
		l.fail("%v is a negative time", d)
		return 0
	}
	return d
}

func (l *line) signedDuration() time.Duration {
	word := l.word()
	d, err := time.ParseDuration(word)
	if err != nil || d > timeMax || d < -timeMax {
		l.fail("%q is no time: write 1.5s, 20ms, 100us", word)
		return 0
	}
	return d
}

func (l *line) oneOf(what string, names []string) string {
	word := l.word()
	if !slices.Contains(names, word) {
		l.fail("there is no %s %q; there are %s", what, word, strings.Join(names, ", "))
	}
	return word
}

// end sees to it that nothing is left.
func (l *line) end() {
	if len(l.words) > 0 {
		l.fail("%q is too much", strings.Join(l.words, " "))
	}
}

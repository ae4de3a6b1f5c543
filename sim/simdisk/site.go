package simdisk

import (
	"path"
	"strings"
)

// Site is one operation of a program, named so that another run of it finds it again: the Nth of its kind on files of
// its class.
type Site struct {
	Kind  Kind
	Class string
	Nth   uint64 // from 1
}

// NoteSites has the machine note the site of every operation from now on, until EndFaults.
func (m *Machine) NoteSites() { m.seen = map[Site]uint64{} }

// Sites returns the sites noted, in the order the operations were submitted.
func (m *Machine) Sites() []Site { return m.sites }

func (m *Machine) noteSite(o *operation) {
	site := Site{Kind: o.kind, Class: Class(o.name())}
	m.seen[site]++
	site.Nth = m.seen[site]
	m.sites = append(m.sites, site)
}

// Class names the kind of file that a path is: its last name, with # for every number in it. The root is "/".
func Class(name string) string {
	if name = path.Base(name); name == "." {
		return "/"
	}
	var class strings.Builder
	inNumber := false
	for _, c := range []byte(name) {
		digit := c >= '0' && c <= '9'
		switch {
		case !digit:
			class.WriteByte(c)
		case !inNumber:
			class.WriteByte('#')
		}
		inNumber = digit
	}
	return class.String()
}

// Match says whether a file fits a pattern of package path: the last name of its path, or the whole path if the pattern
// has a slash. The empty pattern fits every file.
func Match(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	if !strings.Contains(pattern, "/") {
		name = path.Base(name)
	}
	fits, err := path.Match(pattern, name)
	return fits && err == nil
}

package simdisk

import (
	"slices"
	"strings"
)

// names are what a folder names, in ascending order. There are few, and they are copied often.
type names struct{ entries []entry }

type entry struct {
	name  string
	inode *inode
}

func (n *names) find(name string) (int, bool) {
	return slices.BinarySearchFunc(n.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
}

// Len returns how many there are.
func (n *names) Len() int { return len(n.entries) }

// At returns what has the name, or nil.
func (n *names) At(name string) *inode {
	if at, ok := n.find(name); ok {
		return n.entries[at].inode
	}
	return nil
}

// Set gives the name to an inode.
func (n *names) Set(name string, f *inode) {
	at, ok := n.find(name)
	if !ok {
		n.entries = slices.Insert(n.entries, at, entry{name: name})
	}
	n.entries[at].inode = f
}

// Delete takes the name away, if something has it.
func (n *names) Delete(name string) {
	if at, ok := n.find(name); ok {
		n.entries = slices.Delete(n.entries, at, at+1)
	}
}

// All walks names in ascending order. They must not change in the walk.
func (n *names) All(yield func(string, *inode) bool) {
	for _, e := range n.entries {
		if !yield(e.name, e.inode) {
			return
		}
	}
}

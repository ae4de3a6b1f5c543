package linearizability

import "slices"

// register is what is known of one register.
type register struct {
	changes []change // with known metadata offsets
	reads   []int32  // with known metadata offsets
	open    []int32  // changes that may have happened anywhere
}

// change is one change at its place in the metadata log.
type change struct {
	metadata int64
	ret      int64 // it had happened then
	op       int32
	by       int32 // the operation that shows it
}

// checkRegisters judges registers with metadata offsets as witnesses. What has none is left to Porcupine.
func (c *checker) checkRegisters() error {
	registers := make(map[string]*register)
	var keys []string
	images := make([]int32, len(c.h.Clients)) // each client's newest read with a metadata offset, plus one
	c.open("", -1)
	for at := range c.h.Operations {
		o := &c.h.Operations[at]
		if !o.Kind.OfRegister() {
			continue
		}
		r := registers[o.Register.Key]
		if r == nil {
			r = &register{}
			registers[o.Register.Key] = r
			keys = append(keys, o.Register.Key)
		}
		c.file(r, int32(at), o)
		if o.Kind == Get && o.Outcome == OK && o.Register.Metadata >= 0 {
			c.judgeImage(&images[o.Client], int32(at), o)
		}
	}
	for _, key := range keys {
		c.open(key, -1)
		c.checkRegister(registers[key])
	}
	return nil
}

// file puts the operation where it belongs.
func (c *checker) file(r *register, at int32, o *Operation) {
	known := o.Register.Metadata >= 0
	switch {
	case o.Outcome == Failed || o.Outcome == Conflict:
	case o.Kind == Get:
		if known && o.Outcome == OK {
			r.reads = append(r.reads, at)
		}
	case known && o.Outcome == OK:
		r.changes = append(r.changes, change{o.Register.Metadata, o.Return, at, at})
	default:
		r.open = append(r.open, at)
	}
}

// judgeImage: one client reads from images that grow.
func (c *checker) judgeImage(newest *int32, at int32, o *Operation) {
	if *newest > 0 {
		before := &c.h.Operations[*newest-1]
		if o.Register.Metadata < before.Register.Metadata && o.Call > before.Return {
			c.book.find(RegisterStale, -1, []int32{*newest - 1, at}, "it was read from an image that ends at %d, after one that ends at %d",
				o.Register.Metadata, before.Register.Metadata)
			return
		}
	}
	*newest = at + 1
}

func (c *checker) checkRegister(r *register) {
	slices.SortStableFunc(r.changes, func(a, b change) int { return compare(a.metadata, b.metadata) })
	for _, at := range r.reads {
		o := &c.h.Operations[at]
		if n := r.before(o.Register.Metadata); n > 0 {
			if last := &r.changes[n-1]; o.Return < last.ret {
				last.ret, last.by = o.Return, at
			}
		}
	}
	earliest := len(r.changes) - 1
	for n := len(r.changes) - 1; n >= 0; n-- {
		change := &r.changes[n]
		if change.ret <= r.changes[earliest].ret {
			earliest = n
		}
		if shown := &r.changes[earliest]; shown.ret < c.h.Operations[change.op].Call {
			c.book.find(RegisterOrder, -1, []int32{change.op, shown.op, shown.by}, "the change at metadata offset %d was asked for after that at %d had happened",
				change.metadata, shown.metadata)
		}
		if n > 0 && r.changes[n-1].metadata == change.metadata {
			c.book.find(RegisterOrder, -1, []int32{r.changes[n-1].op, change.op}, "two changes have the metadata offset %d", change.metadata)
		}
	}
	if len(r.open) == 0 {
		c.judgeStates(r)
	}
	for _, at := range r.reads {
		c.judgeRead(r, at)
	}
}

// before returns how many changes are below the metadata offset.
func (r *register) before(metadata int64) int {
	n, _ := slices.BinarySearchFunc(r.changes, metadata, func(c change, m int64) int { return compare(c.metadata, m) })
	return n
}

// judgeStates: each change was allowed by the one before.
func (c *checker) judgeStates(r *register) {
	value, last := "", int32(-1)
	for _, change := range r.changes {
		o := &c.h.Operations[change.op]
		allowed := true
		switch {
		case o.Kind == Create:
			allowed = value == ""
		case o.Kind == Delete:
			allowed = value != "" && (o.Register.Value == "" || o.Register.Value == value)
		}
		if !allowed {
			c.book.find(RegisterState, -1, []int32{last, change.op}, "it was %q, and the %s succeeded", value, o.Kind)
		}
		value, last = o.after(), change.op
	}
}

// after returns the value after a change.
func (o *Operation) after() string {
	if o.Kind == Delete {
		return ""
	}
	return o.Register.Value
}

// judgeRead: what was read is the last change before the end of the image, or one whose place is not known.
func (c *checker) judgeRead(r *register, at int32) {
	o := &c.h.Operations[at]
	value, last := "", int32(-1)
	if n := r.before(o.Register.Metadata); n > 0 {
		last = r.changes[n-1].op
		value = c.h.Operations[last].after()
	}
	if o.Register.Value == value {
		return
	}
	for _, open := range r.open {
		if made := c.h.Operations[open].after(); o.Register.Value == made || made == "" && c.h.Operations[open].Kind == Create {
			return // a topic whose id nobody was told has any id
		}
	}
	c.book.find(RegisterRead, -1, []int32{last, at}, "it was %q before metadata offset %d, and %q was read", value, o.Register.Metadata, o.Register.Value)
}

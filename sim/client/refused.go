package client

// patience is how often a consumer asks for a record that is refused before it believes that it is gone.
const patience = 5

// passOver takes note that the record at the position was refused, and goes on behind it when it is gone for good, which it
// can only be where disks were damaged. It says whether to ask again at once.
func (c *Consumer) passOver() bool {
	c.refused++
	if !c.client.options.Hooks.Damaged() || c.refused < patience {
		return false
	}
	c.client.options.Hooks.Sometimes("consumer-passed-over")
	c.position++
	c.client.options.Hooks.Witness.Seek(c.reader, c.position)
	c.refused = patience - 1 // damage mostly takes more than one record
	return true
}

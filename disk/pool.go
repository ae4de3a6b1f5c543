package disk

import "sync"

// job is what a pool runs.
type job interface{ run() }

// pool runs jobs on at most limit goroutines, in the order they came. Idle, it has none.
type pool struct {
	limit   int
	mutex   sync.Mutex
	running int
	queue   []job
	at      int // those before are taken
	active  sync.WaitGroup
}

// do runs the job, now or when a goroutine is free. It does not block.
func (p *pool) do(j job) {
	p.mutex.Lock()
	if p.running == p.limit {
		p.queue = append(p.queue, j)
		p.mutex.Unlock()
		return
	}
	p.running++
	p.active.Add(1)
	p.mutex.Unlock()
	go p.work(j)
}

// work runs a job, then those that wait.
func (p *pool) work(j job) {
	defer p.active.Done()
	for j != nil {
		j.run()
		j = p.next()
	}
}

// next takes the first waiting job, or nil when the goroutine may go.
func (p *pool) next() job {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.at == len(p.queue) {
		p.queue, p.at = p.queue[:0], 0
		p.running--
		return nil
	}
	j := p.queue[p.at]
	p.queue[p.at] = nil
	p.at++
	return j
}

// wait returns when no job is running or waiting.
func (p *pool) wait() { p.active.Wait() }

package sim

import (
	"time"

	"barnabas/core/task"
)

// started is the process's own zero for measuring wall time; nothing else depends on it.
var started = time.Now()

// wallClock is the only look at real time in the simulator: how long a run took.
func wallClock() task.Instant { return task.Instant(time.Since(started)) }

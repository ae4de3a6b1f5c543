package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"
)

var (
	figures       = flag.Bool("figures", false, "measure the figures of docs/CLAIMS.md on this machine, which should do nothing else")
	figuresMB     = flag.Int("figures.megabytes", 1024, "how much data the larger folders hold")
	figuresRounds = flag.Int("figures.rounds", 3, "how often each kind of start is measured; the median is shown")
	figuresAcks   = flag.Int("figures.acks", 4000, "how many acknowledgements are measured in each row")
	figuresSettle = flag.Duration("figures.settle", 25*time.Second, "how long fill and retention are at work before it is measured")
	figuresFolder = flag.String("figures.folder", "", "where the data folders are made (default: a temporary one)")
)

// TestRealFigures prints what storage costs. It judges nothing: timings have no place in tests.
func TestRealFigures(t *testing.T) {
	if !*figures {
		t.Skip("measures, and checks nothing: just figures")
	}
	t.Run("ready", readyFigures)
	t.Run("latency", latencyFigures)
}

func figureFolder(t *testing.T) string {
	t.Helper()
	if *figuresFolder == "" {
		return t.TempDir()
	}
	folder, err := os.MkdirTemp(*figuresFolder, "figures-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// readyFigures measures from exec to the ready file after a kill -9 under load, and again after a kill as soon as it was ready,
// and how many bytes were written for each one that was acknowledged until then.
func readyFigures(t *testing.T) {
	fmt.Printf("%8s %10s %10s %10s %12s %12s %18s %6s\n",
		"MB", "partitions", "acked MB/s", "peak RSS", "ready", "ready again", "written per acked", "load")
	for _, c := range []struct{ megabytes, partitions int }{
		{*figuresMB / 16, 1}, {*figuresMB, 1}, {*figuresMB / 16, 1000}, {*figuresMB, 1000},
	} {
		var first, again []time.Duration
		var rate, written, rss float64
		for range *figuresRounds {
			folder := figureFolder(t)
			b := startBroker(t, folder)
			create(t, b, "load", c.partitions)
			begun := time.Now()
			acked := loadBytes(t, b, "load", c.partitions, int64(c.megabytes)<<20)
			rate = float64(acked) / 1e6 / time.Since(begun).Seconds()
			written = float64(statusOf(t, b, "io", ioWritten)) / float64(acked)
			rss = float64(statusOf(t, b, "status", peakRSS)) / 1024
			b.kill()
			b = startBroker(t, folder)
			first = append(first, b.took)
			b.kill()
			b = startBroker(t, folder)
			again = append(again, b.took)
			b.kill()
			os.RemoveAll(folder)
		}
		fmt.Printf("%8d %10d %10.0f %7.0f MB %12v %12v %18.2f %6s\n", c.megabytes, c.partitions, rate, rss,
			quantile(first, 500).Round(time.Millisecond), quantile(again, 500).Round(time.Millisecond), written, load())
	}
}

// load is the machine's load average of the last minute: a figure taken under load is another one.
func load() string {
	one, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	return one
}

// create makes a topic. Old segments go after ten seconds, new ones begin every five.
func create(t *testing.T, b *broker, topic string, partitions int) {
	t.Helper()
	settings := map[string]*string{}
	for name, value := range map[string]string{
		"segment.bytes": "8388608", "segment.ms": "5000", "retention.ms": "10000", "file.delete.delay.ms": "1000",
	} {
		settings[name] = &value
	}
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(within(t), int32(partitions), 1, settings, topic); err != nil {
		t.Fatal(err)
	}
}

// loadBytes produces so many bytes, spread over the partitions, and goes on in the background until the broker dies. It
// returns how many were acknowledged.
func loadBytes(t *testing.T, b *broker, topic string, partitions int, bytes int64) int64 {
	t.Helper()
	c := client(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(20_000), kgo.RecordRetries(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	var acked atomic.Int64
	value := make([]byte, 1024)
	for i := range value {
		value[i] = byte(rand.Uint32())
	}
	for i := 0; acked.Load() < bytes; i++ {
		r := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: value}
		c.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
			if err == nil {
				acked.Add(int64(len(value)))
			}
		})
	}
	return acked.Load()
}

// What the kernel knows of a process: bytes it has had written to storage, and the most memory it had, in KiB.
var (
	ioWritten = regexp.MustCompile(`(?m)^write_bytes: (\d+)$`)
	peakRSS   = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)
)

func statusOf(t *testing.T, b *broker, file string, line *regexp.Regexp) int64 {
	t.Helper()
	text := read(fmt.Sprintf("/proc/%d/%s", b.command.Process.Pid, file))
	m := line.FindStringSubmatch(text)
	if m == nil {
		t.Fatal(text)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n
}

// latencyFigures measures acknowledgements of single records at the steady state of fill, checkpoints and retention, beside
// the device's own synced writes of 4 KiB in the same seconds.
func latencyFigures(t *testing.T) {
	fmt.Printf("\n%10s %10s %10s %12s %12s %12s %6s\n", "durability", "partitions", "", "p50", "p99", "p99.9", "load")
	for _, c := range []struct {
		partitions int
		durability string
	}{{1, "fsync"}, {1000, "fsync"}, {1, "replicated"}, {1000, "replicated"}} {
		partitions := c.partitions
		folder := figureFolder(t)
		b := startBroker(t, folder, "--set", "durability="+c.durability, "--set", "journal.checkpoint.bytes=8388608", "--set", "journal.max.bytes=268435456",
			"--set", "log.retention.check.interval.ms=1000", "--set", "log.initial.task.delay.ms=1000")
		create(t, b, "steady", partitions)
		loadBytes(t, b, "steady", partitions, 256<<20) // several turns of the journal
		stop, background := make(chan struct{}), sync.WaitGroup{}
		background.Go(func() { trickle(t, b, partitions, stop) })
		time.Sleep(*figuresSettle)
		acks, device := measure(t, b, folder)
		checkRetention(t, b, partitions)
		close(stop)
		background.Wait()
		b.kill()
		for _, row := range []struct {
			name string
			took []time.Duration
		}{{"ack", acks}, {"device", device}} {
			fmt.Printf("%10s %10d %10s %12v %12v %12v\n", c.durability, partitions, row.name, quantile(row.took, 500), quantile(row.took, 990), quantile(row.took, 999))
		}
		fmt.Printf("%10s %10d %10s %11.2fx %11.2fx %11.2fx %6s\n", c.durability, partitions, "ratio",
			ratio(acks, device, 500), ratio(acks, device, 990), ratio(acks, device, 999), load())
		os.RemoveAll(folder)
	}
}

// checkRetention sees to it that this was measured while old segments went.
func checkRetention(t *testing.T, b *broker, partitions int) {
	t.Helper()
	starts, err := kadm.NewClient(client(t, b)).ListStartOffsets(within(t), "steady")
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	starts.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			moved++
		}
	})
	if moved < partitions/2+1 {
		t.Errorf("retention moved the start of %d of %d partitions: this is not its steady state", moved, partitions)
	}
}

// trickle keeps fill and retention at work: 8 MB a second over all partitions.
func trickle(t *testing.T, b *broker, partitions int, stop chan struct{}) {
	c := client(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	value := make([]byte, 1024)
	next := time.NewTicker(time.Millisecond)
	defer next.Stop()
	for i := 0; ; {
		select {
		case <-stop:
			return
		case <-next.C:
			for range 8 {
				c.Produce(context.Background(), &kgo.Record{Topic: "steady", Partition: int32(i % partitions), Value: value}, nil)
				i++
			}
		}
	}
}

// measure alternates an acknowledged record with a synced write to a file of the same file system.
func measure(t *testing.T, b *broker, folder string) (acks, device []time.Duration) {
	t.Helper()
	create(t, b, "one", 1)
	c := client(t, b)
	name := filepath.Join(filepath.Dir(folder), "device-"+filepath.Base(folder))
	descriptor, err := unix.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_DIRECT|unix.O_DSYNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(name)
	defer unix.Close(descriptor)
	memory, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4096 { // written once before, as the journal is
		_, errWrite := unix.Pwrite(descriptor, memory, int64(i)*4096)
		err = errors.Join(err, errWrite)
	}
	for i := range *figuresAcks {
		begun := time.Now()
		if errAck := c.ProduceSync(context.Background(), &kgo.Record{Topic: "one", Value: []byte("x")}).FirstErr(); errAck != nil {
			t.Fatal(errAck)
		}
		acks = append(acks, time.Since(begun))
		begun = time.Now()
		_, errWrite := unix.Pwrite(descriptor, memory, int64(i%4096)*4096)
		device = append(device, time.Since(begun))
		err = errors.Join(err, errWrite)
	}
	if err != nil {
		t.Fatal(err)
	}
	return acks, device
}

func quantile(took []time.Duration, thousandths int) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)*thousandths/1000, len(sorted)-1)].Round(time.Microsecond)
}

func ratio(a, b []time.Duration, thousandths int) float64 {
	return float64(quantile(a, thousandths)) / float64(quantile(b, thousandths))
}

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

// readyFigures measures from exec to the ready file after a kill -9 under load, and how many bytes were written for each one
// that was acknowledged until then.
func readyFigures(t *testing.T) {
	fmt.Printf("%8s %10s %12s %12s %18s\n", "MB", "partitions", "ready", "ready again", "written per acked")
	for _, c := range []struct{ megabytes, partitions int }{{64, 1}, {1024, 1}, {64, 1000}, {1024, 1000}} {
		folder := figureFolder(t)
		b := startBroker(t, folder)
		create(t, b, "load", c.partitions)
		acked := loadBytes(t, b, "load", c.partitions, int64(c.megabytes)<<20)
		written := writtenBytes(t, b)
		b.kill()
		b = startBroker(t, folder)
		first := b.took
		b.kill()
		b = startBroker(t, folder)
		fmt.Printf("%8d %10d %12v %12v %18.2f\n", c.megabytes, c.partitions,
			first.Round(time.Millisecond), b.took.Round(time.Millisecond), float64(written)/float64(acked))
		b.kill()
		os.RemoveAll(folder)
	}
}

func create(t *testing.T, b *broker, topic string, partitions int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	settings := map[string]*string{}
	for name, value := range map[string]string{"segment.bytes": "8388608", "retention.bytes": "33554432", "file.delete.delay.ms": "1000"} {
		settings[name] = &value
	}
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(ctx, int32(partitions), 1, settings, topic); err != nil {
		t.Fatal(err)
	}
}

// loadBytes produces so many bytes, spread over the partitions, and goes on in the background until the broker dies. It
// returns how many were acknowledged.
func loadBytes(t *testing.T, b *broker, topic string, partitions int, bytes int64) int64 {
	t.Helper()
	c := client(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(20_000), kgo.RecordRetries(0))
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

var ioWritten = regexp.MustCompile(`(?m)^write_bytes: (\d+)$`)

// writtenBytes is what the broker's process has had written to storage.
func writtenBytes(t *testing.T, b *broker) int64 {
	t.Helper()
	text := read(fmt.Sprintf("/proc/%d/io", b.command.Process.Pid))
	m := ioWritten.FindStringSubmatch(text)
	if m == nil {
		t.Fatal(text)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n
}

// latencyFigures measures acknowledgements of single records at the steady state of fill, checkpoints and retention, beside
// the device's own synced writes of 4 KiB in the same seconds.
func latencyFigures(t *testing.T) {
	fmt.Printf("\n%10s %10s %12s %12s %12s\n", "partitions", "", "p50", "p99", "p99.9")
	for _, partitions := range []int{1, 1000} {
		folder := figureFolder(t)
		b := startBroker(t, folder, "--set", "journal.checkpoint.bytes=8388608", "--set", "journal.max.bytes=268435456",
			"--set", "log.retention.check.interval.ms=1000", "--set", "log.initial.task.delay.ms=1000")
		create(t, b, "steady", partitions)
		loadBytes(t, b, "steady", partitions, 256<<20) // several turns of the journal
		stop, background := make(chan struct{}), sync.WaitGroup{}
		background.Go(func() { trickle(t, b, partitions, stop) })
		acks, device := measure(t, b, folder)
		close(stop)
		background.Wait()
		b.kill()
		for _, row := range []struct {
			name string
			took []time.Duration
		}{{"ack", acks}, {"device", device}} {
			fmt.Printf("%10d %10s %12v %12v %12v\n", partitions, row.name, quantile(row.took, 500), quantile(row.took, 990), quantile(row.took, 999))
		}
		fmt.Printf("%10d %10s %11.1fx %11.1fx %11.1fx\n", partitions, "ratio", ratio(acks, device, 500), ratio(acks, device, 990), ratio(acks, device, 999))
		os.RemoveAll(folder)
	}
}

// trickle keeps fill and retention at work: 8 MB a second over all partitions.
func trickle(t *testing.T, b *broker, partitions int, stop chan struct{}) {
	c := client(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
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
	for i := range 4000 {
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

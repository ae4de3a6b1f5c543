package compress

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

var real = []Codec{Gzip, Snappy, LZ4, Zstd}

// foreign are compressors of a client.
func foreign(t testing.TB) map[Codec]kgo.Compressor {
	all := map[Codec]kgo.Compressor{}
	for codec, theirs := range map[Codec]kgo.CompressionCodec{
		Gzip: kgo.GzipCompression(), Snappy: kgo.SnappyCompression(), LZ4: kgo.Lz4Compression(), Zstd: kgo.ZstdCompression(),
	} {
		c, err := kgo.DefaultCompressor(theirs)
		if err != nil {
			t.Fatal(err)
		}
		all[codec] = c
	}
	return all
}

func pack(t testing.TB, c kgo.Compressor, p []byte) []byte {
	var out bytes.Buffer
	packed, _ := c.Compress(&out, p)
	return bytes.Clone(packed)
}

// open opens p through reads of so many bytes.
func open(d *Decoder, codec Codec, p []byte, most int64, step int) ([]byte, error) {
	defer d.Close()
	stream, err := d.Open(int(codec), p, most)
	if err != nil {
		return nil, err
	}
	var out []byte
	buffer := make([]byte, step)
	for {
		n, err := stream.Read(buffer)
		out = append(out, buffer[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

// content draws bytes that repeat themselves more or less. No batch is without: Java reads no snappy of nothing.
func content(t *rapid.T) []byte {
	piece := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "piece")
	return bytes.Repeat(piece, rapid.IntRange(1, 60).Draw(t, "times"))
}

func TestWhatAClientCompressesIsOpened(t *testing.T) {
	theirs := foreign(t)
	var d Decoder // one for all: nothing of a batch is left for the next
	rapid.Check(t, func(t *rapid.T) {
		p := content(t)
		codec := rapid.SampledFrom(real).Draw(t, "codec")
		packed := pack(nil, theirs[codec], p)
		got, err := open(&d, codec, packed, int64(len(p)), rapid.SampledFrom([]int{1, 7, 4096, 1 << 20}).Draw(t, "step"))
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%v: %d bytes of %d: %v", codec, len(got), len(p), err)
		}
	})
}

func TestWhatWeCompressAClientOpens(t *testing.T) {
	var d Decoder
	var e Encoder
	levels := map[Codec][]int{Gzip: {-1, 1, 9}, Snappy: {0}, LZ4: {1, 9, 17}, Zstd: {-131072, 1, 3, 22}}
	rapid.Check(t, func(t *rapid.T) {
		p := content(t)
		codec := rapid.SampledFrom(real).Draw(t, "codec")
		level := rapid.SampledFrom(levels[codec]).Draw(t, "level")
		packed, err := e.Append([]byte("before"), codec, level, p)
		if err != nil || !bytes.HasPrefix(packed, []byte("before")) {
			t.Fatal(err)
		}
		packed = packed[len("before"):]
		again, err := open(&d, codec, packed, int64(len(p)), 4096)
		if err != nil || !bytes.Equal(again, p) {
			t.Fatalf("%v: we read %d bytes of %d: %v", codec, len(again), len(p), err)
		}
		got, err := kgo.DefaultDecompressor().Decompress(packed, kgo.CompressionCodecType(codec))
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%v: a client reads %d bytes of %d: %v", codec, len(got), len(p), err)
		}
	})
}

func TestTheCapIsExact(t *testing.T) {
	var d Decoder
	p := bytes.Repeat([]byte("0123456789"), 20_000)
	for codec, c := range foreign(t) {
		packed := pack(t, c, p)
		for _, step := range []int{1 << 10, 1 << 20} {
			if got, err := open(&d, codec, packed, int64(len(p)), step); err != nil || len(got) != len(p) {
				t.Errorf("%v, all that is allowed: %d bytes, %v", codec, len(got), err)
			}
			got, err := open(&d, codec, packed, int64(len(p))-1, step)
			if !errors.Is(err, ErrTooLarge) || len(got) >= len(p) {
				t.Errorf("%v, one byte more: %d bytes, %v", codec, len(got), err)
			}
		}
	}
}

// bombs are small inputs that claim to hold much.
func bombs(t testing.TB) map[string]struct {
	codec Codec
	p     []byte
} {
	all := map[string]struct {
		codec Codec
		p     []byte
	}{}
	zeros := make([]byte, 64<<20)
	for codec, c := range foreign(t) {
		all[codec.String()+" of zeros"] = struct {
			codec Codec
			p     []byte
		}{codec, pack(t, c, zeros)}
	}
	add := func(name string, codec Codec, p string) {
		all[name] = struct {
			codec Codec
			p     []byte
		}{codec, []byte(p)}
	}
	add("a snappy block that claims 4 GiB", Snappy, "\xff\xff\xff\xff\x0f\x00a")
	add("a framed snappy block that claims 1 GiB", Snappy,
		framedMagic+"\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07\x80\x80\x80\x80\x04\x00a")
	var wide bytes.Buffer
	w, err := zstd.NewWriter(&wide, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<20))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(zeros[:32<<20])
	_ = w.Close()
	add("zstd with a window of 512 MiB", Zstd, wide.String())
	return all
}

func TestBombsCostLittle(t *testing.T) {
	const most = 16 << 20
	for name, bomb := range bombs(t) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var d Decoder
		stream, err := d.Open(int(bomb.codec), bomb.p, most)
		var out int64
		if err == nil {
			out, err = io.Copy(io.Discard, stream)
		}
		runtime.ReadMemStats(&after)
		if err == nil || out > most {
			t.Errorf("%s: %d bytes come out of %d: %v", name, out, len(bomb.p), err)
		}
		// Of what they hold only the last window is kept, but for a single block of snappy.
		if taken := after.TotalAlloc - before.TotalAlloc; taken > most+8<<20 {
			t.Errorf("%s takes %d MiB", name, taken>>20)
		}
	}
}

func TestDamageIsAnError(t *testing.T) {
	var d Decoder
	p := bytes.Repeat([]byte("some text, "), 5000)
	for codec, c := range foreign(t) {
		packed := pack(t, c, p)
		for cut := range packed {
			if got, err := open(&d, codec, packed[:cut], 1<<20, 4096); err == nil && len(got) == len(p) && cut < len(packed)-8 {
				t.Fatalf("%v cut at %d of %d holds all", codec, cut, len(packed))
			}
		}
	}
	for _, c := range []struct {
		name  string
		codec Codec
		p     string
		want  error
	}{
		{"no codec", 5, "", ErrCodec},
		{"a codec below none", -1, "", ErrCodec},
		{"nothing as gzip", Gzip, "", ErrCorrupt},
		{"text as gzip", Gzip, "hello, world, how are you?", ErrCorrupt},
		{"text as snappy", Snappy, "hello, world", ErrCorrupt},
		{"text as lz4", LZ4, "hello, world", ErrCorrupt},
		{"text as zstd", Zstd, "hello, world", ErrCorrupt},
		{"half a length of a framed block", Snappy, framedMagic + "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00", ErrCorrupt},
		{"a framed block of negative length", Snappy, framedMagic + "\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff", ErrCorrupt},
		{"a framed block that is cut off", Snappy, framedMagic + "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x09abc", ErrCorrupt},
	} {
		if got, err := open(&d, c.codec, []byte(c.p), 1<<20, 4096); !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// Java's library writes one header for each stream, and reads streams that follow each other.
func TestFramedSnappyStreamsMayFollowEachOther(t *testing.T) {
	var e Encoder
	var d Decoder
	one, _ := e.Append(nil, Snappy, 0, bytes.Repeat([]byte("a"), 70_000))
	two, _ := e.Append(one, Snappy, 0, []byte("b"))
	got, err := open(&d, Snappy, two, 1<<20, 100)
	if err != nil || string(got) != strings.Repeat("a", 70_000)+"b" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestOpeningTakesNoMemoryOnceItIsWarm(t *testing.T) {
	var d Decoder
	p := bytes.Repeat([]byte("some text, "), 5000)
	buffer := make([]byte, 8192)
	for codec, c := range foreign(t) {
		packed := pack(t, c, p)
		got := testing.AllocsPerRun(50, func() {
			stream, err := d.Open(int(codec), packed, 1<<20)
			for err == nil {
				_, err = stream.Read(buffer)
			}
			if err != io.EOF {
				t.Fatal(err)
			}
			d.Close()
		})
		if got > 3 {
			t.Errorf("%v takes %v allocations a batch", codec, got)
		}
	}
}

func TestCodecsHaveKafkasNames(t *testing.T) {
	for c, name := range []string{"uncompressed", "gzip", "snappy", "lz4", "zstd"} {
		if got, ok := ByName(name); !ok || got != Codec(c) || got.String() != name || !got.Known() {
			t.Errorf("%s is %v", name, got)
		}
	}
	if _, ok := ByName("producer"); ok || Codec(5).Known() || Codec(-1).Known() {
		t.Error("there are codecs that Kafka has not")
	}
}

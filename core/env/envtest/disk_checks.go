package envtest

import (
	"bytes"
	"testing"
	"unsafe"

	"barnabas/core/env"
	"barnabas/core/task"
)

func checkBuffers(t *testing.T, _ *task.Task, w *DiskWorld) {
	for range 3 {
		var held [][]byte
		for _, size := range []int{1, 4095, 4096, 4097, 16 << 10, 100_000, 1 << 20, 3<<20 + 1} {
			p := w.Disk.Buffer(size)
			want := (size + env.BlockBytes - 1) / env.BlockBytes * env.BlockBytes
			if len(p) != want {
				t.Errorf("Buffer(%d) has %d bytes, want %d", size, len(p), want)
			}
			if uintptr(unsafe.Pointer(&p[0]))%env.BlockBytes != 0 {
				t.Errorf("Buffer(%d) is not aligned", size)
			}
			for i := range p {
				p[i] = byte(len(held) + 1)
			}
			held = append(held, p)
		}
		for i, p := range held {
			if len(bytes.Trim(p, string(rune(i+1)))) > 0 {
				t.Errorf("buffer %d overlaps another", i)
			}
			w.Disk.FreeBuffer(p)
		}
	}
}

func checkAlignment(t *testing.T, s *task.Task, w *DiskWorld) {
	file := mustOpen(t, s, w, "f")
	p := w.Disk.Buffer(2 * env.BlockBytes)
	for _, wrong := range []struct {
		name   string
		memory []byte
		offset int64
	}{
		{"length", p[:100], 0},
		{"offset", p[:env.BlockBytes], 512},
		{"memory", p[512 : 512+env.BlockBytes], 0},
	} {
		if !panics(func() { file.WriteSync(wrong.memory, wrong.offset) }) {
			t.Errorf("a wrong %s is accepted", wrong.name)
		}
	}
	if size, err := file.Size().Wait(s); size != 0 || err != nil {
		t.Errorf("size %d, %v after refused writes", size, err)
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func checkDisjoint(t *testing.T, s *task.Task, w *DiskWorld) {
	file := mustOpen(t, s, w, "f")
	const count = 24
	var pending []*task.Pending[task.Done]
	for i := range count {
		p := w.Disk.Buffer(env.BlockBytes)
		fillWith(p, byte('a'+i))
		pending = append(pending, file.WriteSync(p, int64((i*7%count)*env.BlockBytes)))
	}
	for _, p := range pending {
		if _, err := p.Wait(s); err != nil {
			t.Fatal(err)
		}
	}
	whole := make([]byte, (count+1)*env.BlockBytes)
	n, err := file.ReadAt(whole, 0).Wait(s)
	if n != count*env.BlockBytes || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	for i := range count {
		at := i * 7 % count * env.BlockBytes
		if len(bytes.Trim(whole[at:at+env.BlockBytes], string(rune('a'+i)))) > 0 {
			t.Errorf("write %d is not there whole", i)
		}
	}
}

func checkCloseInProgress(t *testing.T, s *task.Task, w *DiskWorld) {
	file := mustOpen(t, s, w, "f")
	write := file.WriteAt([]byte("hello"), 3)
	direct := w.Disk.Buffer(env.BlockBytes)
	fillWith(direct, 'd')
	sync := file.WriteSync(direct, 2*env.BlockBytes)
	size := file.Size()
	file.Close()
	if _, err := write.Wait(s); err != nil {
		t.Error(err)
	}
	if _, err := sync.Wait(s); err != nil {
		t.Error(err)
	}
	if _, err := size.Wait(s); err != nil {
		t.Error(err)
	}
	again := mustOpen(t, s, w, "f")
	p := make([]byte, 5)
	if _, err := again.ReadAt(p, 3).Wait(s); err != nil || string(p) != "hello" {
		t.Errorf("read %q, %v", p, err)
	}
	if size, _ := again.Size().Wait(s); size != 3*env.BlockBytes {
		t.Errorf("size %d", size)
	}
}

func checkDescription(t *testing.T, _ *task.Task, w *DiskWorld) {
	d := w.Disk.Describe()
	if d.FileSystem == "" || d.Backend == "" || d.Write == "" {
		t.Errorf("%+v has an empty part", d)
	}
}

// checkModel runs a random history, one operation at a time, beside a slice of bytes.
func checkModel(t *testing.T, s *task.Task, w *DiskWorld) {
	const steps, sizeMax = 400, 6 * env.BlockBytes
	random := env.NewRandom(1, 2)
	file := mustOpen(t, s, w, "f")
	direct := w.Disk.Buffer(sizeMax)
	var model []byte
	for i := range uint64(steps) {
		draw := func(what, n uint64) int { return int(random.Below(n, 1, i, what)) }
		offset, length, letter := draw(1, sizeMax), draw(2, 9000), byte('a'+draw(3, 26))
		var err error
		switch draw(0, 9) {
		case 0, 1:
			p := bytes.Repeat([]byte{letter}, length)
			_, err = file.WriteAt(p, int64(offset)).Wait(s)
			model = overwrite(model, p, offset)
		case 2:
			offset, length = offset&^(env.BlockBytes-1), env.BlockBytes*(1+draw(4, 5))
			fillWith(direct[:length], letter)
			_, err = file.WriteSync(direct[:length], int64(offset)).Wait(s)
			model = overwrite(model, direct[:length], offset)
		case 3:
			_, err = file.Truncate(int64(offset)).Wait(s)
			model = append(model[:min(offset, len(model))], make([]byte, max(offset-len(model), 0))...)
		case 4:
			_, err = file.Sync().Wait(s)
		case 5:
			p := make([]byte, length)
			var n int
			n, err = file.ReadAt(p, int64(offset)).Wait(s)
			want := model[min(offset, len(model)):min(offset+length, len(model))]
			if !bytes.Equal(p[:n], want) {
				t.Fatalf("step %d: read %s, want %s", i, renderRuns(p[:n]), renderRuns(want))
			}
		case 6:
			offset, length = offset&^(env.BlockBytes-1), env.BlockBytes*(1+draw(4, 5))
			fillWith(direct[:length], letter)
			_, err = file.WriteAt(direct[:length], int64(offset)).Wait(s)
			model = overwrite(model, direct[:length], offset)
		case 8:
			offset, length = offset&^(env.BlockBytes-1), env.BlockBytes*(1+draw(4, 5))
			fillWith(direct[:length], letter)
			_, err = file.WriteCached(direct[:length], int64(offset)).Wait(s)
			model = overwrite(model, direct[:length], offset)
		case 7:
			offset, length = offset&^(env.BlockBytes-1), env.BlockBytes*(1+draw(4, 5))
			var n int
			n, err = file.ReadAt(direct[:length], int64(offset)).Wait(s)
			want := model[min(offset, len(model)):min(offset+length, len(model))]
			if !bytes.Equal(direct[:n], want) {
				t.Fatalf("step %d: read blocks %s, want %s", i, renderRuns(direct[:n]), renderRuns(want))
			}
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if size, err := file.Size().Wait(s); size != int64(len(model)) || err != nil {
			t.Fatalf("step %d: size %d, %v, want %d", i, size, err, len(model))
		}
	}
}

func overwrite(model, p []byte, offset int) []byte {
	if len(p) == 0 {
		return model
	}
	if end := offset + len(p); end > len(model) {
		model = append(model, make([]byte, end-len(model))...)
	}
	copy(model[offset:], p)
	return model
}

func mustOpen(t *testing.T, s *task.Task, w *DiskWorld, path string) env.File {
	file, err := w.Disk.Open(w.path(path), env.OpenCreate).Wait(s)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func fillWith(p []byte, c byte) {
	for i := range p {
		p[i] = c
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"barnabas/linearizability"
	"barnabas/sim"
)

// writeHistory writes what clients saw, for barnabas check.
func writeHistory(path string, h *linearizability.History) error {
	err := writeFile(path, func(w io.Writer) error {
		_, err := h.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("could not write the history: %w", err)
	}
	return nil
}

// writeFindings writes the history of a run in which clients saw something wrong, and a picture of the first finding, beside
// the run's plan: under its name, less the suffix.
func writeFindings(base string, r *sim.Result) error {
	if len(r.Findings) == 0 {
		return nil
	}
	err := writeFile(base+".html", func(w io.Writer) error { return linearizability.Picture(r.History, &r.Findings[0], w) })
	if err != nil {
		err = fmt.Errorf("could not write the picture: %w", err)
	}
	return errors.Join(err, writeHistory(base+".history", r.History))
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

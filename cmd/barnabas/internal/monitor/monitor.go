package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"barnabas/core"
	listen "barnabas/net"
)

// Broker is who is watched. Its methods are called from any goroutine.
type Broker interface {
	// Metrics counts, on the broker's loop. Errors: the loop does not get to it before ctx ends.
	Metrics(ctx context.Context) (core.Metrics, error)
	// Turns returns nil when the broker's loop did a step. Errors: not before ctx ends.
	Turns(ctx context.Context) error
	// FreeBytes is what there is room for on the disk; -1: not known.
	FreeBytes() int64
	// Counts are those of its listeners.
	Counts() listen.Counts
}

// livePatience is how long a loop may be busy and still count as alive.
const livePatience = 5 * time.Second

// Server serves one broker's metrics and health.
type Server struct {
	listener net.Listener
	server   http.Server
	ended    chan struct{}
}

// Start listens at address and serves until Close. Errors: the address can't be listened on.
func Start(address, version string, b Broker) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, ended: make(chan struct{}), server: http.Server{
		Handler: handler(version, b), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(l) // ends by Close
	}()
	return s, nil
}

// Address returns the address listened on; "" of a nil server, which is one that was not asked for.
func (s *Server) Address() string {
	if s == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close ends it.
func (s *Server) Close() {
	if s == nil {
		return
	}
	_ = s.server.Close()
	<-s.ended
}

func handler(version string, b Broker) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{broker: b, version: version}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 2, Timeout: 2 * scrapePatience,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { answer(w, "live", live(r.Context(), b)) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, "ready", ready(r.Context(), b)) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "Barnabas: /metrics /livez /readyz")
	})
	return mux
}

func live(ctx context.Context, b Broker) error {
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	if b.Turns(ctx) != nil {
		return fmt.Errorf("the broker's loop did not turn within %v", livePatience)
	}
	return nil
}

func ready(ctx context.Context, b Broker) error {
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	switch m, err := b.Metrics(ctx); {
	case err != nil:
		return fmt.Errorf("the broker's loop did not answer within %v", livePatience)
	case m.Failure != nil:
		return m.Failure
	case !m.Ready:
		return errors.New("the broker is starting or stopping")
	}
	return nil
}

// answer says yes with 200, or no with 503 and why.
func answer(w http.ResponseWriter, word string, err error) {
	body := map[string]any{word: err == nil}
	code := http.StatusOK
	if err != nil {
		body["reason"], code = err.Error(), http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

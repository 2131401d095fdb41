package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// startWait bounds how long a server may take to start, with whatever its database is busy with.
const startWait = 60 * time.Second

// server is a server of Tributary, which is started again under the same address.
type server struct {
	name    string
	binary  string
	log     *os.File
	logRead int64  // how much of it was looked at
	url     string // of its database
	env     []string
	clock   string // the file that says how wrong its clock is
	front   *proxy // the network between clients and it

	mu      sync.Mutex
	address string
	process *process
}

// start starts it, as often as it takes, and waits until it is ready.
func (s *server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		err := s.launch(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not start: %w", s.name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *server) launch(ctx context.Context) error {
	cmd := exec.Command(s.binary, "serve", "--database-url", s.url, "--listen", "127.0.0.1:0", "--json",
		"--event-rate", "0", "--allow-unsafe-database", "--log-level", "warn")
	cmd.Env, cmd.Stderr = append(append(environment(), "CLOCK_FAULT="+s.clock), s.env...), s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p, err := spawn(cmd)
	if err != nil {
		return err
	}
	place, err := readPlace(out)
	if err == nil {
		err = ready(ctx, place)
	}
	if err != nil {
		p.kill()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.address = p, strings.TrimPrefix(place, "http://")
	return nil
}

// readPlace is the address that a server says it has.
func readPlace(out interface{ Read([]byte) (int, error) }) (string, error) {
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var place struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &place)
	}
	if err != nil {
		return "", fmt.Errorf("it did not say where it is: %w", err)
	}
	return place.URL, nil
}

func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("it did not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dial connects to where it listens now.
func (s *server) dial() (net.Conn, error) {
	s.mu.Lock()
	address := s.address
	s.mu.Unlock()
	return net.DialTimeout("tcp", address, time.Second)
}

// running is its process.
func (s *server) running() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// kill kills it, if it runs.
func (s *server) kill() {
	if p := s.running(); p != nil {
		p.kill()
	}
}

// environment is that of this process without what would configure a server.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TRIBUTARY_") || strings.HasPrefix(v, "DATABASE_URL=")
	})
}

// databaseURL is the URL of a database behind a proxy.
func databaseURL(p *proxy, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("tributary"), Host: p.address(), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// command runs a command of Tributary on a database, and reads its answer, one JSON object, unless that is nil.
func command(ctx context.Context, binary, url string, answer any, args ...string) error {
	cmd := exec.CommandContext(ctx, binary, append(args, "--database-url", url, "--json")...)
	cmd.Env = environment()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if answer != nil && len(out) > 0 {
		err = errors.Join(err, json.Unmarshal(out, answer))
	}
	if err != nil {
		return fmt.Errorf("tributary %s: %w: %s", strings.Join(args, " "), err, complaint.String())
	}
	return nil
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/internal/preload"
)

// bench is a running server with its database.
type bench struct {
	options
	env       []string
	temporary bool
	started   time.Duration // what the last start took
	server    *exec.Cmd
	url       string
	db        *pgx.Conn
	sites     []*site // that are read, by payments
	written   *site   // that is written to, and deleted from
	other     *site   // that is written to while written is deleted from
}

// startWait bounds how long the server may take to start.
const startWait = time.Minute

// open starts a server on the data directory, with further variables in its environment.
func open(ctx context.Context, o options, env ...string) (*bench, error) {
	for _, program := range []string{"wrk", "pgbench"} {
		if _, err := preload.Find(program); err != nil {
			return nil, err
		}
	}
	b := &bench{options: o, env: env}
	var err error
	if b.binary, err = filepath.Abs(o.binary); err != nil {
		return nil, err
	}
	if o.dir == "" {
		b.temporary = true
		if b.dir, err = os.MkdirTemp("", "tributary-bench-"); err != nil {
			return nil, err
		}
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return nil, err
	}
	if err := b.start(ctx); err != nil {
		b.close()
		return nil, err
	}
	b.db, err = pgx.Connect(ctx, fmt.Sprintf("host=%s user=tributary dbname=tributary", b.socket()))
	if err != nil {
		b.close()
	}
	return b, err
}

func (b *bench) socket() string { return filepath.Join(b.dir, "postgres") }

// start starts the server and waits until it answers.
func (b *bench) start(ctx context.Context) error {
	began := time.Now()
	b.server = exec.CommandContext(ctx, b.binary, "serve", "--data-dir", b.dir, "--listen", "127.0.0.1:0", "--json", "--log-level", "warn",
		"--event-rate", "0")
	b.server.Cancel = func() error { return b.server.Process.Signal(os.Interrupt) }
	b.server.WaitDelay = 10 * time.Second
	b.server.Env = append(os.Environ(), b.env...)
	b.server.Stderr = os.Stderr
	out, err := b.server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.server.Start(); err != nil {
		return fmt.Errorf("start the server; `make build` builds it: %w", err)
	}
	var place struct{ URL string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &place)
	}
	if err != nil {
		return fmt.Errorf("the server did not say where it is: %w", err)
	}
	b.url = place.URL
	for time.Since(began) < startWait {
		answer, err := http.Get(b.url + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				b.started = time.Since(began)
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("the server did not become ready")
}

// stop stops the server.
func (b *bench) stop() {
	_ = b.server.Process.Signal(os.Interrupt)
	_ = b.server.Wait()
}

func (b *bench) close() {
	if b.db != nil {
		_ = b.db.Close(context.Background())
	}
	if b.server != nil && b.server.Process != nil {
		b.stop()
	}
	if b.temporary {
		_ = os.RemoveAll(b.dir)
	}
}

// command runs a command of Tributary, and reads its answer, one JSON object, unless that is nil.
func (b *bench) command(ctx context.Context, answer any, args ...string) error {
	cmd := exec.CommandContext(ctx, b.binary, append(args, "--data-dir", b.dir, "--json")...)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("tributary %s: %w: %s", strings.Join(args, " "), err, out)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(out, answer)
}

// resident is the memory of the server in MB, without its Postgres.
func (b *bench) resident() (float64, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(b.server.Process.Pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	kilobytes, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return kilobytes / 1024, err
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// checkProcesses finds servers that have ended by themselves.
func (r *rig) checkProcesses() {
	for _, s := range r.servers {
		if p := s.running(); p.ended() && !p.meant.Load() {
			r.report.breach(wrong, "%s has ended by itself: %s", s.name, p.Cmd.ProcessState)
		}
	}
}

// checkLogs finds errors that servers have logged since it was asked before: that the database cannot answer is
// none, and what a server does not know what to say of is one.
func (r *rig) checkLogs() error {
	for _, s := range r.servers {
		log, err := os.Open(s.log.Name())
		if err != nil {
			return err
		}
		defer func() { _ = log.Close() }()
		if _, err := log.Seek(s.logRead, io.SeekStart); err != nil {
			return err
		}
		text, err := io.ReadAll(log)
		if err != nil {
			return err
		}
		s.logRead += int64(len(text))
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte(`"level":"ERROR"`)) || bytes.Contains(line, []byte("DATA RACE")) {
				r.report.breach(wrong, "%s logged: %s", s.name, bytes.TrimSpace(line))
			}
		}
	}
	return nil
}

// maxFiles is how many files and connections a server has when nobody asks: those of its pool, and a few.
const maxFiles = 20 + 20

// closeMax is how long a server may take to notice that clients have closed their connections.
const closeMax = 10 * time.Second

// checkFiles finds servers that keep more files and connections open than they can need. All must be quiet.
func (r *rig) checkFiles() {
	r.client.http.CloseIdleConnections()
	for _, s := range r.servers {
		var n int
		for began := time.Now(); time.Since(began) < closeMax; time.Sleep(10 * time.Millisecond) {
			files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.running().Cmd.Process.Pid)) // only Linux has it
			if n = len(files); n <= maxFiles {
				break
			}
		}
		if n > maxFiles {
			r.report.breach(wrong, "%s has %d files and connections open, and nobody asks", s.name, n)
		}
	}
}

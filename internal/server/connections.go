package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
)

const (
	// maxConnections is how many connections clients have at most: each takes some 25 KB.
	maxConnections = 4096
	// filesForOthers is how many of the process' open files are left to the database and everything else.
	filesForOthers = 128
)

// connectionLimit is how many connections clients may have, given how many files the process may open.
func connectionLimit() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur >= maxConnections+filesForOthers {
		return maxConnections
	}
	return max(1, int(files.Cur)-filesForOthers)
}

// connections are those that clients have, at most so many. When there are more, the one is closed that has
// waited longest for its client: to send a request, or to fetch an answer. So clients that are slow on purpose
// push each other out, and those that are quick hardly notice them.
type connections struct {
	net.Listener
	most int
	cut  func() // is told of each that is closed for another

	mu      sync.Mutex
	open    int
	waiting list.List // those that wait for their clients, the longest first
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	for {
		accepted, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		conn := &connection{Conn: accepted, all: c}
		closing := conn.enter()
		if closing == nil {
			return conn, nil
		}
		c.cut()
		_ = closing.Close() // nobody is to be told
		if closing != conn {
			return conn, nil
		}
	}
}

// connection is one of a client.
type connection struct {
	net.Conn
	all    *connections
	place  *list.Element // among those that wait, or nil
	closed bool
}

// enter counts the connection, and answers which one has to be closed for it: itself if no other waits.
func (c *connection) enter() (closing *connection) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if c.all.open >= c.all.most {
		longest := c.all.waiting.Front()
		if longest == nil {
			c.closed = true
			return c
		}
		closing = longest.Value.(*connection)
		closing.leave()
	}
	c.all.open++
	c.place = c.all.waiting.PushBack(c)
	return closing
}

// leave ends the counting; the lock is held.
func (c *connection) leave() {
	if c.closed {
		return
	}
	c.closed = true
	c.all.open--
	c.unlist()
}

func (c *connection) unlist() {
	if c.place != nil {
		c.all.waiting.Remove(c.place)
		c.place = nil
	}
}

// works says that the connection waits for the server, which must not close it now.
func (c *connection) works() {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.unlist()
}

// waits says that the connection waits for its client from now on.
func (c *connection) waits() {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if c.unlist(); !c.closed {
		c.place = c.all.waiting.PushBack(c)
	}
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.all.mu.Lock()
	c.leave()
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite is what net/http asks for, so that a client reads the answer to a request that it is still sending.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type connectionKey struct{}

// keep puts a connection into the context of its requests.
func (c *connections) keep(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// connectionOf is the connection of a request; nil if it came by another way.
func connectionOf(ctx context.Context) *connection {
	conn, _ := ctx.Value(connectionKey{}).(*connection)
	return conn
}

// track notes when a connection has fetched an answer and may send the next request.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		conn.(*connection).waits()
	}
}

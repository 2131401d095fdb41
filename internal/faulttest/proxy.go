package main

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// weather is what a network does to what is sent through it.
type weather struct {
	delay   time.Duration // of each piece, up to this long
	holds   bool          // nothing arrives until the weather is better
	loses   bool          // nothing arrives, on these connections never again
	refuses bool          // connections are closed as soon as they are made
	cutOdds float64       // of the pieces at which connections are cut, this part is cut
}

// cut is where a connection is cut.
type cut int

const (
	notCut   cut = iota
	halfSent     // half of what was to be sent has arrived
	allSent      // all of it has arrived, and nobody waits for the answer
	answered     // the answer is on its way
)

// proxy is the network before a listener: what connects to it is connected to that.
type proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	// next reads what is sent next of what a client sends on a connection, and whether that may be cut there.
	next func(from *bufio.Reader, isFirst bool) (piece []byte, mayCut bool, err error)

	mu      sync.Mutex
	rng     *rand.Rand
	weather weather
	links   map[*link]bool
	cuts    int
	closed  bool
	work    sync.WaitGroup
}

// link is a connection through a proxy.
type link struct {
	client, server net.Conn
	lost           bool // nothing arrives on it any more
	cutAtAnswer    bool
}

// newProxy listens on a free port of loopback.
func newProxy(rng *rand.Rand, dial func() (net.Conn, error), next func(*bufio.Reader, bool) ([]byte, bool, error)) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, dial: dial, next: next, rng: rng, links: map[*link]bool{}}
	p.work.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// close ends the proxy and all connections.
func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.reset()
	p.work.Wait()
}

// set changes the weather.
func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
}

// reset cuts all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// cutSoFar is how many connections were cut by chance.
func (p *proxy) cutSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.connect(client) })
	}
}

func (p *proxy) connect(client net.Conn) {
	l := &link{client: client}
	var err error
	if p.refuses() {
		l.cut()
		return
	}
	if l.server, err = p.dial(); err != nil || !p.add(l) {
		l.cut()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.forward(l) })
	both.Go(func() { p.backward(l) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.weather.refuses
}

func (p *proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.links[l] = true
	}
	return !p.closed
}

// cut ends a connection at once on both sides.
func (l *link) cut() {
	for _, conn := range []net.Conn{l.client, l.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// forward passes on what the client sends, until either side ends.
func (p *proxy) forward(l *link) {
	defer l.cut()
	from := bufio.NewReaderSize(l.client, 64<<10)
	for isFirst := true; ; isFirst = false {
		piece, mayCut, err := p.next(from, isFirst)
		if err != nil {
			return
		}
		arrives := p.pass(l)
		if !arrives {
			continue
		}
		how := notCut
		if mayCut {
			how = p.chance(l)
		}
		if how == halfSent {
			piece = piece[:len(piece)/2]
		}
		if _, err := l.server.Write(piece); err != nil || how == halfSent || how == allSent {
			return
		}
	}
}

// backward passes on what the server sends, until either side ends.
func (p *proxy) backward(l *link) {
	defer l.cut()
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buffer)
		if err != nil {
			return
		}
		if !p.pass(l) {
			continue
		}
		p.mu.Lock()
		isCut := l.cutAtAnswer
		p.mu.Unlock()
		if isCut {
			return
		}
		if _, err := l.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// chance decides whether a connection is cut at a piece that may be.
func (p *proxy) chance(l *link) cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.Float64() >= p.weather.cutOdds {
		return notCut
	}
	p.cuts++
	how := cut(1 + p.rng.IntN(3))
	l.cutAtAnswer = how == answered
	return how
}

// holdStep is how often one that waits for better weather looks.
const holdStep = 5 * time.Millisecond

// pass waits for as long as the weather has a piece wait, and says whether it arrives.
func (p *proxy) pass(l *link) bool {
	for {
		p.mu.Lock()
		w := p.weather
		l.lost = l.lost || w.loses
		isLost, closed := l.lost, p.closed
		var delay time.Duration
		if w.delay > 0 {
			delay = time.Duration(p.rng.Int64N(int64(w.delay)))
		}
		p.mu.Unlock()
		switch {
		case isLost:
			return false
		case w.holds && !closed:
			time.Sleep(holdStep)
			continue
		}
		time.Sleep(delay)
		return true
	}
}

// anything is next for connections of which all pieces may be cut.
func anything(from *bufio.Reader, _ bool) (piece []byte, mayCut bool, err error) {
	if _, err := from.Peek(1); err != nil {
		return nil, false, err
	}
	piece = make([]byte, from.Buffered())
	_, err = io.ReadFull(from, piece)
	return piece, true, err
}

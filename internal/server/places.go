package server

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"tributary/internal/auth"
	"tributary/model"
)

// maxInFlight is how many requests are worked on at a time, most of which wait for the database: as many payments as two
// transactions have at most, of which one is committed while the other one fills.
const maxInFlight = 2048

// places are those of the requests that are worked on. What comes when all are taken is refused at once: the queue is as
// long as it may get. Nobody has more than half of them, so that an account or the public can keep others neither from
// recording nor from reading.
type places struct {
	most    int
	refused func() // is told of each request that finds no place

	mu    sync.Mutex
	taken int
	by    map[string]int // by who has them
}

func newPlaces(most int, refused func()) *places {
	return &places{most: most, refused: refused, by: map[string]int{}}
}

// take takes a place. Errors: model.ErrOverloaded.
func (p *places) take(who string) error {
	p.mu.Lock()
	full := p.taken >= p.most || p.by[who] >= (p.most+1)/2
	if !full {
		p.taken++
		p.by[who]++
	}
	p.mu.Unlock()
	if full {
		p.refused()
		return model.ErrOverloaded
	}
	return nil
}

func (p *places) giveBack(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[who]--; p.by[who] == 0 {
		delete(p.by, who)
	}
}

// inUse is how many places are taken.
func (p *places) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// limit lets a handler work on a request as long as there are places.
func (p *places) limit(fail func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		work := &work{places: p, who: whoAsks(r.Context()), conn: connectionOf(r.Context())}
		defer work.end()
		if r.ContentLength != 0 && r.Method != http.MethodGet { // the body of a GET is never read to its end
			r.Body = arriving{r.Body, work}
		} else if err := work.begin(); err != nil {
			fail(w, r, err)
			return
		}
		next.ServeHTTP(&working{w, work}, r)
	})
}

// thePublic are those who send events, without a token. They share places as an account's tokens do; no account's id is
// this word.
const thePublic = "public"

func whoAsks(ctx context.Context) string {
	if principal, err := model.PrincipalFrom(ctx); err == nil {
		return principal.AccountID
	}
	return thePublic
}

// work is what is done for a request, from when all of it has arrived until the answer begins: a client that is slow
// with either takes no place. It is used by one goroutine.
type work struct {
	places       *places
	who          string
	conn         *connection
	begun, ended bool
}

func (w *work) begin() error {
	if w.begun {
		return nil
	}
	if err := w.places.take(w.who); err != nil {
		return err
	}
	w.begun = true
	w.conn.works()
	return nil
}

func (w *work) end() {
	if !w.begun || w.ended {
		return
	}
	w.ended = true
	w.places.giveBack(w.who)
	w.conn.waits()
}

// arriving is the body of a request that takes its place when it has arrived. Reading its end may fail with
// model.ErrOverloaded.
type arriving struct {
	io.ReadCloser
	work *work
}

func (b arriving) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		if refused := b.work.begin(); refused != nil {
			return n, refused
		}
	}
	return n, err
}

// working is the answer to a request that gives its place back when it begins.
type working struct {
	http.ResponseWriter
	work *work
}

func (w *working) WriteHeader(status int) {
	w.work.end()
	w.ResponseWriter.WriteHeader(status)
}

func (w *working) Write(text []byte) (int, error) {
	w.work.end()
	return w.ResponseWriter.Write(text)
}

// Unwrap is for http.ResponseController.
func (w *working) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// tokens says of look-ups that find too many others that they are refused.
type tokens struct {
	auth.Tokens
	refused func()
}

// TokenByHash implements auth.Tokens.
func (t tokens) TokenByHash(ctx context.Context, hash []byte, now time.Time) (model.Token, error) {
	token, err := t.Tokens.TokenByHash(ctx, hash, now)
	if err == model.ErrOverloaded {
		t.refused()
	}
	return token, err
}

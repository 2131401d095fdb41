package graph

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vikstrous/dataloadgen"

	"tributary/internal/span"
	"tributary/model"
)

// defaultBatchWait is long enough for the sibling fields of a page to arrive, and short beside a query.
const defaultBatchWait = time.Millisecond

// key is a visitor of a website, and the parameters of what is asked about the visitor.
type key[P comparable] struct {
	website, visitor string
	params           P
}

// none are the parameters of what has none.
type none struct{}

// about is the key of a question about a visitor.
func about[P comparable](v *model.Visitor, params P) key[P] { return key[P]{v.WebsiteID, v.ID, params} }

// loader answers questions about visitors.
type loader[P comparable, V any] = *dataloadgen.Loader[key[P], V]

// loaders join the store's calls of sibling fields in one operation, so that the number of
// statements does not grow with the number of rows.
type loaders struct {
	website    *dataloadgen.Loader[string, model.Website]
	visitor    loader[none, *model.Visitor]
	firstVisit loader[none, *model.Visit]
	lastVisit  loader[none, *model.Visit]
	visits     loader[model.Page, *model.VisitConnection]
	events     loader[model.Page, *model.EventConnection]
	journey    loader[model.Page, *model.JourneyConnection]
	payments   loader[model.Page, *model.PaymentConnection]
	revenue    loader[model.Range, *model.Revenue]
	intervals  atomic.Int64 // answered so far
}

// maxIntervals is how many intervals the lists of one operation have together.
const maxIntervals = 3 * model.MaxBuckets

// atMost refuses a list of intervals that makes the answer too large. How many they are depends on the
// website's payments, so that guard cannot count them.
func (l *loaders) atMost(buckets []*model.RevenueBucket, err error) ([]*model.RevenueBucket, error) {
	if l.intervals.Add(int64(len(buckets))) > maxIntervals {
		return nil, model.Errorf(model.CodeTooManyItems, "", "the query asks for more than %d intervals: ask for shorter ranges, longer intervals, or in several queries", maxIntervals)
	}
	return buckets, err
}

type loadersKey struct{}

// withLoaders gives an operation loaders of its own, which are made when it first asks for one.
func (r *Resolver) withLoaders(ctx context.Context) context.Context {
	return context.WithValue(ctx, loadersKey{}, sync.OnceValue(r.newLoaders))
}

// loaders are the operation's, or fresh ones outside of a GraphQL operation.
func (r *Resolver) loaders(ctx context.Context) *loaders {
	if own, ok := ctx.Value(loadersKey{}).(func() *loaders); ok {
		return own()
	}
	return r.newLoaders()
}

func (r *Resolver) newLoaders() *loaders {
	website := dataloadgen.NewMappedLoader(func(ctx context.Context, ids []string) (map[string]model.Website, error) {
		found := make(map[string]model.Website, len(ids))
		for _, id := range ids {
			site, err := r.Store.Website(ctx, id)
			if err != nil {
				return nil, err
			}
			found[id] = site
		}
		return found, nil
	}, r.batchWait())
	return &loaders{
		website:    website,
		visitor:    newLoader(r, "visitors", withoutParams(r.Store.Visitors)),
		firstVisit: newLoader(r, "firstVisits", withoutParams(r.Store.FirstVisits)),
		lastVisit:  newLoader(r, "lastVisits", withoutParams(r.Store.LastVisits)),
		visits:     newLoader(r, "visitsOfVisitors", r.Store.VisitsOfVisitors),
		events:     newLoader(r, "eventsOfVisitors", r.Store.EventsOfVisitors),
		journey:    newLoader(r, "journeysOfVisitors", r.Store.JourneysOfVisitors),
		payments:   newLoader(r, "paymentsOfVisitors", r.Store.PaymentsOfVisitors),
		revenue: newLoader(r, "revenueOfVisitors", func(ctx context.Context, id string, visitors []string, in model.Range) (map[string]*model.Revenue, error) {
			site, err := website.Load(ctx, id)
			if err != nil {
				return nil, err
			}
			return r.Store.RevenueOfVisitors(ctx, site, visitors, in)
		}),
	}
}

func (r *Resolver) batchWait() dataloadgen.Option {
	return dataloadgen.WithWait(cmp.Or(r.BatchWait, defaultBatchWait))
}

// batch answers one question about many visitors of a website at once, by visitor.
type batch[P comparable, V any] = func(ctx context.Context, website string, visitors []string, params P) (map[string]V, error)

func withoutParams[V any](call func(ctx context.Context, website string, visitors []string) (map[string]V, error)) batch[none, V] {
	return func(ctx context.Context, website string, visitors []string, _ none) (map[string]V, error) {
		return call(ctx, website, visitors)
	}
}

// errTooLong ends the work of a request whose time is over, or whose client has gone.
var errTooLong = model.Errorf(model.CodeUnavailable, "", "the request took too long; ask for less at once")

// newLoader makes a loader whose keys share a call when they are equal but for the visitor. What is read is for traces.
func newLoader[P comparable, V any](r *Resolver, read string, call batch[P, V]) loader[P, V] {
	return dataloadgen.NewLoader(func(ctx context.Context, keys []key[P]) (_ []V, errs []error) {
		defer func() {
			if cause := recover(); cause != nil {
				errs = []error{r.recovered(ctx, cause)}
			}
		}()
		if err := ctx.Err(); err != nil {
			return nil, []error{errors.Join(errTooLong, err)}
		}
		values := make([]V, len(keys))
		errs = make([]error, len(keys))
		groups := map[key[P]][]int{} // indexes of keys, by the key without its visitor
		for i, k := range keys {
			shared := key[P]{website: k.website, params: k.params}
			groups[shared] = append(groups[shared], i)
		}
		for shared, group := range groups {
			visitors := make([]string, len(group))
			for i, at := range group {
				visitors[i] = keys[at].visitor
			}
			end := span.Read(ctx, read)
			found, err := call(ctx, shared.website, visitors, shared.params)
			end()
			for _, at := range group {
				values[at], errs[at] = found[keys[at].visitor], err
			}
		}
		return values, errs
	}, r.batchWait())
}

package graph

import (
	"cmp"
	"context"
	"time"

	"github.com/vikstrous/dataloadgen"

	"tributary/model"
)

// defaultBatchWait is long enough for the sibling fields of a page to arrive, and short beside a query.
const defaultBatchWait = time.Millisecond

// visitorKey is a visitor of a website.
type visitorKey struct{ website, visitor string }

// pageKey is a page of a visitor's list.
type pageKey struct {
	visitorKey
	first    int
	after    string
	hasAfter bool
}

// revenueKey is a visitor's revenue in a range.
type revenueKey struct {
	visitorKey
	in model.Range
}

// loaders join the store's calls of sibling fields in one operation, so that the number of
// statements does not grow with the number of rows.
type loaders struct {
	website    *dataloadgen.Loader[string, model.Website]
	visitor    *dataloadgen.Loader[visitorKey, *model.Visitor]
	firstVisit *dataloadgen.Loader[visitorKey, *model.Visit]
	lastVisit  *dataloadgen.Loader[visitorKey, *model.Visit]
	visits     *dataloadgen.Loader[pageKey, *model.VisitConnection]
	payments   *dataloadgen.Loader[pageKey, *model.PaymentConnection]
	revenue    *dataloadgen.Loader[revenueKey, *model.Revenue]
}

type loadersKey struct{}

// withLoaders gives an operation loaders of its own.
func (r *Resolver) withLoaders(ctx context.Context) context.Context {
	return context.WithValue(ctx, loadersKey{}, r.newLoaders())
}

// loaders are the operation's, or fresh ones outside of a GraphQL operation.
func (r *Resolver) loaders(ctx context.Context) *loaders {
	if l, ok := ctx.Value(loadersKey{}).(*loaders); ok {
		return l
	}
	return r.newLoaders()
}

func (r *Resolver) newLoaders() *loaders {
	wait := dataloadgen.WithWait(cmp.Or(r.BatchWait, defaultBatchWait))
	byVisitor := func(k visitorKey) visitorKey { return k }
	byPage := func(k pageKey) visitorKey { return k.visitorKey }
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
	}, wait)
	return &loaders{
		website: website,
		visitor: newLoader(wait, byVisitor, func(ctx context.Context, k visitorKey, ids []string) (map[string]*model.Visitor, error) {
			return r.Store.Visitors(ctx, k.website, ids)
		}),
		firstVisit: newLoader(wait, byVisitor, func(ctx context.Context, k visitorKey, ids []string) (map[string]*model.Visit, error) {
			return r.Store.FirstVisits(ctx, k.website, ids)
		}),
		lastVisit: newLoader(wait, byVisitor, func(ctx context.Context, k visitorKey, ids []string) (map[string]*model.Visit, error) {
			return r.Store.LastVisits(ctx, k.website, ids)
		}),
		visits: newLoader(wait, byPage, func(ctx context.Context, k pageKey, ids []string) (map[string]*model.VisitConnection, error) {
			return r.Store.VisitsOfVisitors(ctx, k.website, ids, &k.first, k.cursor())
		}),
		payments: newLoader(wait, byPage, func(ctx context.Context, k pageKey, ids []string) (map[string]*model.PaymentConnection, error) {
			return r.Store.PaymentsOfVisitors(ctx, k.website, ids, &k.first, k.cursor())
		}),
		revenue: newLoader(wait, func(k revenueKey) visitorKey { return k.visitorKey },
			func(ctx context.Context, k revenueKey, ids []string) (map[string]*model.Revenue, error) {
				site, err := website.Load(ctx, k.website)
				if err != nil {
					return nil, err
				}
				return r.Store.RevenueOfVisitors(ctx, site, ids, k.in)
			}),
	}
}

// newLoader makes a loader from a call that answers for many visitors at once. Keys that are equal
// but for the visitor share a call.
func newLoader[K comparable, V any](wait dataloadgen.Option, visitorOf func(K) visitorKey, call func(ctx context.Context, k K, visitors []string) (map[string]V, error)) *dataloadgen.Loader[K, V] {
	fetch := func(ctx context.Context, keys []K) ([]V, []error) {
		values, errs := make([]V, len(keys)), make([]error, len(keys))
		groups := map[any][]int{}
		for i, k := range keys {
			groups[withoutVisitor(k)] = append(groups[withoutVisitor(k)], i)
		}
		for _, group := range groups {
			visitors := make([]string, len(group))
			for i, at := range group {
				visitors[i] = visitorOf(keys[at]).visitor
			}
			found, err := call(ctx, keys[group[0]], visitors)
			for _, at := range group {
				values[at], errs[at] = found[visitorOf(keys[at]).visitor], err
			}
		}
		return values, errs
	}
	return dataloadgen.NewLoader(fetch, wait)
}

// withoutVisitor is what the keys of one call have in common.
func withoutVisitor(key any) any {
	switch k := key.(type) {
	case visitorKey:
		k.visitor = ""
		return k
	case pageKey:
		k.visitor = ""
		return k
	case revenueKey:
		k.visitor = ""
		return k
	}
	return key
}

func newPageKey(v *model.Visitor, first *int, after *string) pageKey {
	key := pageKey{visitorKey: visitorKey{v.WebsiteID, v.ID}, first: model.DefaultPageSize}
	if first != nil {
		key.first = *first
	}
	if after != nil {
		key.after, key.hasAfter = *after, true
	}
	return key
}

func (k pageKey) cursor() *string {
	if !k.hasAfter {
		return nil
	}
	return &k.after
}

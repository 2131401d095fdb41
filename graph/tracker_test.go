package graph_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// TestTracker calls the resolvers as REST does, with nothing but the tracking id of a page.
func TestTracker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.website(model.Website{})
	resolver := &graph.Resolver{Store: b.store, Now: b.now, ParseUserAgent: func(string) model.Client { return model.Client{} }}
	ctx := model.WithPrincipal(t.Context(), &model.Principal{TrackingID: b.site.TrackingID})
	change, ask := resolver.Mutation(), resolver.Query()

	t.Run("records visits and events of its website, whatever it names", func(t *testing.T) {
		visit, err := change.RecordVisit(ctx, model.RecordVisitInput{WebsiteID: &other.ID, VisitorID: "v", URL: "https://shop.example/"})
		require.NoError(t, err)
		require.Equal(t, b.site.ID, visit.Visit.WebsiteID)
		event, err := change.RecordEvent(ctx, model.RecordEventInput{WebsiteID: &other.ID, VisitorID: "v", URL: "https://shop.example/", Type: model.EventCustom, Name: new("n")})
		require.NoError(t, err)
		require.Equal(t, b.site.ID, event.Event.WebsiteID)
	})

	t.Run("may nothing else", func(t *testing.T) {
		for _, site := range []*string{nil, &b.site.ID, &other.ID} {
			for _, operations := range []reflect.Value{reflect.ValueOf(&change).Elem(), reflect.ValueOf(&ask).Elem()} {
				for i := range operations.NumMethod() {
					name := operations.Type().Method(i).Name
					if name == "RecordVisit" || name == "RecordEvent" {
						continue
					}
					results := operations.Method(i).Call(arguments(ctx, operations.Method(i).Type(), site))
					err, _ := results[len(results)-1].Interface().(error)
					require.NotNil(t, model.AsError(err), name)
					require.Equal(t, model.CodeForbidden, model.AsError(err).Code, name)
				}
			}
		}
		_, err := resolver.Visitor().Identity(ctx, &model.Visitor{WebsiteID: b.site.ID, ID: "v"})
		require.NotNil(t, model.AsError(err))
		require.Equal(t, model.CodeForbidden, model.AsError(err).Code)
	})
}

// arguments are those of a resolver that is asked about a website, and for nothing in particular.
func arguments(ctx context.Context, method reflect.Type, site *string) []reflect.Value {
	values := []reflect.Value{reflect.ValueOf(ctx)}
	for n := 1; n < method.NumIn(); n++ {
		value := reflect.New(method.In(n)).Elem()
		switch {
		case value.Type() == reflect.TypeOf(site):
			value.Set(reflect.ValueOf(site))
		case value.Kind() == reflect.Struct && value.FieldByName("WebsiteID").IsValid():
			value.FieldByName("WebsiteID").Set(reflect.ValueOf(site))
		}
		values = append(values, value)
	}
	return values
}

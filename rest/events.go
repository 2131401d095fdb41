package rest

import (
	"context"
	"net/http"
	"time"

	"tributary/model"
	"tributary/openapi"
)

// eventsPath is where trackers send events. It has no token, and pages of any origin may use it.
const eventsPath = "/api/events"

// Senders tells what is to be known of the browsers and servers that send events.
type Senders struct {
	// Admit says whether a request's address may send another event; if not, how long it should wait.
	Admit func(r *http.Request) (wait time.Duration, ok bool)
	// Country is the ISO 3166 code of the country that a request comes from; "" if it is not known.
	Country func(r *http.Request) string
	// IsBot says whether a User-Agent is that of a bot.
	IsBot func(userAgent string) bool
}

// sender is what an event's operation needs to know of its request.
type sender struct {
	userAgent, country string
}

type senderKey struct{}

// admit refuses events of an address that sends too many, and puts the sender of others into the context.
func (s Senders) admit(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if wait, ok := s.Admit(r); !ok {
			err := model.Errorf(model.CodeRateLimited, "", "too many events from this address; send fewer")
			err.RetryAfter = wait
			WriteError(w, r, err)
			return
		}
		from := sender{userAgent: r.UserAgent(), country: s.Country(r)}
		next(w, r.WithContext(context.WithValue(r.Context(), senderKey{}, from)))
	}
}

// crossOrigin lets pages of every origin read the answers of eventsPath.
func crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == eventsPath {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
		}
		next.ServeHTTP(w, r)
	})
}

// preflightAge is for how many seconds a browser need not ask again; none keeps it longer than a day.
const preflightAge = 24 * 60 * 60

// PreflightTrackEvent implements openapi.StrictServerInterface.
func (s *server) PreflightTrackEvent(context.Context, openapi.PreflightTrackEventRequestObject) (openapi.PreflightTrackEventResponseObject, error) {
	return openapi.PreflightTrackEvent204Response{Headers: openapi.PreflightTrackEvent204ResponseHeaders{
		AccessControlAllowMethods: "POST",
		AccessControlAllowHeaders: "Content-Type, X-Datafast-Real-Ip",
		AccessControlMaxAge:       preflightAge,
	}}, nil
}

// The answers to an event.
const (
	messageEvent = "Event recorded"
	messageBot   = "Ignored: the User-Agent is that of a bot"
)

// TrackEvent implements openapi.StrictServerInterface.
func (s *server) TrackEvent(ctx context.Context, request openapi.TrackEventRequestObject) (openapi.TrackEventResponseObject, error) {
	from, _ := ctx.Value(senderKey{}).(sender)
	if s.senders.IsBot(from.userAgent) {
		return openapi.TrackEvent200JSONResponse{Message: messageBot}, nil
	}
	event, err := fromAPIEvent(*request.Body, from)
	if err != nil {
		return nil, err
	}
	ctx = model.WithPrincipal(ctx, &model.Principal{TrackingID: event.trackingID})
	if event.view != nil {
		_, err = s.resolver.RecordVisit(ctx, *event.view)
	} else {
		_, err = s.resolver.RecordEvent(ctx, event.other)
	}
	if err != nil {
		return nil, event.names.rename(err)
	}
	answer := openapi.TrackEvent200JSONResponse{Message: messageEvent, VisitorId: &event.visitorID}
	if len(event.ignored) > 0 {
		answer.IgnoredFields = &event.ignored
	}
	return answer, nil
}

package server

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"tributary/internal/ratelimit"
	"tributary/model"
)

// tokenRates limits how often each token may ask.
type tokenRates struct {
	limiter *ratelimit.Limiter[string]
	now     func() time.Time
	refused func()
	quota   string // requests in the window
	policy  string // as draft-ietf-httpapi-ratelimit-headers-10 has it
}

func newTokenRates(perSecond uint32, now func() time.Time, refused func()) *tokenRates {
	window := uint64(ratelimit.Window / time.Second)
	quota := strconv.FormatUint(uint64(perSecond)*window, 10)
	return &tokenRates{
		limiter: ratelimit.New[string](perSecond), now: now, refused: refused,
		quota: quota, policy: fmt.Sprintf(`"token";q=%s;w=%d`, quota, window),
	}
}

// limit answers requests of a token that asks too often with model.CodeRateLimited. All answers say what the token has
// left, in the headers of the draft and in those that were usual before.
func (t *tokenRates) limit(fail func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := model.PrincipalFrom(r.Context())
		if err != nil {
			fail(w, r, err)
			return
		}
		answer := t.limiter.Admit(principal.TokenID, t.now())
		left, reset := strconv.Itoa(answer.Left), strconv.Itoa(int(math.Ceil(answer.Reset.Seconds())))
		header := w.Header()
		header.Set("RateLimit-Policy", t.policy)
		header.Set("RateLimit", `"token";r=`+left+";t="+reset)
		header.Set("X-RateLimit-Limit", t.quota)
		header.Set("X-RateLimit-Remaining", left)
		header.Set("X-RateLimit-Reset", reset)
		if !answer.OK {
			t.refused()
			refusal := model.Errorf(model.CodeRateLimited, "", "too many requests with this token; send fewer")
			refusal.RetryAfter = answer.Wait
			fail(w, r, refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}

package db

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestRecent_get(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecent[int](time.Second)
		get := func(read func() int) int {
			value, err := r.get(t.Context(), "key", func() (int, error) { return read(), nil })
			require.NoError(t, err)
			return value
		}
		is := func(n int) func() int { return func() int { return n } }
		mustNotRead := func() int {
			t.Error("read what is known")
			return 0
		}
		require.Equal(t, 1, get(is(1)))
		time.Sleep(499 * time.Millisecond) // of the bubble's clock
		require.Equal(t, 1, get(mustNotRead))

		time.Sleep(time.Millisecond)
		answer, renewed := make(chan int), make(chan int)
		go func() { renewed <- get(func() int { return <-answer }) }()
		synctest.Wait()
		require.Equal(t, 1, get(mustNotRead), "one reads it again, the others go on with what is known")

		time.Sleep(500 * time.Millisecond)
		require.Equal(t, 3, get(is(3)), "nobody waits for the one when the moment is over")
		answer <- 2
		require.Equal(t, 2, <-renewed)
	})
}

func TestRecent_get_strangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecent[int](time.Second)
		get := func(key string, read func() int) (int, error) {
			return r.get(t.Context(), key, func() (int, error) { return read(), nil })
		}
		one := func() int { return 1 }
		_, err := get("known", one)
		require.NoError(t, err)

		release, done := make(chan struct{}), make(chan error)
		for i := range maxStrangers {
			go func() {
				_, err := get(fmt.Sprint("made up ", i), func() int { <-release; return 1 })
				done <- err
			}()
		}
		synctest.Wait()
		value, err := get("known", one)
		require.NoError(t, err, "what is known waits for nobody")
		require.Equal(t, 1, value)
		_, err = get("one more", one)
		require.Equal(t, model.ErrOverloaded, err)

		close(release)
		for range maxStrangers {
			require.NoError(t, <-done)
		}
		_, err = get("one more", one)
		require.NoError(t, err)
	})
}

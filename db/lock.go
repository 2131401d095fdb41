package db

import (
	"context"
	"hash/fnv"
	"slices"
	"time"

	"tributary/model"
)

// recorder changes the ledger of one website in one transaction.
//
// Recorders work beside each other as long as each changes only what is its own: its entries, and the
// customers that it has locked. One that has to change the entries of others works alone. So the locks
// are always taken in one order (website, charges, customers, payments), and recorders do not deadlock.
type recorder struct {
	tx      *transaction
	site    model.Website
	changes *ledgerChanges
	alone   bool                       // no other recorder of the website is at work
	locked  map[model.CustomerKey]bool // the customers whose rows it has locked when it began, and whether it made them
}

// The ways in which a recorder can begin.
const (
	beside = false
	alone  = true
)

// onLedger runs a transaction on a website's ledger. One that is alone begins when no other recorder of the
// website is at work. One that begins beside others, and has to be run again, is then alone: so it comes to
// its end.
func (s *Store) onLedger(ctx context.Context, site model.Website, isAlone bool, do func(ctx context.Context, r recorder) error) error {
	return s.write(ctx, func(ctx context.Context, tx *transaction) error {
		r := recorder{tx: tx, site: site, changes: &ledgerChanges{}, alone: isAlone}
		isAlone = alone
		if r.alone {
			tx.queue(tx.NewRaw("SELECT pg_advisory_xact_lock(?)", int64(r.websiteLock())))
		}
		if err := do(ctx, r); err != nil {
			return err
		}
		return r.keepRollups(ctx)
	})
}

// recording is onLedger beside others, for so many items that are recorded.
func (s *Store) recording(ctx context.Context, site model.Website, items int, do func(ctx context.Context, r recorder) error) error {
	err := s.onLedger(ctx, site, beside, do)
	if err == nil {
		s.growth.add(site.ID, items)
	}
	return err
}

// giveWay lets those go on who record to the website in this process, if anybody does, for as long as the last step of
// what keeps them waiting took. Errors: CodeUnavailable when the context ends.
func (s *Store) giveWay(ctx context.Context, site model.Website, step time.Duration) error {
	if !s.payments.isAtWork(site.ID) && !s.views.isAtWork(site.ID) && !s.events.isAtWork(site.ID) {
		return nil
	}
	return pause(ctx, step)
}

// pause waits. Errors: CodeUnavailable when the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return translate(ctx.Err())
	case <-time.After(d):
		return nil
	}
}

// chargeLocks is how many locks the charges of a website share. Postgres keeps locks in a table that
// is made for 6,400 by default: twenty batches at once must fit into it.
const chargeLocks = 255

// websiteLock is the lock of the recorder's website. Those of its charges are the numbers that follow.
func (r recorder) websiteLock() uint64 {
	website := hash(r.site.ID)
	return website - website%(chargeLocks+1)
}

// chargeLock is which of the locks of its website a charge has.
func chargeLock(id string) uint64 { return hash(id) % chargeLocks }

// lock keeps those who are alone away from the website until the transaction ends, and other recorders from
// the charges with their refunds, whether or not any of them is recorded yet. There may be no row to lock,
// hence advisory locks. A recorder that is alone has kept everybody away already. The locks are taken with the
// next query.
func (r recorder) lock(charges []string) {
	if r.alone {
		return
	}
	website := int64(r.websiteLock())
	keys := make([]int64, len(charges))
	for i, id := range charges {
		keys[i] = website + 1 + int64(chargeLock(id))
	}
	slices.Sort(keys)
	r.tx.queue(kept(`SELECT CASE k WHEN $1::bigint THEN pg_advisory_xact_lock_shared(k) ELSE pg_advisory_xact_lock(k) END FROM unnest($2::bigint[]) AS k`,
		website, append([]int64{website}, slices.Compact(keys)...)))
}

// lockVisitors has those wait who record pageviews and events of the visitors, with the next query.
func (r recorder) lockVisitors(visitors []string) {
	r.tx.queue(r.tx.NewRaw("SELECT FROM visitors WHERE website_id = ? AND id = ANY (?) ORDER BY id FOR UPDATE", r.site.ID, textArray(visitors)))
}

// mustBeAlone ends the transaction of a recorder that is not alone; it is run again.
func (r recorder) mustBeAlone() error {
	if r.alone {
		return nil
	}
	return errNotAlone
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

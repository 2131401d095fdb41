package db

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// ErasePerson forgets a person: whatever identifies is deleted, or cleared where the row is money; a dry run only
// counts. It works in steps beside those who record, each of which is whole and in the audit row. One that fails
// half-way is ended by the next erasure that names one of the same identifiers, and by FinishErasures. When it
// returns, nothing is left that was recorded before it was called; what is recorded with the same identifiers
// later is new. Errors: CodeTooManyItems if the identifiers are too many for one person.
func (s *Store) ErasePerson(ctx context.Context, site model.Website, tokenID string, e model.Erasure, now time.Time) (*model.ErasePersonPayload, error) {
	leave, err := s.writing(ctx, site)
	if err != nil {
		return nil, err
	}
	defer leave()
	payload := &model.ErasePersonPayload{DryRun: e.DryRun}
	if payload.Person, err = findPerson(ctx, s.db, site.ID, e.PersonQuery); err != nil {
		return nil, err
	}
	if payload.Unproven, err = s.countUnproven(ctx, site.ID, payload.Person); err != nil {
		return nil, err
	}
	if e.DryRun {
		payload.PersonTraces, err = s.countPerson(ctx, site.ID, payload.Person)
		return payload, err
	}
	unfinished, err := s.unfinishedErasures(ctx, site.ID)
	if err != nil {
		return nil, err
	}
	for _, row := range unfinished {
		if !row.person.Shares(payload.Person) {
			continue
		}
		if err := s.finishErasure(ctx, site, row, &payload.PersonTraces, now); err != nil {
			return nil, err
		}
	}
	row, err := s.beginErasure(ctx, site, tokenID, payload.Person, now)
	if err != nil {
		return nil, err
	}
	payload.ID = &row.ID
	return payload, s.finishErasure(ctx, site, row, &payload.PersonTraces, now)
}

// FinishErasures ends the erasures of a website that were interrupted, and answers how many they were.
func (s *Store) FinishErasures(ctx context.Context, site model.Website, now time.Time) (int, error) {
	leave, err := s.writing(ctx, site)
	if err != nil {
		return 0, err
	}
	defer leave()
	unfinished, err := s.unfinishedErasures(ctx, site.ID)
	for _, row := range unfinished {
		if err := s.finishErasure(ctx, site, row, new(model.PersonTraces), now); err != nil {
			return 0, err
		}
	}
	return len(unfinished), err
}

// erasureRow is the audit of an erasure. It keeps whom it is about until nothing else does.
type erasureRow struct {
	bun.BaseModel `bun:"table:erasures,alias:a"`

	WebsiteID string
	ID        string `bun:"type:uuid"`
	TokenID   string
	Person    *jsonText
	BegunAt   time.Time

	person model.Person
}

func (s *Store) beginErasure(ctx context.Context, site model.Website, tokenID string, person model.Person, now time.Time) (erasureRow, error) {
	raw, err := json.Marshal(person)
	if err != nil {
		return erasureRow{}, err
	}
	text := jsonText(raw)
	row := erasureRow{WebsiteID: site.ID, ID: newID(), TokenID: tokenID, Person: &text, BegunAt: now, person: person}
	err = s.write(ctx, func(_ context.Context, tx *transaction) error {
		tx.queue(insertion([]erasureRow{row}))
		return nil
	})
	return row, err
}

func (s *Store) unfinishedErasures(ctx context.Context, websiteID string) ([]erasureRow, error) {
	var rows []erasureRow
	err := s.db.NewSelect().Model(&rows).Where("a.website_id = ? AND a.finished_at IS NULL", websiteID).OrderExpr("a.begun_at, a.id").Scan(ctx)
	for i := range rows {
		if err == nil {
			err = json.Unmarshal([]byte(valueOr(rows[i].Person)), &rows[i].person)
		}
	}
	return rows, translate(err)
}

// finishErasure erases step by step until nothing is left, and adds what was erased to a sum.
func (s *Store) finishErasure(ctx context.Context, site model.Website, row erasureRow, sum *model.PersonTraces, now time.Time) error {
	for {
		var erased model.PersonTraces
		isLast, began := false, time.Now()
		err := s.onLedger(ctx, site, alone, func(ctx context.Context, r recorder) (err error) {
			e := eraser{recorder: r, erasure: row}
			isLast, err = e.step(ctx, now)
			erased = e.erased
			return err
		})
		if err != nil {
			return err
		}
		sum.Add(erased)
		if isLast {
			return nil
		}
		if err := s.giveWay(ctx, site, time.Since(began)); err != nil {
			return err
		}
	}
}

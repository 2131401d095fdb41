package db_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

func TestStore_ExportPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.leave()
	b.pay(paid("shared", "canary-visitor", "", "other@shop.example"))
	interrupted, err := json.Marshal(model.Person{Emails: []string{"canary-mail@shop.example"}})
	require.NoError(t, err)
	_, err = connect(t, b.dsn).Exec(t.Context(), `INSERT INTO erasures (website_id, id, token_id, person, begun_at)
		VALUES ($1, gen_random_uuid(), '', $2, now())`, b.site.ID, string(interrupted))
	require.NoError(t, err)
	_, err = connect(t, b.dsn).Exec(t.Context(), `DELETE FROM visitor_rollups WHERE visitor_id > 'canary-visitor'; UPDATE websites SET visitor_rollups_until = 'canary-visitor'`)
	require.NoError(t, err)
	export := func(person model.Person) (found model.Person, text string, columns map[string][]string) {
		columns = map[string][]string{}
		err := b.ExportPerson(t.Context(), b.site, model.PersonQuery{Person: person}, func(p model.Person) error {
			found = p
			return nil
		}, func(table string, row json.RawMessage) error {
			var values map[string]any
			require.NoError(t, json.Unmarshal(row, &values))
			columns[table] = slices.Sorted(maps.Keys(values))
			text += table + " " + string(row) + "\n"
			return nil
		})
		require.NoError(t, err)
		return found, text, columns
	}

	person, text, columns := export(model.Person{Emails: []string{"canary-mail@shop.example"}})
	require.Equal(t, model.Person{Emails: []string{"canary-mail@shop.example"}, CustomerIDs: []string{"canary-customer"}, VisitorIDs: []string{"canary-visitor"}}, person)
	for _, canary := range canaries {
		require.Contains(t, text, canary)
	}
	require.NotContains(t, text, "other", "neither another person, nor what that one paid in the same browser")
	for _, table := range db.PersonalTables() {
		require.Equal(t, slices.Sorted(slices.Values(slices.Concat(table.Identifies, table.Tells))), columns[table.Table], "of %s", table.Table)
	}

	_, text, _ = export(model.Person{CustomerIDs: []string{"nobody"}})
	require.Empty(t, text)
	b.erase(model.ErasePersonInput{VisitorID: ptr("canary-visitor")})
	require.NoError(t, b.BuildRollups(t.Context(), b.site.ID, nil))
	_, text, _ = export(person)
	require.Empty(t, text)
}

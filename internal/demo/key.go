package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tributary/model"
)

// keyFile is where the key is kept, in the data directory: the database only has its hash.
const keyFile = "demo.json"

// KeyStore keeps website keys.
type KeyStore interface {
	CreateToken(ctx context.Context, t model.Token) (model.Token, error)
	TokenByHash(ctx context.Context, hash []byte, now time.Time) (model.Token, error)
}

type keptKey struct {
	WebsiteID string `json:"website_id"`
	Key       string `json:"key"`
}

// Key is a website key of the demo website. It is kept in the file demo.json in dir, for its owner
// only, and is the same at every start. Another one is made if there is no such file, or if its key
// is not valid any more or belongs to another website.
func Key(ctx context.Context, store KeyStore, dir string, site model.Website, now time.Time) (string, error) {
	path := filepath.Join(dir, keyFile)
	kept, err := readKey(path)
	if err != nil {
		return "", fmt.Errorf("read the demo's key: %w", err)
	}
	valid, err := isValid(ctx, store, kept, site, now)
	if err != nil {
		return "", fmt.Errorf("check the demo's key: %w", err)
	}
	if valid {
		return kept.Key, nil
	}
	token, secret := model.NewToken(model.Token{
		Prefix: model.PrefixWebsiteKey, Name: "demo", WebsiteID: site.ID, CreatedAt: now,
	})
	// The file comes first, so that a failure leaves a file without a key behind, which the next start
	// replaces, and not a key that nobody knows.
	if err := writeKey(path, keptKey{WebsiteID: site.ID, Key: secret}); err != nil {
		return "", fmt.Errorf("keep the demo's key: %w", err)
	}
	if _, err := store.CreateToken(ctx, token); err != nil {
		return "", fmt.Errorf("create the demo's key: %w", err)
	}
	return secret, nil
}

func isValid(ctx context.Context, store KeyStore, kept keptKey, site model.Website, now time.Time) (bool, error) {
	hash, ok := model.HashToken(kept.Key)
	if !ok {
		return false, nil
	}
	token, err := store.TokenByHash(ctx, hash, now)
	if fault := model.AsError(err); fault != nil && fault.Code == model.CodeUnauthorized {
		return false, nil
	}
	return err == nil && token.WebsiteID == site.ID, err
}

// readKey reads what is kept; nothing, if the file is not there or was not written by writeKey.
func readKey(path string) (keptKey, error) {
	var kept keptKey
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil && json.Unmarshal(text, &kept) != nil {
		return keptKey{}, nil
	}
	return kept, err
}

// writeKey replaces the file as a whole. It is readable by its owner only from the beginning.
func writeKey(path string, key keptKey) error {
	text, err := json.Marshal(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), keyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

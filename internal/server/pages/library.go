package pages

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
)

// cdn serves the files of npm packages under name@version/file.
const cdn = "https://cdn.jsdelivr.net/npm/"

// library is one file of an npm package that the playground needs.
type library struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	File      string `json:"file"`      // path inside the package
	Integrity string `json:"integrity"` // subresource integrity: "sha384-" and the hash in base64
}

// libraries.json is shared with build-assets.mjs, in the order in which a page has to load the files.
//
//go:embed libraries.json
var librariesJSON []byte

func libraries() []library {
	var all []library
	if err := json.Unmarshal(librariesJSON, &all); err != nil {
		panic(fmt.Sprintf("pages: libraries.json, which is a part of the source: %v", err))
	}
	return all
}

// path is name@version/file: it changes with the version, so that its content never does.
func (l library) path() string { return l.Name + "@" + l.Version + "/" + l.File }

// reference is how a page names a library.
type reference struct {
	URL        string
	Integrity  string // empty for a file of our own
	Stylesheet bool   // else a script
}

// locate refers to the embedded files, or to those of the CDN unless all are embedded: a part of them is of no use.
func locate(all []library, assets fs.FS) []reference {
	embedded := true
	for _, l := range all {
		_, err := fs.Stat(assets, "assets/npm/"+l.path()+".gz")
		embedded = embedded && err == nil
	}
	refs := make([]reference, len(all))
	for i, l := range all {
		refs[i] = reference{URL: "/assets/npm/" + l.path(), Stylesheet: path.Ext(l.File) == ".css"}
		if !embedded {
			refs[i].URL, refs[i].Integrity = cdn+l.path(), l.Integrity
		}
	}
	return refs
}

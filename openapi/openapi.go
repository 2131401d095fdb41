// Package openapi holds the published contract of the REST API, openapi.yaml, and the server that is
// generated from it. The YAML file is written by hand and is the source of both.
package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"
)

// YAML is the published OpenAPI 3.1 document. It must not be changed.
//
//go:embed openapi.yaml
var YAML []byte

// JSON is the same document as JSON, with its keys in the same order. It is converted once, and must
// not be changed.
func JSON() []byte { return asJSON() }

var asJSON = sync.OnceValue(func() []byte {
	var doc yaml.Node
	if err := yaml.Unmarshal(YAML, &doc); err != nil {
		panic(fmt.Sprintf("openapi.yaml: %v", err)) // the file is embedded; tests convert it
	}
	var out bytes.Buffer
	if err := writeJSON(&out, &doc); err != nil {
		panic(fmt.Sprintf("openapi.yaml: %v", err))
	}
	return out.Bytes()
})

// writeJSON writes a YAML node as JSON. It goes by nodes because maps would lose the order of the keys.
func writeJSON(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(out, n.Content[0])
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeScalar(out, n.Content[i].Value); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := writeJSON(out, n.Content[i+1]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeJSON(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case yaml.ScalarNode:
		var value any
		if err := n.Decode(&value); err != nil {
			return err
		}
		return writeScalar(out, value)
	}
	return fmt.Errorf("line %d: anchors and aliases have no JSON form", n.Line)
}

func writeScalar(out *bytes.Buffer, value any) error {
	text, err := json.Marshal(value)
	out.Write(text)
	return err
}

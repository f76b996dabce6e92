package main

import (
	"encoding/json"
)

const (
	imageTarget = "image"
	indexTarget = "index"
)

// targetBytes are what is signed: an image and an index that holds it.
func targetBytes() map[string][]byte {
	const imageType = "application/vnd.oci.image.manifest.v1+json"
	const indexType = "application/vnd.oci.image.index.v1+json"
	empty := descriptor{MediaType: "application/vnd.oci.empty.v1+json", Digest: digestOf([]byte("{}")), Size: 2}
	image := must(json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": imageType, "config": empty, "layers": []descriptor{empty},
		"annotations": map[string]string{"org.opencontainers.image.title": "acme/shop"},
	}))
	index := must(json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": indexType,
		"manifests": []descriptor{{MediaType: imageType, Digest: digestOf(image), Size: int64(len(image))}},
	}))
	return map[string][]byte{imageTarget: image, indexTarget: index}
}

func describe(bytes []byte) descriptor {
	var document struct {
		MediaType string `json:"mediaType"`
	}
	check(json.Unmarshal(bytes, &document))
	return descriptor{MediaType: document.MediaType, Digest: digestOf(bytes), Size: int64(len(bytes))}
}

// world is who signs in the fixtures and what they sign.
type world struct {
	image, index                               descriptor
	root, intermediate, release, stranger, tsa *identity
	timestamps, revokedTSA                     *identity
}

func newWorld() *world {
	targets := targetBytes()
	w := &world{image: describe(targets[imageTarget]), index: describe(targets[indexTarget])}
	w.root = authority(nil, "Acme Test Root", -1)
	w.intermediate = authority(w.root, "Acme Test Intermediate", 0)
	w.release = leaf(w.root, p256())
	w.stranger = authority(nil, "Other Test Root", -1)
	w.tsa = authority(nil, "Acme Test Timestamp Root", -1)
	w.timestamps = timestampLeaf(w.tsa)
	w.revokedTSA = timestampLeaf(w.tsa, crlAt(crlURL))
	return w
}

// by is a sound recipe of a signer; cases change what they are about.
func (w *world) by(format string, signer *identity) recipe {
	return recipe{
		format:      format,
		scheme:      schemeX509,
		chain:       signer.chain(),
		key:         signer.key,
		signingTime: signedAt,
		contentType: payloadType,
		payload:     payloadOf(w.image),
	}
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// makeFixtures writes every case and what notation-go says to it, in place of what was there.
func makeFixtures(directory string) error {
	w := newWorld()
	all := w.fixtures()
	for _, folder := range []string{"envelopes", "trust", "revocation", "targets"} {
		if err := os.RemoveAll(filepath.Join(directory, folder)); err != nil {
			return err
		}
	}
	write := fixtureWriter{directory: directory, known: map[string]string{}}
	document := cases{NowMs: decisionAt.UnixMilli(), Targets: map[string]descriptor{}, Cases: all}
	for name, content := range targetBytes() {
		document.Targets[name] = describe(content)
		write.file("targets/"+name+".json", content)
	}
	for _, each := range all {
		write.fixture(each)
	}
	write.file("cases.json", indented(document))
	if write.failed != nil {
		return write.failed
	}
	return record(directory, document, write)
}

// record adds the verdicts of notation-go, and holds every difference against its explanation.
func record(directory string, document cases, write fixtureWriter) error {
	verdicts, err := verdictsOf(directory)
	if err != nil {
		return err
	}
	var wrong []error
	for _, each := range document.Cases {
		each.NotationGo = verdicts[each.Name]
		agreed := (each.Expected == accepted) == (each.NotationGo.Verdict == accepted)
		if agreed == (each.Difference != "") {
			wrong = append(wrong, fmt.Errorf("%s: expected %s, notation-go: %s %s (difference: %q)",
				each.Name, each.Expected, each.NotationGo.Verdict, each.NotationGo.Error, each.Difference))
		}
	}
	write.file("cases.json", indented(document))
	fmt.Printf("%d cases made\n", len(document.Cases))
	return errors.Join(append(wrong, write.failed)...)
}

// fixtureWriter keeps the first failure, and writes content that is there already only once.
type fixtureWriter struct {
	directory string
	known     map[string]string
	failed    error
}

func (w *fixtureWriter) fixture(f *fixture) {
	envelope, madeBy := f.recipe.sign()
	f.MadeBy = madeBy
	f.MediaType = mediaTypes[f.recipe.format]
	f.Envelope = "envelopes/" + strings.TrimPrefix(f.Name, f.recipe.format+"-") + "." + f.recipe.format
	w.file(f.Envelope, envelope)
	for i := range f.Issuer.TrustStores {
		held := &f.Issuer.TrustStores[i]
		held.Certificates = w.shared("trust", f.Name+"."+held.Type+".pem", toPEM(held.certs...))
	}
	for url, body := range f.material {
		if f.Revocation == nil {
			f.Revocation = map[string]string{}
		}
		suffix := ".crl"
		if url == ocspURL {
			suffix = ".ocsp"
		}
		f.Revocation[url] = w.shared("revocation", f.Name+suffix, body)
	}
}

// shared writes content under the name of the first case that has it.
func (w *fixtureWriter) shared(folder, name string, content []byte) string {
	key := folder + string(content)
	if w.known[key] == "" {
		w.known[key] = folder + "/" + name
		w.file(w.known[key], content)
	}
	return w.known[key]
}

func (w *fixtureWriter) file(name string, content []byte) {
	if w.failed != nil {
		return
	}
	path := filepath.Join(w.directory, filepath.FromSlash(name))
	if w.failed = os.MkdirAll(filepath.Dir(path), 0o755); w.failed == nil {
		w.failed = os.WriteFile(path, content, 0o644)
	}
}

func indented(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(value))
	return text.Bytes()
}

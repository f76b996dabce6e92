// What the notation CLI does and what it would refuse to do, over the Notary Project's own libraries.
// Usage:
//
//	notation make DIRECTORY             makes test/fixtures/notation anew
//	notation verify DIRECTORY           what notation-go says to those fixtures, as JSON
//	notation keys DIRECTORY [NAME]      a root, and a key with a certificate below it
//	notation sign --key FILE --chain FILE [--format jws|cose] [--expiry DURATION] [--plain-http] REFERENCE
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) >= 2 {
		switch args[0] {
		case "make":
			return makeFixtures(args[1])
		case "verify":
			return verifyFixtures(args[1])
		case "keys":
			return makeKeys(args[1], args[2:])
		case "sign":
			return signImage(args[1:])
		}
	}
	return fmt.Errorf("usage: notation make|verify|keys DIRECTORY, notation sign --key FILE --chain FILE REFERENCE")
}

// must is for what fails only when this program is wrong.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

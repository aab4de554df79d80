// Command draw prints messages of the project, drawn at random, with their
// places: for reading them as those do who meet one alone.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// message is a text with its place.
type message struct{ place, text string }

func main() {
	n := flag.Int("n", 50, "how many")
	seed := flag.Uint64("seed", uint64(time.Now().Unix()), "which")
	flag.Parse()
	printed, err := printedMessages(".")
	if err != nil {
		log.Fatal(err)
	}
	formats, err := formatStrings(".")
	if err != nil {
		log.Fatal(err)
	}
	all := append(printed, unprinted(formats, printed)...)
	fmt.Printf("%d messages, seed %d\n", len(all), *seed)
	rand.New(rand.NewPCG(*seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, m := range all[:min(*n, len(all))] {
		fmt.Printf("\n%s\n    %s\n", m.place, strings.ReplaceAll(m.text, "\n", "\n    "))
	}
}

// distinct leaves out texts that were already there.
func distinct(all []message) []message {
	known := map[string]bool{}
	var list []message
	for _, m := range all {
		if !known[m.text] {
			known[m.text] = true
			list = append(list, m)
		}
	}
	return list
}

func readText(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"istio.io/istio/pkg/wasm"
)

// fetch asks the agent's own fetcher for one image after another, as lines on standard input name them, and answers a
// line of JSON for each: what was read out of it, or why nothing was.
func fetch() error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := json.Marshal(fetchOne(lines.Text()))
		if err != nil {
			return err
		}
		fmt.Println(string(answer))
	}
	return lines.Err()
}

type fetched struct {
	Digest string `json:"digest,omitempty"`
	Sha256 string `json:"sha256,omitempty"`
	Size   int    `json:"size"`
	Error  string `json:"error,omitempty"`
}

func fetchOne(reference string) fetched {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	binary, digest, err := wasm.NewImageFetcher(ctx, wasm.ImageFetcherOption{}).PrepareFetch(reference)
	if err != nil {
		return fetched{Error: err.Error()}
	}
	content, err := binary()
	if err != nil {
		return fetched{Digest: digest, Error: err.Error()}
	}
	sum := sha256.Sum256(content)
	return fetched{Digest: digest, Sha256: hex.EncodeToString(sum[:]), Size: len(content)}
}

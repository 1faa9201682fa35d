// Judge holds an export of the access log against its signatures, with the Go project's own code for signed notes and
// for Merkle trees: nothing of Lindung is in it. It believes only the keys of the policy; the folder's own is read where
// no other is named, and then proves no more than that the folder agrees with itself.
//
// Usage: judge [-policy FILE] [-older CHECKPOINT] [-every N] FOLDER...
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Tiles are 2^8 hashes wide (C2SP tlog-tiles).
const height, width = 8, 1 << 8

// What stands before the salt in a commitment.
const detailTag = "lindung.my/access-detail/v1\n"

func main() {
	policy := flag.String("policy", "", "the policy that you trust; else the folder's own")
	older := flag.String("older", "", "a checkpoint that you kept")
	every := flag.Int64("every", 1, "check the proof of each so many-th record")
	flag.Parse()
	if flag.NArg() == 0 || *every < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *policy == "" {
		fmt.Fprintln(os.Stderr, "the policy is the folder's own: compare its keys with those that you were given")
	}
	code := 0
	for _, folder := range flag.Args() {
		trusted := *policy
		if trusted == "" {
			trusted = filepath.Join(folder, "policy")
		}
		if tree, err := judge(folder, trusted, *older, *every); err != nil {
			fmt.Println("refused:", err)
			code = 1
		} else {
			fmt.Printf("ok size=%d root=%s\n", tree.N, tree.Hash)
		}
	}
	os.Exit(code)
}

func judge(folder, policyFile, older string, every int64) (tlog.Tree, error) {
	var none tlog.Tree
	policy, err := readPolicy(policyFile)
	if err != nil {
		return none, fmt.Errorf("the policy: %w", err)
	}
	tree, err := policy.open(filepath.Join(folder, "checkpoint"), true)
	if err != nil {
		return none, fmt.Errorf("the checkpoint: %w", err)
	}
	stored, err := checkTiles(folder, tree)
	if err != nil {
		return none, err
	}
	if err := checkEntries(folder, tree, stored); err != nil {
		return none, err
	}
	if err := checkOpenings(folder, tree, stored); err != nil {
		return none, err
	}
	tiles := tlog.TileHashReader(tree, tileFiles(folder))
	for n := int64(0); n < tree.N; n += every {
		proof, err := tlog.ProveRecord(tree.N, n, tiles)
		if err != nil {
			return none, fmt.Errorf("entry %d has no proof: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, stored[tlog.StoredHashIndex(0, n)]); err != nil {
			return none, fmt.Errorf("the proof of entry %d does not hold: %w", n, err)
		}
	}
	if older != "" {
		if err := checkOlder(policy, older, tree, tiles); err != nil {
			return none, fmt.Errorf("the older checkpoint: %w", err)
		}
	}
	return tree, nil
}

// hashes are those of all complete subtrees, in the order of tlog.StoredHashIndex.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		found[i] = h[index]
	}
	return found, nil
}

// checkTiles computes the tree anew from its lowest tiles, and then what every tile must be.
func checkTiles(folder string, tree tlog.Tree) (hashes, error) {
	var stored hashes
	for n := int64(0); n < tree.N; n += width {
		data, err := readTile(folder, tlog.Tile{H: height, L: 0, N: n / width, W: widthAt(n, tree.N)})
		if err != nil {
			return nil, err
		}
		for i := int64(0); i*tlog.HashSize < int64(len(data)); i++ {
			var leaf tlog.Hash
			copy(leaf[:], data[i*tlog.HashSize:])
			more, err := tlog.StoredHashesForRecordHash(n+i, leaf, stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, more...)
		}
	}
	root := tlog.Hash(sha256.Sum256(nil))
	if tree.N > 0 {
		var err error
		if root, err = tlog.TreeHash(tree.N, stored); err != nil {
			return nil, err
		}
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the tiles have the root %s, the checkpoint has %s", root, tree.Hash)
	}
	for level := 1; tree.N>>(height*level) > 0; level++ {
		count := tree.N >> (height * level)
		for n := int64(0); n < count; n += width {
			tile := tlog.Tile{H: height, L: level, N: n / width, W: widthAt(n, count)}
			right, err := tlog.ReadTileData(tile, stored)
			if err != nil {
				return nil, err
			}
			data, err := readTile(folder, tile)
			if err != nil {
				return nil, err
			}
			if string(data) != string(right) {
				return nil, fmt.Errorf("%s is not what the tiles below it make", tilePath(tile))
			}
		}
	}
	return stored, nil
}

// checkEntries holds each entry of the bundles against its hash. A folder without any bundle is an auditor's who may
// read no entries of others.
func checkEntries(folder string, tree tlog.Tree, stored hashes) error {
	if _, err := os.Stat(filepath.Join(folder, "tile", "entries")); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "there are no entry bundles: only the openings' entries are held against their hashes")
		return nil
	}
	for n := int64(0); n < tree.N; n += width {
		tile := tlog.Tile{H: height, L: -1, N: n / width, W: widthAt(n, tree.N)}
		data, err := os.ReadFile(filepath.Join(folder, tilePath(tile)))
		if err != nil {
			return err
		}
		for i := n; i < n+int64(tile.W); i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("%s ends within entry %d", tilePath(tile), i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if tlog.RecordHash(data[2:end]) != stored[tlog.StoredHashIndex(0, i)] {
				return fmt.Errorf("entry %d is not the one that was hashed", i)
			}
			data = data[end:]
		}
		if len(data) > 0 {
			return fmt.Errorf("%s goes on after entry %d", tilePath(tile), n+int64(tile.W)-1)
		}
	}
	return nil
}

// checkOpenings holds the entry of each opening against its hash, and the detail against the entry's commitment.
func checkOpenings(folder string, tree tlog.Tree, stored hashes) error {
	file, err := os.Open(filepath.Join(folder, "openings.ndjson"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var opening struct {
			Number int64
			Leaf   string
			Salt   []byte
			Detail *string
		}
		if err := json.Unmarshal(lines.Bytes(), &opening); err != nil {
			return fmt.Errorf("openings.ndjson: %w", err)
		}
		n := opening.Number
		if n < 0 || n >= tree.N || tlog.RecordHash([]byte(opening.Leaf)) != stored[tlog.StoredHashIndex(0, n)] {
			return fmt.Errorf("openings.ndjson: entry %d is not the one that was hashed", n)
		}
		if opening.Detail == nil {
			continue
		}
		var leaf struct{ Detail []byte }
		if err := json.Unmarshal([]byte(opening.Leaf), &leaf); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		sum := sha256.Sum256([]byte(detailTag + string(opening.Salt) + *opening.Detail))
		if len(opening.Salt) != 32 || string(leaf.Detail) != string(sum[:]) {
			return fmt.Errorf("the detail of entry %d is not the one that it commits to", n)
		}
	}
	return lines.Err()
}

// checkOlder proves that the tree begins with the older one.
func checkOlder(policy *policy, file string, tree tlog.Tree, tiles tlog.HashReader) error {
	old, err := policy.open(file, false)
	switch {
	case err != nil:
		return err
	case old.N > tree.N:
		return fmt.Errorf("it has %d entries, and the log only %d now", old.N, tree.N)
	case old.N == 0 || old.N == tree.N:
		if old.N == tree.N && old.Hash != tree.Hash {
			return fmt.Errorf("it has another root for the same size, %d", tree.N)
		}
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tiles)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("the log does not begin with its %d entries: %w", old.N, err)
	}
	return nil
}

func widthAt(n, size int64) int {
	if size-n < width {
		return int(size - n)
	}
	return width
}

// tilePath is where C2SP puts a tile: without Go's height, and with another word for the entries.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return filepath.Join("tile", strings.Replace(path, "data/", "entries/", 1))
}

func readTile(folder string, tile tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, tilePath(tile)))
	if err == nil && len(data) != tile.W*tlog.HashSize {
		err = fmt.Errorf("%s has %d bytes instead of %d", tilePath(tile), len(data), tile.W*tlog.HashSize)
	}
	return data, err
}

// tileFiles is the folder as Go's code wants to read it.
type tileFiles string

func (f tileFiles) Height() int                         { return height }
func (f tileFiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := readTile(string(f), tile)
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

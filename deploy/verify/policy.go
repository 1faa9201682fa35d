package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A signer is known by its name and the number of its key, as in the lines of a signed note.
type signer struct {
	name string
	hash uint32
}

type group struct {
	name    string
	needed  int
	members []string
}

// A policy tells whose signatures count (C2SP tlog-policy).
type policy struct {
	verifiers []note.Verifier
	logs      map[signer]bool
	witnesses map[signer]string
	groups    []group
	quorum    string
}

func readPolicy(file string) (*policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := &policy{logs: map[signer]bool{}, witnesses: map[signer]string{}}
	known := map[string]bool{}
	for number, line := range strings.Split(string(text), "\n") {
		if err := p.line(strings.Fields(line), known); err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
	}
	if p.quorum == "" {
		return nil, errors.New("it names no quorum")
	}
	return p, nil
}

// line reads one line. A group may only name what stands above it, so that one pass over them decides the quorum.
func (p *policy) line(words []string, known map[string]bool) error {
	switch {
	case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		return nil
	case words[0] == "log" && (len(words) == 2 || len(words) == 3):
		verifier, err := note.NewVerifier(words[1])
		if err != nil {
			return err
		}
		if !freshKey(known, words[1]) {
			return errors.New("it has a key that is there already")
		}
		p.verifiers = append(p.verifiers, verifier)
		p.logs[signer{verifier.Name(), verifier.KeyHash()}] = true
		return nil
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4) && fresh(known, words[1]):
		verifier, err := newWitness(words[2])
		if err != nil {
			return err
		}
		if !freshKey(known, words[2]) {
			return errors.New("it has a key that is there already")
		}
		p.verifiers = append(p.verifiers, verifier)
		p.witnesses[signer{verifier.name, verifier.hash}] = words[1]
		return nil
	case words[0] == "group" && len(words) >= 4:
		members := words[3:]
		for _, member := range members {
			// Each counts in one place only.
			if !known[member] {
				return fmt.Errorf("%s is not above it, or is a member already", member)
			}
			known[member] = false
		}
		needed, err := threshold(words[2], len(members))
		if err != nil || !fresh(known, words[1]) {
			return errors.New("it is no group")
		}
		p.groups = append(p.groups, group{words[1], needed, members})
		return nil
	case words[0] == "quorum" && len(words) == 2 && p.quorum == "" && (known[words[1]] || words[1] == "none"):
		p.quorum = words[1]
		return nil
	}
	return errors.New("it says nothing that a policy can say")
}

// fresh takes a name if nothing has it yet.
func fresh(known map[string]bool, name string) bool {
	if _, taken := known[name]; taken || name == "none" {
		return false
	}
	known[name] = true
	return true
}

// freshKey takes a key if it is not there under another name: one witness must not count twice. No name has a space.
func freshKey(known map[string]bool, vkey string) bool {
	return fresh(known, "key "+strings.SplitN(vkey, "+", 3)[2])
}

func threshold(word string, members int) (int, error) {
	switch word {
	case "any":
		return 1, nil
	case "all":
		return members, nil
	}
	needed, err := strconv.Atoi(word)
	if err != nil || needed < 1 || needed > members {
		return 0, errors.New("its threshold is none")
	}
	return needed, nil
}

// A witness signs a checkpoint together with the time (C2SP tlog-cosignature, Ed25519): Go's code for notes knows how to
// ask such a key, but has none itself.
type witness struct {
	signer
	key ed25519.PublicKey
}

func newWitness(vkey string) (*witness, error) {
	const algorithm = 4
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("it is no witness's key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != algorithm {
		return nil, errors.New("it is no witness's key")
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(key)))
	hash := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, errors.New("the number of the key is not that of the key")
	}
	return &witness{signer{parts[0], hash}, key[1:]}, nil
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	return at <= math.MaxInt64 && ed25519.Verify(w.key, []byte(message), signature[8:])
}

// checkpoint parses the text of one (C2SP tlog-checkpoint).
func checkpoint(text string) (origin string, tree tlog.Tree, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return "", tree, errors.New("it has fewer than three lines")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || tree.N < 0 || strconv.FormatInt(tree.N, 10) != lines[1] {
		return "", tree, errors.New("its size is no number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return "", tree, errors.New("its root is no hash")
	}
	copy(tree.Hash[:], root)
	return lines[0], tree, nil
}

// open verifies the signatures of a checkpoint, with Go's own code for notes, and the quorum where that is asked.
func (p *policy) open(file string, quorum bool) (tlog.Tree, error) {
	message, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(message, note.VerifierList(p.verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, tree, err := checkpoint(opened.Text)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, met := false, map[string]bool{"none": true}
	for _, signature := range opened.Sigs {
		key := signer{signature.Name, signature.Hash}
		signed = signed || p.logs[key] && key.name == origin
		if name, ok := p.witnesses[key]; ok {
			met[name] = true
		}
	}
	if !signed {
		return tlog.Tree{}, fmt.Errorf("no log of the policy has signed it as %s", origin)
	}
	for _, group := range p.groups {
		count := 0
		for _, member := range group.members {
			if met[member] {
				count++
			}
		}
		met[group.name] = count >= group.needed
	}
	if quorum && !met[p.quorum] {
		return tlog.Tree{}, fmt.Errorf("too few witnesses have signed it: the policy asks for %s", p.quorum)
	}
	return tree, nil
}

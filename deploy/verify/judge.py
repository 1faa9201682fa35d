"""Holds an export of the access log against its signatures, with pymerkle's trees and Debian's cryptography: nothing of
Lindung is in it, and nothing of the Go program beside it. It believes only the keys of the policy; the folder's own is
read where no other is named, and then proves no more than that the folder agrees with itself.

Usage: judge.py [--policy FILE] [--older CHECKPOINT] FOLDER...
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

WIDTH = 256
LOG, WITNESS = 1, 4
DETAIL_TAG = b"lindung.my/access-detail/v1\n"


class Refused(Exception):
    """The first thing that does not hold."""


def require(holds, why):
    if not holds:
        raise Refused(why)


class Key:
    """A key as vkeys write it: name, number, and a public key behind the byte of its algorithm."""

    def __init__(self, vkey, algorithm):
        self.name, number, key = vkey.split("+", 2)
        material = base64.b64decode(key, validate=True)
        require(len(material) == 33 and material[0] == algorithm, f"{vkey} is no such key")
        self.id = hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]
        require(self.id.hex() == number, f"the number of the key {self.name} is not that of the key")
        self.algorithm, self.public = algorithm, Ed25519PublicKey.from_public_bytes(material[1:])
        self.bytes = material

    def has_signed(self, text, signature):
        if self.algorithm == WITNESS:
            require(len(signature) == 72, f"the cosignature of {self.name} has the wrong length")
            time = int.from_bytes(signature[:8], "big")
            text, signature = f"cosignature/v1\ntime {time}\n".encode() + text, signature[8:]
        try:
            self.public.verify(signature, text)
        except InvalidSignature:
            raise Refused(f"{self.name} has not signed this checkpoint") from None


class Policy:
    """Whose signatures count (C2SP tlog-policy)."""

    def __init__(self, path):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, [], None
        for line in Path(path).read_text().splitlines():
            match line.split():
                case []:
                    pass
                case [word, *_] if word.startswith("#"):
                    pass
                case ["log", vkey, *_]:
                    self.logs.append(Key(vkey, LOG))
                case ["witness", name, vkey, *_]:
                    self.witnesses[name] = Key(vkey, WITNESS)
                case ["group", name, needed, *members]:
                    needed = {"any": 1, "all": len(members)}.get(needed) or int(needed)
                    require(1 <= needed <= len(members), f"the group {name} cannot be met as it is written")
                    self.groups.append((name, needed, members))
                case ["quorum", name]:
                    self.quorum = name
                case _:
                    raise Refused(f"the policy says what no policy can say: {line}")
        keys = [key.bytes for key in [*self.logs, *self.witnesses.values()]]
        require(len(keys) == len(set(keys)), "a key is in the policy twice")
        require(self.quorum, "the policy names no quorum")

    def open(self, path, quorum):
        """Size and root of a checkpoint whose signatures hold."""
        text, _, signatures = Path(path).read_bytes().rpartition(b"\n\n")
        text += b"\n"
        origin, size, root, *_ = text.decode().split("\n")
        lines = [line.split(" ") for line in signatures.decode().splitlines()]
        signed = {}
        for line in lines:
            require(len(line) == 3 and line[0] == "\u2014", f"{path} has a signature that is none")
            material = base64.b64decode(line[2], validate=True)
            signed[line[1], material[:4]] = material[4:]

        def has_signed(key):
            signature = signed.get((key.name, key.id))
            if signature is not None:
                key.has_signed(text, signature)
            return signature is not None

        by_log = [has_signed(key) for key in self.logs if key.name == origin]
        require(any(by_log), f"no log of the policy has signed {path}")
        met = {"none"} | {name for name, key in self.witnesses.items() if has_signed(key)}
        for name, needed, members in self.groups:
            if sum(member in met for member in set(members)) >= needed:
                met.add(name)
        require(not quorum or self.quorum in met, f"too few witnesses have signed {path}")
        require(size == str(int(size)) and int(size) >= 0, f"the size of {path} is no number")
        root = base64.b64decode(root, validate=True)
        require(len(root) == 32, f"the root of {path} is no hash")
        return int(size), root


def tile(folder, level, index, width):
    """The bytes of a tile: hashes of a level, or the entries."""
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    suffix = "" if width == WIDTH else f".p/{width}"
    return (folder / "tile" / str(level) / (path + suffix)).read_bytes()


def entries(data):
    """The entries of a bundle, each behind its length."""
    found = []
    while data:
        end = 2 + int.from_bytes(data[:2], "big")
        require(2 <= len(data) and end <= len(data), "a bundle ends within an entry")
        found.append(data[2:end])
        data = data[end:]
    return found


class LeafTree(InmemoryTree):
    """pymerkle's tree over leaves of which only the hashes are known."""

    def append_leaf(self, digest):
        """Appends a leaf by its hash."""
        return self._store_leaf(None, digest)


def judge(folder, policy_path, older):
    policy = Policy(policy_path)
    size, root = policy.open(folder / "checkpoint", True)

    # pymerkle hashes the leaves and the nodes anew; without bundles it has to begin with the hashes of the leaves.
    tree, hashes = LeafTree(algorithm="sha256"), LeafTree(algorithm="sha256")
    bundled = (folder / "tile" / "entries").is_dir()
    levels = [[]]
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        data = tile(folder, 0, first // WIDTH, width)
        require(len(data) == 32 * width, f"the tile 0/{first // WIDTH} has the wrong length")
        levels[0] += [data[at:at + 32] for at in range(0, len(data), 32)]
        found = entries(tile(folder, "entries", first // WIDTH, width)) if bundled else [None] * width
        require(len(found) == width, f"the bundle {first // WIDTH} has {len(found)} entries instead of {width}")
        for at, entry in enumerate(found):
            number = first + at
            hashes.append_leaf(levels[0][number])
            if bundled:
                tree.append_entry(entry)
                require(tree.get_leaf(number + 1) == levels[0][number], f"entry {number} is not the one that was hashed")
    tree = tree if bundled else hashes
    require(tree.get_size() == size and tree.get_root() == root, "the entries have another root than the checkpoint")
    require(hashes.get_root() == root, "the tiles have another root than the checkpoint")
    for number in range(1, size + 1):
        verify_inclusion(tree.get_leaf(number), root, tree.prove_inclusion(number), number, size, "sha256")

    # The tiles above the lowest: each hash is the root of a full tile below.
    while len(levels[-1]) >= WIDTH:
        below, level = levels[-1], len(levels)
        above = []
        for index in range(len(below) // WIDTH):
            full = LeafTree(algorithm="sha256")
            for digest in below[index * WIDTH:(index + 1) * WIDTH]:
                full.append_leaf(digest)
            above.append(full.get_root())
        for index in range(0, len(above), WIDTH):
            part = above[index:index + WIDTH]
            require(tile(folder, level, index // WIDTH, len(part)) == b"".join(part),
                    f"the tile {level}/{index // WIDTH} is not what those below it make")
        levels.append(above)

    openings = folder / "openings.ndjson"
    for line in openings.read_text().split("\n")[:-1] if openings.exists() else []:
        opening = json.loads(line)
        number, leaf = opening["number"], opening["leaf"].encode()
        require(0 <= number < size and tree.hash_buff(leaf) == levels[0][number],
                f"openings.ndjson: entry {number} is not the one that was hashed")
        if opening["detail"] is not None:
            salt = base64.b64decode(opening["salt"], validate=True)
            digest = hashlib.sha256(DETAIL_TAG + salt + opening["detail"].encode()).digest()
            require(len(salt) == 32 and base64.b64decode(json.loads(leaf)["detail"]) == digest,
                    f"the detail of entry {number} is not the one that it commits to")

    if older:
        old_size, old_root = policy.open(older, False)
        require(old_size <= size, f"the older checkpoint has {old_size} entries, and the log only {size} now")
        if old_size:
            verify_consistency(old_root, root, tree.prove_consistency(old_size), old_size, size, "sha256")
    return size, root


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--policy", help="the policy that you trust; else the folder's own")
    parser.add_argument("--older", help="a checkpoint that you kept")
    parser.add_argument("folders", nargs="+", type=Path)
    asked = parser.parse_args()
    if not asked.policy:
        print("the policy is the folder's own: compare its keys with those that you were given", file=sys.stderr)
    code = 0
    for folder in asked.folders:
        try:
            size, root = judge(folder, asked.policy or folder / "policy", asked.older)
            print(f"ok size={size} root={base64.b64encode(root).decode()}")
        except (Refused, InvalidProof, OSError, ValueError, KeyError) as why:
            print(f"refused: {why}")
            code = 1
    sys.exit(code)


main()

"""What was written for this project, as the package keeps it and as training reads it.

The folder ``material`` holds, gzipped, one JSON object a line:

- ``paragraphs``: a paragraph of a public set and, mostly, a second version of it with other facts (its flip),
  with questions that one version answers and the other does not;
- ``collections``: small collections of documents, with questions they answer and questions they do not;
- ``conflicts``: pairs of quotations that contradict each other, agree, or tell of different matters;
- ``followups``: dialogues whose later questions lean on the earlier ones.

Its README says how they were made and under which licence each part stands. Fill the folder from the writers'
files, leaving out what does not fit its text letter for letter:

    python -m rag.training.material --data FOLDER --collections FOLDER ... --packs FOLDER --out FOLDER

and add paragraphs written since, from ``packN.jsonl`` with their ``outN.jsonl`` and ``flipsN.jsonl``:

    python -m rag.training.material --data FOLDER --add FOLDER --out FOLDER
"""

import argparse
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.training.sources import SOURCES, clean_title, read_file

FOLDER = Path(__file__).parent / "material"
FILES = ("paragraphs", "collections", "conflicts", "followups")
OWN_SOURCE = "written"  # of a paragraph that is no public set's, but written for this too

# Kept out of training, for development: of the paragraphs those whose hash falls here, with their flips, and
# of the collections and of the families of quotation pairs these.
KEPT_OUT_SHARE = 0.057
KEPT_OUT_COLLECTIONS = ("grange_fc", "lake_tembra", "quayside_hospital")
KEPT_OUT_FAMILIES = 0.1

Answers = tuple[tuple[int, str], ...]  # (start, text)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over a paragraph's two versions; () where it is not answered, None where nobody said."""

    question: str
    original: Answers
    flip: Answers | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, the set it comes from, its second version ("" where there is none), and its questions."""

    source: str
    title: str
    original: str
    flip: str
    asked: tuple[Asked, ...]

    @property
    def kept_out(self) -> bool:
        """Whether it is kept out of training, to measure on."""
        return _share("paragraph " + self.original) < KEPT_OUT_SHARE


@dataclass(frozen=True, slots=True)
class Collection:
    """A small collection: {file name: text}, and its questions as they were written."""

    name: str
    documents: Mapping[str, str]
    questions: tuple[Mapping[str, Any], ...]

    @property
    def kept_out(self) -> bool:
        """Whether it is kept out of training, to measure on."""
        return self.name in KEPT_OUT_COLLECTIONS


def _share(key: str) -> float:
    """A number from 0 to 1 that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48


def family_kept_out(question: str, share: float = KEPT_OUT_FAMILIES) -> bool:
    """Whether the pairs of quotations about this question are kept for development, a ``share`` of all."""
    return _share("family " + question) < share


def read(folder: Path, name: str) -> list[Any]:
    """The objects of one of FILES."""
    return read_file(folder / f"{name}.jsonl.gz")[0]


def hashes(folder: Path) -> dict[str, str]:
    """{name: SHA-256} of the files."""
    return {name: read_file(folder / f"{name}.jsonl.gz")[1] for name in FILES}


def paragraphs(folder: Path = FOLDER) -> list[Paragraph]:
    """Every paragraph with its questions."""

    def answers(rows: Iterable[Sequence[Any]]) -> Answers:
        return tuple((start, text) for start, text in rows)

    return [
        Paragraph(
            row["source"],
            clean_title(row["title"]),
            row["original"],
            row["flip"],
            tuple(
                Asked(q["q"], answers(q["original"]), None if q["flip"] is None else answers(q["flip"]))
                for q in row["questions"]
            ),
        )
        for row in read(folder, "paragraphs")
    ]


def collections(folder: Path = FOLDER) -> list[Collection]:
    """Every small collection."""
    return [
        Collection(row["name"], row["documents"], tuple(row["questions"]))
        for row in read(folder, "collections")
    ]


def write(path: Path, rows: Iterable[Any]) -> None:
    """One JSON object a line, gzipped; equal rows give equal bytes."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))


def _places(text: str, answers: Iterable[str]) -> list[list[Any]] | None:
    """[start, answer] of each, or None where one does not stand in the text."""
    found: list[list[Any]] = [[text.find(answer), answer] for answer in answers]
    return found if all(start >= 0 and answer for start, answer in found) else None


Flips = dict[str, tuple[str, dict[str, list[list[Any]]]]]  # {original: (flip, {question: answers in it})}


def flips_of_rows(rows: Iterable[Mapping[str, Any]]) -> Flips:
    """Flips kept as QA rows, each with the original it came from (`flip_of`)."""
    flips: Flips = {}
    for row in rows:
        _, asked = flips.setdefault(row["flip_of"], (row["context"], {}))
        asked[row["question"]] = [[answer["start"], answer["text"]] for answer in row["answers"]]
    return flips


def flips_of_pack(contexts: Mapping[int, str], lines: Iterable[str]) -> tuple[Flips, int]:
    """(flips, lines left out): lines `{p, text, now: [{q, a}], gone: [q]}` over numbered paragraphs.

    >>> line = '{"p": 1, "text": "Opened in 1902.", "now": [{"q": "when?", "a": "1902"}], "gone": ["who?"]}'
    >>> flips_of_pack({1: "Bell opened it."}, [line, '{"p": 1, "text": "It op'])
    ({'Bell opened it.': ('Opened in 1902.', {'who?': [], 'when?': [[10, '1902']]})}, 1)
    """
    flips: Flips = {}
    n_bad = 0
    for line in lines:
        try:
            row = json.loads(line)
            asked: dict[str, list[list[Any]]] = {question: [] for question in row["gone"]}
            for now in row["now"]:
                answers = now["a"] if isinstance(now["a"], list) else [now["a"]]
                found = _places(row["text"], answers)
                if found is None:
                    raise ValueError(now["a"])
                asked[now["q"]] = found
            flips[contexts[row["p"]]] = (row["text"], asked)
        except (ValueError, KeyError, TypeError):
            n_bad += 1
    return flips, n_bad


def contrast_of_pack(
    pack: Mapping[int, Mapping[str, Any]], lines: Iterable[str]
) -> tuple[list[dict[str, Any]], int]:
    """(QA rows, lines left out): lines `{p, q, a}` or `{p, q, t, k}` over numbered paragraphs.

    >>> pack = {1: {"title": "Bell", "context": "Ann Bell opened it."}}
    >>> lines = ['{"p": 1, "q": "who?", "a": "Ann Bell"}', '{"p": 1, "q": "when?", "t": "", "k": "other"}']
    >>> rows, n_bad = contrast_of_pack(pack, lines)
    >>> [(row["question"], row["answers"], row["impossible"]) for row in rows], n_bad
    ([('who?', [{'start': 0, 'text': 'Ann Bell'}], False), ('when?', [], True)], 0)
    """
    rows: list[dict[str, Any]] = []
    n_bad = 0

    def found_in(text: str, words: str | Sequence[str]) -> list[dict[str, Any]]:
        found = _places(text, [words] if isinstance(words, str) else words)
        if not found:
            raise ValueError(words)
        return [{"start": start, "text": answer} for start, answer in found]

    for line in lines:
        try:
            row = json.loads(line)
            place = pack[row["p"]]
            text = place["context"]
            made = {
                "context": text,
                "title": place["title"],
                "question": row["q"],
                "impossible": "a" not in row,
            }
            if "a" in row:
                made["answers"] = found_in(text, row["a"])
            else:
                made |= {"answers": [], "kind": row["k"]}
                made["tempting"] = found_in(text, row["t"]) if row["t"] else []
            rows.append(made)
        except (ValueError, KeyError, TypeError):
            n_bad += 1
    return rows, n_bad


def _paragraph_rows(
    contrast: Iterable[Mapping[str, Any]], flips: Flips, source_of: Mapping[str, str]
) -> list[Any]:
    """The rows of `paragraphs`: contrast questions by paragraph, with what the flip says of each."""
    by_paragraph: dict[str, dict[str, Any]] = {}
    for row in contrast:
        text = row["context"]
        flip, answers = flips.get(text, ("", {}))
        place = by_paragraph.setdefault(
            text,
            {
                "source": source_of[text],
                "title": row["title"],
                "original": text,
                "flip": flip,
                "questions": [],
            },
        )
        # a near miss that the flip does not answer on purpose is still missing; of an answer nobody said so
        otherwise: list[Any] | None = [] if flip and row["impossible"] else None
        asked: dict[str, Any] = {
            "q": row["question"],
            "original": [[answer["start"], answer["text"]] for answer in row["answers"]],
            "flip": answers.get(row["question"], otherwise),
        }
        if row["impossible"]:
            asked |= {"kind": row["kind"], "tempting": [a["text"] for a in row["tempting"]]}
        place["questions"].append(asked)
    return list(by_paragraph.values())


def _collection_row(folder: Path) -> tuple[dict[str, Any], int]:
    """(a row of `collections`, questions left out because their sentences do not stand in the documents)."""
    documents = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))}

    def sound(question: Mapping[str, Any]) -> bool:
        if "near" in question:
            near = question["near"]
            return near is None or near["s"] in documents.get(near["d"], "")
        return bool(question.get("e")) and all(
            e["s"] in documents.get(e["d"], "") and all(a in e["s"] for a in e.get("a", []))
            for e in question["e"]
        )

    questions, n_bad = [], 0
    for line in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        if not line.strip():
            continue
        try:
            question = json.loads(line)
            if not sound(question):
                raise ValueError(question["q"])
            questions.append(question)
        except (ValueError, KeyError, TypeError):
            n_bad += 1
    return {"name": folder.name, "documents": documents, "questions": questions}, n_bad


Numbered = dict[int, dict[str, Any]]  # the paragraphs of a pack


def _packs(folder: Path) -> Iterator[tuple[Path, Numbered]]:
    """Every pack of a folder."""
    for path in sorted(folder.glob("pack*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        yield path, {row["p"]: row for row in rows}


def _lines_beside(path: Path, kind: str) -> list[str]:
    """The lines written about a pack, [] where nobody wrote any."""
    beside = path.with_name(path.name.replace("pack", kind))
    return (
        [line for line in beside.read_text("utf-8").splitlines() if line.strip()] if beside.exists() else []
    )


def _flips_beside(path: Path, numbered: Numbered) -> tuple[Flips, int]:
    """(flips, lines left out) of a pack."""
    contexts = {number: row["context"] for number, row in numbered.items()}
    return flips_of_pack(contexts, _lines_beside(path, "flips"))


def _source_of(data: Path) -> dict[str, str]:
    """{passage: the public set it stands in}."""
    source_of: dict[str, str] = {}
    for source in SOURCES:
        for file in source.files:
            path = data / f"{file}.jsonl.gz"
            for row in read_file(path)[0] if path.exists() else ():
                source_of.setdefault(row["context"], source.name)
    return source_of


def add(data: Path, folder: Path, out: Path) -> dict[str, int]:
    """Add the packs of `folder` that have questions and flips to `out`'s paragraphs; {what: how many}.

    A paragraph without a flip is left out: its near misses would be told by their manner. One that is there
    already is written anew.
    """
    sources = _source_of(data)
    counts = {"lines left out": 0, "paragraphs without a flip": 0}
    added: dict[str, Any] = {}
    for path, numbered in _packs(folder):
        questions, n_bad = contrast_of_pack(numbered, _lines_beside(path, "out"))
        flips, n_bad_flips = _flips_beside(path, numbered)
        source_of = {row["context"]: sources.get(row["context"], OWN_SOURCE) for row in numbered.values()}
        rows = _paragraph_rows(questions, flips, source_of)
        added.update({row["original"]: row for row in rows if row["flip"]})
        counts["lines left out"] += n_bad + n_bad_flips
        counts["paragraphs without a flip"] += sum(not row["flip"] for row in rows)
    before = [row for row in read(out, "paragraphs") if row["original"] not in added]
    write(out / "paragraphs.jsonl.gz", [*before, *added.values()])
    counts |= {"added": len(added), "paragraphs": len(before) + len(added)}
    return counts | {"questions added": sum(len(row["questions"]) for row in added.values())}


def pack(data: Path, folders: Sequence[Path], packs: Path | None, out: Path) -> dict[str, int]:
    """Fill `out` from the writers' files; {what: how many}, with what was left out."""

    def written(name: str) -> list[Any]:
        return read_file(data / f"written_{name}.jsonl.gz")[0]

    counts: dict[str, int] = {"lines left out": 0}
    flips = flips_of_rows(written("flips"))
    for path, numbered in _packs(packs) if packs else ():
        more, n_bad = _flips_beside(path, numbered)
        flips.update(more)
        counts["lines left out"] += n_bad
    rows = _paragraph_rows(written("contrast"), flips, _source_of(data))
    found = []
    for folder in folders:
        for path in sorted(folder.glob("*/questions.jsonl")):
            row, n_bad = _collection_row(path.parent)
            counts["lines left out"] += n_bad
            found.append(row)
    kept = {
        "paragraphs": rows,
        "collections": sorted(found, key=lambda row: str(row["name"])),
        "conflicts": written("conflicts"),
        "followups": written("followups"),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, objects in kept.items():
        write(out / f"{name}.jsonl.gz", objects)
        counts[name] = len(objects)
    counts["flips"] = sum(bool(row["flip"]) for row in rows)
    counts["questions"] = sum(len(row["questions"]) for row in [*rows, *found])
    return counts


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of written_*.jsonl.gz and the public sets"
    )
    parser.add_argument("--collections", type=Path, nargs="*", default=[], help="folders of collections")
    parser.add_argument("--packs", type=Path, help="folder of packN.jsonl with their flipsN.jsonl")
    parser.add_argument("--add", type=Path, help="folder of packs to add to what --out holds")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    if options.add:
        counts = add(options.data, options.add, options.out)
    else:
        counts = pack(options.data, options.collections, options.packs, options.out)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()

"""The collections kept out of training, as documents and questions for the whole product to be measured on.

python -m rag.training.as_questions --out FOLDER
rag eval run FOLDER/questions --corpus FOLDER/corpus
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rag.training import material

_TYPES = {"quote": "quotation", "where": "what", "which": "what", "as_of": "what", "conflict": "what"}
_MISSING_TYPES = {"presupposition": "false_presupposition", "off_subject": "off_subject"}


def as_question(name: str, number: int, row: Any) -> dict[str, Any]:
    """A question of a collection in the product's format: all its evidence, or each alternative of one piece.

    >>> row = {"q": "who", "k": "quote", "e": [{"d": "a.txt", "s": "Ann said no.", "a": ["Ann"]}]}
    >>> as_question("mill", 3, row)["evidence"]
    [{'any_of': [{'document': 'mill/a.txt', 'quote': 'Ann said no.'}]}]
    """
    places = [{"document": f"{name}/{e['d']}", "quote": e["s"]} for e in row.get("e", ())]
    pieces = [[place] for place in places] if row.get("all") else [places] if places else []
    kind = row["k"]
    return {
        "id": f"{name}-{number:03}",
        "question": row["q"],
        "type": _TYPES.get(kind, kind) if "e" in row else _MISSING_TYPES.get(kind, "unanswerable"),
        "split": "dev",
        "answers": [answer for e in row.get("e", ()) for answer in e.get("a", ())],
        "evidence": [{"any_of": piece} for piece in pieces],
    }


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--material", type=Path, default=material.FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    (options.out / "questions").mkdir(parents=True, exist_ok=True)
    for collection in material.collections(options.material):
        if not collection.kept_out:
            continue
        folder = options.out / "corpus" / collection.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in collection.documents.items():
            (folder / name).write_text(text, "utf-8")
        rows = [as_question(collection.name, i, row) for i, row in enumerate(collection.questions, start=1)]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (options.out / "questions" / f"{collection.name}.jsonl").write_text(lines, "utf-8")


if __name__ == "__main__":
    main()

"""What a reader makes of the written material that was kept out of its training, with what no reading needs.

    python -m rag.training.measure --data FOLDER [--weights FOLDER]

Beside each figure stands what a classifier reaches that sees the question alone, or the passage alone (words
and pairs of words; fitted on what was trained on): what it reaches is manner, not reading.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.reader.base import PAIR_LABELS, Candidate, Reading
from rag.reader.crossencoder import CrossEncoderReader
from rag.reader.shipped import checked_folder
from rag.training import material, pairs, sources, written
from rag.training.dev import auroc, f1, mean

Figures = dict[str, float]
SEED = 20241122  # decides what is held out, as in training


def bag_of_words(train: Sequence[tuple[str, bool]], test: Sequence[tuple[str, bool]]) -> float:
    """AUROC on `test` of a linear classifier of words and word pairs, fitted on `train`: (text, label)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=3.0, max_iter=1000)
    model.fit(words.fit_transform([text for text, _ in train]), [label for _, label in train])
    scores = model.decision_function(words.transform([text for text, _ in test]))
    labels = [label for _, label in test]
    return auroc(
        [float(s) for s, label in zip(scores, labels, strict=True) if label],
        [float(s) for s, label in zip(scores, labels, strict=True) if not label],
    )


def flips(
    reader: CrossEncoderReader, kept: Sequence[material.Paragraph], trained: Sequence[material.Paragraph]
) -> Figures:
    """The same question over the version that answers it and over the other: which is read as the better?"""

    def alone(paragraphs: Sequence[material.Paragraph], part: int) -> list[tuple[str, bool]]:
        rows = [row for paragraph in paragraphs for row in written.flip_rows(paragraph)]
        return [
            (text, label)
            for question, right, _, wrong in rows
            for text, label in (((question, right)[part], True), ((question, wrong)[part], False))
        ]

    right: list[float] = []
    wrong: list[float] = []
    marked: list[float] = []
    for paragraph in kept:
        for question, text, answers, other in written.flip_rows(paragraph):
            found, missed = reader.read(
                question, [Candidate(text, paragraph.title), Candidate(other, paragraph.title)]
            )
            right.append(found.relevance)
            wrong.append(missed.relevance)
            best = text[found.marks[0].start : found.marks[0].end] if found.marks else ""
            marked.append(max(f1(best, answer) for _, answer in answers))
    return {
        "pairs": len(right),
        "right": mean(a > b for a, b in zip(right, wrong, strict=True)),
        "auroc": auroc(right, wrong),
        "f1_of_the_mark": mean(marked),
        "auroc_question_alone": bag_of_words(alone(trained, 0), alone(kept, 0)),
        "auroc_passage_alone": bag_of_words(alone(trained, 1), alone(kept, 1)),
    }


def collections(
    reader: CrossEncoderReader, kept: Sequence[material.Collection], trained: Sequence[material.Collection]
) -> Figures:
    """Every passage of a collection is read for each of its questions.

    Is one that answers first, and told apart from the best one for a question that nothing answers? Are the
    sentences to be shown told from the others of their passage?
    """
    first: list[bool] = []
    answerable: list[float] = []
    near: list[float] = []
    shown: list[float] = []
    other: list[float] = []
    exact: list[float] = []
    for collection in kept:
        shelf = written.Shelf(collection)
        candidates = [Candidate(place.text, place.header) for place in shelf.places]
        for question in collection.questions:
            readings = reader.read(question["q"], candidates)
            best = max(range(len(readings)), key=lambda i: readings[i].relevance)
            if "near" in question:
                near.append(readings[best].relevance)
                continue
            evidence = written.evidence_in(question, shelf)
            if not evidence:
                continue
            answerable.append(readings[best].relevance)
            first.append(best in {e.place for e in evidence})
            for i in sorted({e.place for e in evidence}):
                yes, no = _sentence_scores(
                    readings[i], shelf.places[i], [e for e in evidence if e.place == i]
                )
                shown += yes
                other += no
                if yes and no:
                    exact.append(min(yes) > max(no))
    asked = [(q["q"], "near" not in q) for c in kept for q in c.questions]
    figures: Figures = {
        "answerable": len(answerable),
        "hit@1": mean(first),
        "auroc": auroc(answerable, near),
        "auroc_question_alone": bag_of_words(
            [(q["q"], "near" not in q) for c in trained for q in c.questions], asked
        ),
    }
    if shown:
        figures |= {"evidence_auroc": auroc(shown, other), "evidence_sentences_first": mean(exact)}
        for least in (0.3, 0.5, 0.7):
            right = sum(score >= least for score in shown)
            figures[f"evidence_precision@{least}"] = right / max(1, right + sum(s >= least for s in other))
            figures[f"evidence_recall@{least}"] = right / len(shown)
    return figures


def _sentence_scores(
    reading: Reading, place: written.Place, evidence: Sequence[written.Evidence]
) -> tuple[list[float], list[float]]:
    """(of the sentences to be shown, of the passage's others): the probability that they are to be shown."""
    from rag.text.sentences import sentences

    yes: list[float] = []
    no: list[float] = []
    for start, end in sentences(place.text):
        score = reading.evidence_of(start, end)
        if score is not None:
            lo, hi = start + place.start, end + place.start
            inside = any(e.start < hi and lo < e.end for e in evidence)
            (yes if inside else no).append(score)
    return yes, no


def conflicts(reader: CrossEncoderReader, kept: Sequence[pairs.Pair]) -> Figures:
    """Pairs of quotations by label: how many are judged right, and conflicts among what is called one."""
    figures: Figures = {"pairs": len(kept)}
    judged = []
    for pair in kept:
        one, two = (
            Candidate(words, top.removesuffix(" . "))
            for words, top in zip(pair.quotations, pair.headers, strict=True)
        )
        (found,) = reader.judge(pair.question, [(one, two)])
        judged.append((pair.label, found))
    scores = [(label == "conflict", found.conflict) for label, found in judged]
    figures["auroc_conflict"] = auroc(
        [s for is_one, s in scores if is_one], [s for is_one, s in scores if not is_one]
    )
    for label in PAIR_LABELS:
        of_label = [found for told, found in judged if told == label]
        figures[f"right_{label}"] = mean(
            max(PAIR_LABELS, key=lambda name: getattr(found, name)) == label for found in of_label
        )
        figures[f"called_conflict_{label}"] = mean(found.conflict > 0.9 for found in of_label)
    return figures


def measure(data: Path, folder: Path, weights: Path, n_paragraphs: int | None = None) -> dict[str, Any]:
    """{test: figures} of the reader in `weights` on what `folder` keeps out of training."""
    reader = CrossEncoderReader(weights)
    _, held, _ = sources.load_all(data, SEED)
    paragraphs = material.paragraphs(folder)
    kept = written.kept_out(paragraphs, held)
    out = {paragraph.original for paragraph in kept}
    if n_paragraphs is not None:
        kept = random.Random(SEED).sample(kept, min(n_paragraphs, len(kept)))
    shelved = material.collections(folder)
    figures: dict[str, Any] = {
        "flips": flips(reader, kept, [p for p in paragraphs if p.original not in out]),
        "collections": collections(
            reader, [c for c in shelved if c.kept_out], [c for c in shelved if not c.kept_out]
        ),
    }
    if reader.judges_pairs:
        figures["conflicts"] = conflicts(reader, pairs.written_pairs(folder)[1])
    return figures


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of *.jsonl.gz QA files")
    parser.add_argument("--material", type=Path, default=material.FOLDER)
    parser.add_argument("--weights", type=Path, help="folder of a reader; the shipped one by default")
    parser.add_argument("--paragraphs", type=int, help="of those kept out, for a quick look")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    weights = options.weights or checked_folder()
    figures = measure(options.data, options.material, weights, options.paragraphs)
    for test, found in figures.items():
        print(test, json.dumps({name: round(value, 4) for name, value in found.items()}), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""The command ``rag bench``; ``rag.cli`` mounts it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.errors import UsageError

EPILOG = "Example: rag bench --sizes 1000,10000 --out runs/bench"
PARTS = ("limits", "index", "ask", "cold", "change", "peers")
LEAST = 100  # passages: below it no rate says anything


def bench(
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="N,N...", help="Numbers of passages to measure at.")
    ] = "1000,10000",
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Folder of documents to start from. Default: the sample documents."),
    ] = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option("--questions", help="Question files. Default: those of the sample documents."),
    ] = None,
    n_questions: Annotated[
        int, typer.Option("--n-questions", min=1, help="How many questions to ask at each size.")
    ] = 100,
    embed_up_to: Annotated[
        int,
        typer.Option(
            "--embed-up-to", min=0, help="Passages up to which the encoder runs; above it vectors are mixed."
        ),
    ] = 10_000,
    peers_up_to: Annotated[
        int, typer.Option("--peers-up-to", min=0, help="Passages up to which other systems are measured.")
    ] = 100_000,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Measure this part; again for more: {', '.join(PARTS)}."),
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=0, help="Threads and cores of each process. 0: all there are.")
    ] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder for bench.json and bench.svg.")] = Path(
        "runs/bench"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Write the card as one JSON object.")] = False,
) -> None:
    """Measure speed, memory and disk at several sizes, beside the machine's limits and other systems.

    The corpus is enlarged by mixing its sentences anew. Ctrl-C keeps the figures of finished sizes.
    """
    chosen = _parts(only)
    wanted = _sizes(sizes)
    from eval.bench.card import show
    from eval.bench.measure import Plan
    from eval.bench.measure import bench as measure
    from eval.bench.plot import svg
    from eval.files import write_whole
    from eval.questions import load_questions, question_files
    from eval.reports.tables import screen
    from rag.loading import n_cores
    from rag.output.streams import show_json, tell
    from rag.settings import load_settings

    data = Path(__file__).parents[1] / "data"
    asked = load_questions(question_files(questions or [data / "questions"]))
    plan = Plan(
        corpus=corpus or data / "corpus",
        questions=tuple(question.standalone or question.question for question in asked),
        sizes=wanted,
        threads=threads or n_cores(),
        n_questions=n_questions,
        embed_up_to=embed_up_to,
        peers_up_to=peers_up_to,
        parts=chosen,
    )
    card = measure(plan, out, load_settings({}).settings, announce=tell)
    write_whole(out / "bench.svg", svg(card))
    if as_json:
        show_json(card)
    else:
        show(card, screen())
    tell(f"written: {out / 'bench.json'}, {out / 'bench.svg'}")


def _parts(only: list[str] | None) -> frozenset[str]:
    """The parts asked for; all of them when none is named."""
    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise UsageError(f'no part is called "{unknown[0]}"', f"choose from: {', '.join(PARTS)}")
    return frozenset(only or PARTS)


def _sizes(text: str) -> tuple[int, ...]:
    """The sizes named, ascending.

    >>> _sizes("10_000, 1000")
    (1000, 10000)
    """
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UsageError(f'--sizes: expected numbers, got "{text}"', "--sizes 1000,10000") from None
    if sizes[0] < LEAST:
        raise UsageError(f"--sizes: expected {LEAST} passages or more, got {sizes[0]}", "--sizes 1000,10000")
    return tuple(sizes)

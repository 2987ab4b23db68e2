"""The commands ``rag eval ...``: each parses, calls one room, and shows what comes back.

``rag.cli`` mounts this app, so it is imported here only inside the commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.errors import UsageError

if TYPE_CHECKING:
    from eval.questions import Question
    from eval.runs import Run

NOT_PASSED = 8  # gate: a rule does not hold; check: the set is not sound

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Folder of the index. Default: RAG_STORE, else a folder in your data directory."
    ),
]
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Folder of documents; an index of them is kept in the run.")
]
QuestionsArgument = Annotated[
    list[Path], typer.Argument(metavar="QUESTIONS...", help="JSON-lines files, or folders that hold some.")
]


@app.command(
    "run", epilog="Example: rag eval run eval/data/questions --corpus eval/data/corpus --out runs/first"
)
def run_command(
    questions: QuestionsArgument,
    store: StoreOption = None,
    corpus: CorpusOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; one begun there goes on.")] = Path(
        "runs/run"
    ),
    split: Annotated[str | None, typer.Option("--split", help="Ask only this split: dev or test.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask only the first so many.")] = None,
    raw_follow_ups: Annotated[
        bool, typer.Option("--raw-follow-ups", help="Ask follow-ups a second time, as they were typed.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="NAME", help="Ask the store as it was when rag index --tag NAME was run."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again: remove the run that is in --out, but not its index.")
    ] = False,
) -> None:
    """Ask every question and keep all that is needed to judge the answers.

    Ctrl-C or a crash loses nothing: the same command goes on where it stopped.
    """
    from eval.runs import opening, remove_run

    if store is not None and corpus is not None:
        raise UsageError("--store and --corpus exclude each other", "give the one that holds the documents")
    if at is not None and corpus is not None:
        raise UsageError(
            "--at names a tag of a store, and --corpus makes an index of its own", "give --store"
        )
    wanted = _wanted(questions, split, limit)
    if fresh:
        remove_run(out)
    settings = opening.settings_for(out / "store" if corpus else store)
    if corpus is not None:
        opening.index(corpus, settings)
    opening.ask_all(wanted, settings, out, raw_follow_ups=raw_follow_ups, at=at)
    _summary(_opened(out))


@app.command(epilog="Example: rag eval report runs/first")
def report(
    folder: RunArgument,
    html: Annotated[
        Path | None, typer.Option("--html", help="Where the page goes. Default: RUN/report.html.")
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", min=0, help="Most questions on the page, failures first.")
    ] = 1000,
) -> None:
    """Show a run's figures, and write them with every question as one HTML file."""
    from eval.files import write_whole
    from eval.reports.html import render
    from eval.reports.tables import screen, show
    from eval.scoring.saved import finish

    run = _opened(folder)
    scores, figures = finish(run)
    path = html or folder / "report.html"
    write_whole(path, render(run, scores, figures, most_rows=rows))
    show(run, figures, screen())
    _tell(f"written: {path}")


@app.command(epilog="Example: rag eval compare runs/first runs/second --html flips.html")
def compare(
    a: RunArgument,
    b: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run to compare it with.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write both side by side as one HTML file.")
    ] = None,
    all_metrics: Annotated[
        bool, typer.Option("--all", help="Every metric, not only the headline ones.")
    ] = False,
) -> None:
    """Show what changed from run A to run B, and how sure that is."""
    from eval.files import write_whole
    from eval.reports import compare_html
    from eval.reports.compare import compare as comparison_of
    from eval.reports.compare_screen import show
    from eval.reports.tables import screen
    from eval.runs.environment import conditions_changed
    from eval.scoring import HEADLINE, METRICS
    from eval.scoring.saved import finish, load_scores

    runs = (_opened(a), _opened(b))
    (scores_a, _), (scores_b, _) = map(finish, runs)
    causes_a, causes_b = load_scores(a)[1], load_scores(b)[1]
    metrics = tuple(METRICS) if all_metrics else HEADLINE
    comparison = comparison_of(scores_a, scores_b, causes_a, causes_b, metrics=metrics)
    asked = {q.id: q.standalone or q.question for run in runs for q in run.questions}
    conditions = conditions_changed(runs[0].info, runs[1].info)
    show(comparison, asked, (runs[0].name, runs[1].name), screen(), conditions=conditions)
    if html is not None:
        write_whole(html, compare_html.render(runs[0], scores_a, runs[1], scores_b, comparison))
        _tell(f"written: {html}")


@app.command(epilog="Example: rag eval gate runs/now --baseline eval/baselines/own --rules eval/gate.toml")
def gate(
    folder: RunArgument,
    baseline: Annotated[Path, typer.Option("--baseline", help="Folder of the scores to hold it against.")],
    rules: Annotated[Path, typer.Option("--rules", help="TOML of floors and allowed drops.")] = Path(
        "eval/gate.toml"
    ),
    keep: Annotated[
        bool, typer.Option("--keep", help="Make this run the baseline instead of judging it.")
    ] = False,
) -> None:
    """Exit with 0 when a run may pass, with 8 when it fell below a floor or dropped for sure."""
    from eval.reports.gate import judge, load_baseline, load_rules, write_baseline
    from eval.scoring.saved import finish

    run = _opened(folder)
    scores, _ = finish(run)
    if keep:
        write_baseline(run, baseline)
        _tell(f"written: {baseline}")
        return
    verdicts = judge(scores, load_baseline(baseline, folder), load_rules(rules))
    for verdict in verdicts:
        print(verdict.line)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(NOT_PASSED)


@app.command(epilog="Example: rag eval check eval/data/questions --corpus eval/data/corpus")
def check(
    questions: QuestionsArgument,
    store: StoreOption = None,
    corpus: Annotated[Path | None, typer.Option("--corpus", help="Folder of the documents.")] = None,
) -> None:
    """Say whether a question set is sound: every quote and answer where it says, nothing asked twice.

    Without --store or --corpus only its form is checked. Exits with 8 when something is wrong.
    """
    from eval.questions import load_questions, question_files
    from eval.questions.check import check as soundness_of
    from eval.reports.soundness import lines
    from eval.runs.opening import library

    documents = library(store, corpus)
    soundness = soundness_of(load_questions(question_files(questions)), documents)
    for line in lines(soundness, with_documents=documents is not None):
        print(line)
    if not soundness.sound:
        raise typer.Exit(NOT_PASSED)


@app.command(epilog="Example: rag eval explain runs/first don-042")
def explain(
    folder: RunArgument,
    question_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a question of the run.")],
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Say why a question went as it did: gold passage beside winner, and words that would have told.

    While the run's index is still there, each such word is tried.
    """
    from eval.reports.explain import explain as explanation_of
    from eval.reports.explain import lines, to_json
    from eval.runs.opening import searching

    run = _opened(folder)
    with searching(run, store) as search:
        explanation = explanation_of(run, question_id, search=search)
    if as_json:
        from rag.output.streams import show_json

        show_json(to_json(explanation))
    else:
        print("\n".join(lines(explanation)))


@app.command(epilog="Example: rag eval new my-questions.jsonl")
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON-lines file to write or go on with.")],
    store: StoreOption = None,
) -> None:
    """Write questions with evidence by walking through the passages of a store.

    Each passage is shown: type a question and its answer, and say which near misses have no answer.
    """
    from eval.questions.writing import passages_of, write_questions
    from eval.runs.opening import settings_for
    from rag.store import Store

    with Store.open(settings_for(store).store) as opened:
        passages = passages_of(opened)
    n_written = write_questions(file, passages, _typed, print)
    _tell(f"{n_written} questions written to {file}; next: rag eval check {file} --store ...")


@app.command(epilog="Example: rag eval calibrate my-questions.jsonl")
def calibrate(
    questions: Annotated[
        list[Path] | None,
        typer.Argument(metavar="QUESTIONS...", help="JSON-lines files, or folders that hold some."),
    ] = None,
    store: StoreOption = None,
    precision: Annotated[
        float,
        typer.Option("--precision", min=0.5, max=0.99, help="Share of right answers among those given."),
    ] = 0.9,
    split: Annotated[str | None, typer.Option("--split", help="Ask only this split: dev or test.")] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take your calibration out: the one shipped holds again.")
    ] = False,
) -> None:
    """Fit how sure an answer must be to your own questions of a store, and keep that with the store.

    20 answerable and 20 unanswerable questions move the threshold, 50 of each the confidence as well.
    """
    from eval.calibrate_store import calibrate_store, lines, store_of
    from eval.runs.opening import on_bar, settings_for
    from rag.answering.store_calibration import remove, save
    from rag.output.progress_bar import progress

    settings = settings_for(store)
    folder = store_of(settings)
    if reset:
        _tell("removed" if remove(folder) else "there was no calibration of your own")
        return
    wanted = _wanted(questions or [], split, None)
    with progress() as bar:
        calibration, fit = calibrate_store(settings, wanted, precision, on_bar(bar))
    print("\n".join(lines(fit)))
    _tell(f"written: {save(folder, calibration)}; to remove it: rag eval calibrate --reset")


@app.command("import", epilog="Example: rag eval import squad dev-v1.1.json --out sets/squad")
def import_command(
    form: Annotated[
        str, typer.Argument(metavar="FORM", help="squad (JSON or JSON lines) or beir (BEIR, TREC).")
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or for beir one folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to make: corpus/ and questions.jsonl.")],
) -> None:
    """Turn a data set of the field into documents and questions."""
    from eval.questions.importers import import_beir, import_squad

    if form == "squad":
        n_documents, n_questions = import_squad(paths, out)
    elif form == "beir" and len(paths) == 1:
        n_documents, n_questions = import_beir(paths[0], out)
    else:
        raise UsageError("expected: squad FILE..., or beir FOLDER", "rag eval import --help")
    print(f"{n_documents} documents, {n_questions} questions")
    print(f"next: rag eval run {out}/questions.jsonl --corpus {out}/corpus --out runs/{out.name}")


@app.command(epilog="Example: rag eval export runs/first --trec-run --qrels")
def export(
    folder: RunArgument,
    trec_run: Annotated[bool, typer.Option("--trec-run", help="The rankings, as run.trec.")] = False,
    qrels: Annotated[bool, typer.Option("--qrels", help="The gold documents, as qrels.txt.")] = False,
    squad_predictions: Annotated[
        bool, typer.Option("--squad-predictions", help="The answers, as predictions.json and na_prob.json.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to. Default: the run's.")] = None,
) -> None:
    """Write a run in the formats of the field's tools."""
    from eval.reports.exporters import export as write_formats

    chosen = {"trec-run": trec_run, "qrels": qrels, "squad-predictions": squad_predictions}
    formats = [name for name, wanted in chosen.items() if wanted]
    if not formats:
        raise UsageError("nothing to export", "name a format: --trec-run, --qrels, --squad-predictions")
    for path in write_formats(_opened(folder), out or folder, formats):
        print(path)


@app.command(
    epilog="Example: rag eval peers eval/data/questions --corpus eval/data/corpus --out runs/peers --limit 20"
)
def peers(
    questions: QuestionsArgument,
    corpus: Annotated[Path, typer.Option("--corpus", help="Folder of the documents.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for peers.json and the systems' logs.")] = Path(
        "runs/peers"
    ),
    split: Annotated[str | None, typer.Option("--split", help="Ask only this split: dev or test.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask only the first so many.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads and cores of every system.")] = 2,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this system; give it again for more.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a system.")] = False,
) -> None:
    """Measure other systems beside ours: same documents, questions, weights and threads.

    They come with an extra: pip install 'rag[peers]'. What cannot run is a row that says why.
    """
    from eval.peers.comparison import compare as compare_peers
    from eval.peers.registry import chosen
    from eval.peers.table import show
    from eval.reports.tables import screen
    from eval.runs import opening

    systems = chosen(only)
    wanted = _wanted(questions, split, limit)
    report = compare_peers(
        wanted, corpus, out, systems, opening.settings_for(None), threads=threads, announce=_tell
    )
    if as_json:
        from rag.output.streams import show_json

        for system in report["systems"]:
            show_json({name: value for name, value in system.items() if name != "rows"})
    else:
        show(report, screen())
    _tell(f"written: {out / 'peers.json'}")


def _wanted(paths: list[Path], split: str | None, limit: int | None) -> list[Question]:
    """The questions of these files that are to be asked; raises UsageError when that is none."""
    from eval.questions import SPLITS, load_questions, question_files

    if split is not None and split not in SPLITS:
        raise UsageError(f'--split must be {" or ".join(SPLITS)}, got "{split}"')
    questions = load_questions(question_files(paths))
    wanted = [question for question in questions if split in (None, question.split)][:limit]
    if not wanted:
        raise UsageError("there is no question to ask", "see: rag eval check QUESTIONS")
    return wanted


def _typed(prompt: str) -> str | None:
    """The line typed at a prompt; None at the end of input."""
    try:
        return input(prompt)
    except EOFError:
        print()
        return None


def _opened(folder: Path) -> Run:
    from eval.runs import open_run

    return open_run(folder)


def _summary(run: Run) -> None:
    from eval.reports.tables import screen, show
    from eval.scoring.saved import finish

    show(run, finish(run)[1], screen())
    _tell(f"next: rag eval report {run.folder}")


def _tell(text: str) -> None:
    from rag.output.streams import tell

    tell(text)

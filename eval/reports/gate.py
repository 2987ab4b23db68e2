"""The gate: may this change go in? Floors a run must hold, and drops against a baseline that are too large.

The rules are one TOML file::

    alpha = 0.05                # a drop counts when its p, corrected over the drops, is below this
    [floors]                    # the mean may never be lower
    quote_verbatim = 1.0
    [drops]                     # a larger drop of the mean, when it is no accident, trips the gate
    citation_first = 0.02

A metric that the baseline measured and the run did not trips the gate, as does a question without a row: an
unmeasured thing has not passed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import dump, write_whole
from eval.reports.compare import Change, corrected, paired
from eval.reports.compare_screen import p_value
from eval.runs import AS_TYPED, Run
from eval.scoring import METRICS
from eval.scoring.aggregate import Table
from eval.scoring.saved import load_scores
from rag.errors import UsageError

# Measured or not according to what was answered.
BY_ANSWER = ("quote_verbatim", "fresh", "polarity", "no_false_alarm", "in_date_order")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate holds a run to."""

    floors: Mapping[str, float]
    drops: Mapping[str, float]
    alpha: float = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's outcome: ``passed``, or why not, with the figures; ``noted`` wants a look but passes."""

    rule: str
    passed: bool
    detail: str
    noted: bool = False

    @property
    def line(self) -> str:
        """The verdict as a line of a screen.

        >>> Verdict("right drops at most 2 points", False, "-10.00 points").line
        'FAIL  right drops at most 2 points: -10.00 points'
        """
        mark = "FAIL" if not self.passed else "note" if self.noted else "ok"
        return f"{mark:4}  {self.rule}: {self.detail}"


def load_rules(path: Path) -> Rules:
    """The rules of a TOML file, every fault of it told at once."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read as TOML ({error})", "see the top of eval/reports/gate.py"
        ) from error
    faults = [f'unknown key "{key}"' for key in sorted(set(table) - {"alpha", "floors", "drops"})]
    alpha = table.get("alpha", 0.05)
    if not _fraction(alpha) or alpha == 0:
        faults.append(f"alpha must be above 0 and at most 1, got {alpha!r}")
    for section in ("floors", "drops"):
        rules = table.get(section, {})
        if not isinstance(rules, dict):
            faults.append(f"{section} must be a table")
            continue
        faults += [f'{section}: no metric is called "{name}"' for name in rules if name not in METRICS]
        faults += [
            f"{section}.{name} must be 0..1, got {v!r}" for name, v in rules.items() if not _fraction(v)
        ]
    if faults:
        raise UsageError(f"{path}: {'; '.join(faults)}", "the metrics are listed by: rag eval report RUN")
    return Rules(table.get("floors", {}), table.get("drops", {}), alpha)


def load_baseline(folder: Path, run_folder: Path) -> Table:
    """The scores of a baseline; raises UsageError when there is none, with how to make one of this run."""
    if not (folder / "scores.jsonl").exists():
        raise UsageError(
            f"there is no baseline at {folder}", f"rag eval gate {run_folder} --baseline {folder} --keep"
        )
    return load_scores(folder)[0]


def _fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def judge(scores: Table, baseline: Table, rules: Rules) -> list[Verdict]:
    """Every rule's verdict on a run, in the order of the rules."""
    ids = [i for i in baseline if i in scores and not i.endswith(AS_TYPED)]
    changes = corrected([paired(metric, ids, baseline, scores) for metric in rules.drops])
    return [
        *_same_questions(scores, baseline, len(ids)),
        *(_floor(metric, floor, scores) for metric, floor in rules.floors.items()),
        *(_drop(change, rules, baseline, scores, ids) for change in changes),
    ]


def _same_questions(scores: Table, baseline: Table, n_in_both: int) -> list[Verdict]:
    """Whether every question of the baseline has a row, and a note of those the baseline lacks."""
    lacking = [i for i in baseline if i not in scores]
    new = [i for i in scores if i not in baseline]
    detail = f"{n_in_both} questions in both"
    if lacking:
        detail = f"{len(lacking)} of the baseline's questions have no row: {', '.join(lacking[:5])}"
    verdicts = [Verdict("every question answered for", not lacking, detail)]
    if new:
        detail = f"{len(new)} questions are new and not compared"
        verdicts.append(Verdict("same questions", True, detail, noted=True))
    return verdicts


def _floor(metric: str, floor: float, scores: Table) -> Verdict:
    """Whether the mean of a metric holds its floor; an unmeasured one does not."""
    once = [row for i, row in scores.items() if not i.endswith(AS_TYPED)]
    values = [value for row in once if (value := row.get(metric)) is not None]
    rule = f"{metric} at least {100 * floor:g} %"
    if not values:
        return Verdict(rule, False, "unmeasured")
    mean = sum(values) / len(values)
    return Verdict(rule, mean >= floor - 1e-12, f"{100 * mean:.2f} % of {len(values)}")


def _drop(change: Change, rules: Rules, baseline: Table, scores: Table, ids: list[str]) -> Verdict:
    allowed = rules.drops[change.metric]
    rule = f"{change.metric} drops at most {100 * allowed:g} points"
    lost = sum(
        baseline[i].get(change.metric) is not None and scores[i].get(change.metric) is None for i in ids
    )
    if change.difference is None or change.p_holm is None:
        return Verdict(rule, False, "unmeasured")
    detail = (
        f"{100 * change.difference:+.2f} points on {change.n} questions "
        f"(+{change.wins} −{change.losses}, p {p_value(change.p_holm)})"
    )
    if lost and change.metric not in BY_ANSWER:
        return Verdict(rule, False, f"{detail}; {lost} questions measured before are not now")
    too_large = -change.difference > allowed + 1e-12
    sure = change.p_holm < rules.alpha
    if too_large and not sure:
        return Verdict(rule, True, f"{detail}: larger than allowed, but it may be chance", noted=True)
    return Verdict(rule, not too_large, detail)


def write_baseline(run: Run, folder: Path) -> None:
    """Keep what a later gate needs of a finished run: its scores and what made them, no path of a machine."""
    if run.missing:
        raise UsageError(f"{run.folder} lacks {len(run.missing)} rows", "finish the run before keeping it")
    scores, causes = load_scores(run.folder)
    kept: dict[str, Any] = {
        key: run.info[key]
        for key in ("format", "questions_sha256", "code_sha256", "versions", "settings", "ranking", "seed")
        if key in run.info
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "run.json", json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    lines = (dump({"id": i, "cause": causes[i], **row}) for i, row in scores.items())
    write_whole(folder / "scores.jsonl", "".join(line + "\n" for line in lines))

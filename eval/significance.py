"""How sure a difference between two runs over the same questions is, and how small a one could be seen.

``differences[i]`` is B's value minus A's on question i, both measured. Every draw is seeded: the same
differences give the same numbers.

The tests are scipy's. The bootstrap of a mean is ours: it draws how often each distinct value comes up, which
is the same distribution as drawing questions one by one and, over 470 questions, twenty times as fast as
``scipy.stats.bootstrap``; a report needs some nine hundred intervals. The tests hold it to scipy's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 20261122
N_RESAMPLES = 10_000  # the interval's ends move by under a hundredth of its width from seed to seed
N_EXACT = 14  # up to 2**14 sign patterns are all counted instead of drawn


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean (Efron 1979); on differences it is the paired one.

    >>> bootstrap_interval([0.0, 0.0, 0.0])
    (0.0, 0.0)
    >>> low, high = bootstrap_interval([0.0, 1.0] * 50)  # normal theory: 0.5 -+ 1.96 * 0.05
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)
    """
    import numpy as np

    if not len(values):
        raise ValueError("no values: there is no interval of nothing")
    distinct, counts = np.unique(np.asarray(values, float), return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=n_resamples)
    means = drawn @ distinct / len(values)  # (n_resamples,)
    return _percentiles(means, level)


def summary(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean and 95 % interval of the measured values, and how many there are of either sort.

    >>> summary([0.0, None, 0.0])
    {'mean': 0.0, 'low': 0.0, 'high': 0.0, 'n': 2, 'unmeasured': 1}
    """
    measured = [value for value in values if value is not None]
    if not measured:
        return {"mean": None, "low": None, "high": None, "n": 0, "unmeasured": len(values)}
    low, high = bootstrap_interval(measured)
    return {
        "mean": sum(measured) / len(measured),
        "low": low,
        "high": high,
        "n": len(measured),
        "unmeasured": len(values) - len(measured),
    }


def bootstrap_statistic(
    statistic: Callable[[NDArray[np.int64]], float | None],
    n: int,
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """The percentile interval of any number computed from the rows drawn; None where it often has no value.

    ``statistic`` gets an array of row numbers, drawn with replacement.

    >>> bootstrap_statistic(lambda rows: 0.5, 10)
    (0.5, 0.5)
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn = [statistic(rng.integers(0, n, n)) for _ in range(n_resamples)] if n else []
    values = np.array([value for value in drawn if value is not None])
    return _percentiles(values, level) if len(values) > n_resamples / 2 else None


def _percentiles(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    import numpy as np

    tail = 100 * (1 - level) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def randomisation_p(
    differences: Sequence[float], *, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> float:
    """The two-sided p of the paired randomisation test: how often chance signs give as large a mean.

    All sign patterns are counted up to 14 questions that differ; above, they are drawn and the observed
    one is counted in, so p is never 0 (Phipson and Smyth 2010).

    >>> randomisation_p([1.0, 1.0, 1.0, 0.0])  # 2 of the 8 sign patterns are as extreme
    0.25
    >>> randomisation_p([0.0, 0.0])
    1.0
    """
    import numpy as np
    from scipy.stats import permutation_test

    differing = np.asarray([difference for difference in differences if difference != 0], float)
    if len(differing) < 2:  # either sign is as extreme as the other
        return 1.0
    test = permutation_test(
        (differing,),
        np.mean,
        permutation_type="samples",  # of one sample: the signs are flipped
        n_resamples=np.inf if len(differing) <= N_EXACT else n_resamples,
        batch=1000,  # sign patterns in memory at once
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def mcnemar_p(wins: int, losses: int) -> float:
    """The exact two-sided p of McNemar's test: an even coin giving a split of flips at least as uneven.

    >>> mcnemar_p(6, 0), mcnemar_p(5, 0), mcnemar_p(3, 3), mcnemar_p(0, 0)
    (0.03125, 0.0625, 1.0, 1.0)
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for being several (Holm 1979), in the order given.

    >>> holm([0.01, 0.04, 0.03])  # 3 * 0.01; 2 * 0.03; the largest cannot fall below the one before
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    floor = 0.0
    for place, i in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[i]))
        corrected[i] = floor
    return corrected


def effect_size(differences: Sequence[float]) -> float | None:
    """The mean difference in standard deviations of the differences (Cohen's d for pairs), or None.

    >>> effect_size([0.0, 0.0, 1.0, 1.0])  # mean 0.5, deviation sqrt(1/3)
    0.8660254037844387
    """
    deviation = _deviation(differences)
    return sum(differences) / len(differences) / deviation if deviation else None


def _deviation(values: Sequence[float]) -> float:
    from statistics import stdev

    return stdev(values) if len(values) > 1 else 0.0


def smallest_visible(n: int, alpha: float = 0.05) -> float | None:
    """The smallest share of one-sided flips an exact test of ``n`` yes-or-no questions can call real.

    With no loss at all, 6 wins are the fewest with p under 0.05. None when even n wins are too few.

    >>> smallest_visible(85)  # 6 of 85: with 85 questions a change under 7 points cannot be seen
    0.07058823529411765
    >>> smallest_visible(5) is None
    True
    """
    wins = next((wins for wins in range(1, n + 1) if mcnemar_p(wins, 0) < alpha), None)
    return wins / n if wins is not None else None


def smallest_detectable(
    differences: Sequence[float], *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """The smallest true mean difference that these questions would show with this power, by normal theory.

    The spread is that of the differences seen, and never less than that of the fewest flips a test could
    call real: two runs that agree everywhere prove no unlimited eyesight. None for under 6 questions.

    >>> round(smallest_detectable([1.0, -1.0] * 50), 3)  # (1.960 + 0.842) * 1.005 / 10
    0.282
    """
    from statistics import NormalDist

    n = len(differences)
    floor = smallest_visible(n, alpha)
    if floor is None:
        return None
    factor = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
    return max(floor, factor * _deviation(differences) / sqrt(n))


def power_of(true_difference: float, deviation: float, n: int, alpha: float = 0.05) -> float:
    """The chance that ``n`` questions show a true mean difference, by normal theory, two-sided.

    >>> round(power_of(0.282, 1.005, 100), 2)
    0.8
    """
    from statistics import NormalDist

    normal = NormalDist()
    if deviation <= 0:
        return 1.0 if true_difference else alpha
    shift, edge = abs(true_difference) * sqrt(n) / deviation, normal.inv_cdf(1 - alpha / 2)
    return normal.cdf(shift - edge) + normal.cdf(-shift - edge)

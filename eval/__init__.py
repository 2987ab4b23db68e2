"""From questions to reports: what an assistant answers, measured against what people wrote down as right.

The package's name hides a builtin, so import what you need by name: ``from eval.metrics import f1``.
"""

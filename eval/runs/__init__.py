"""Runs: a question set asked of an assistant, kept as a folder that can be scored again at any time."""

from eval.runs.folder import AS_TYPED, FORMAT, Place, Row, Run, base_id, open_run, remove_run

__all__ = ["AS_TYPED", "FORMAT", "Place", "Row", "Run", "base_id", "open_run", "remove_run"]

"""Questions with their gold answers and gold evidence, read from JSON lines."""

from eval.questions.files import load_questions, question_files, questions_sha256
from eval.questions.parsing import parse_question, question_to_json
from eval.questions.records import SPLITS, TRAITS, TYPES, GoldPlace, Piece, Question

__all__ = [
    "SPLITS",
    "TRAITS",
    "TYPES",
    "GoldPlace",
    "Piece",
    "Question",
    "load_questions",
    "parse_question",
    "question_files",
    "question_to_json",
    "questions_sha256",
]

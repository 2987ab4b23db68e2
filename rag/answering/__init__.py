"""From read passages to an answer: the parsed question, evidence, confidence, reasons."""

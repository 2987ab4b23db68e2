"""What is measured apart from the question sets; each module says how with ``--help``."""

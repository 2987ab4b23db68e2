"""What a person reads of a run: tables, pages, comparisons, the gate."""

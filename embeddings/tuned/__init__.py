"""What was trained here of the paragraph encoder: its layers, and how they came about (MODEL_CARD.md)."""

"""The files a reader ships with: weights, tokenizer, calibration."""

"""What is true of text whatever it is for: words, sentences, dates, names, lines."""

"""From a question to ranked passages: vectors, words, and their fusion."""

"""Text in, vectors out: encoders, their weights, and the FAISS index. Knows nothing of documents."""

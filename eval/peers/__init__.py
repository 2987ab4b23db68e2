"""``rag eval peers``: other people's systems and ours, on the same documents, questions and weights.

What is the same for all:

- The passages. Our own pipeline cuts the documents, and every system gets the same texts: title, date and
  heading, then the passage's words, which is what our encoder and our reader are given. So retrieval and
  reading are compared, not loaders and cutting, and gold evidence is looked up in one way.
- The weights: our encoder's, written out as a sentence-transformers folder, and our reader's trunk and span
  head, written out as the ``BertForQuestionAnswering`` they are. That has no place for our relevance head.
- The threads: set before anything is imported, and the process is held to as many cores.
- The scoring, by ``eval.scoring``. A passage whose words stand elsewhere too counts for all its places.

Each system runs in a process of its own: its peak memory is its own, and when it cannot run, that is a row
which says why. Everything else is left at its documented default. One question is asked untimed first.

What differs: our indexing time includes reading, cutting and hashing the files, a second vector index of
sentences and a store synced to disk, while the others get finished passages and hold their index in memory.
Our assistant reads as many passages as it does for a user and lists no more than those.
"""

"""``rag bench``: how fast, how large and how heavy, at several sizes of corpus, beside the machine's limits.

The text. Up to a size the documents of the corpus named are taken as they are. What is missing is made of
their sentences (``eval.bench.mixtures``): files of 50 paragraphs, each of them sentences of the corpus up to
a length drawn from 40 to 160 words, most of them from one document. In each file every name is exchanged for
another, the same throughout the file, and every figure for another of as many digits. So words are those of
people, the vocabulary grows with the corpus, and no paragraph stands there twice; but a common word stands in
more passages than it would in text that people wrote, which makes the lexical side work harder.

The vectors. Up to ``--embed-up-to`` passages the encoder makes them all, and that is what indexing is timed
with. Above it the sentences of the corpus are encoded once and a passage's vector is the mean of its
sentences', each by its length, with noise of its own added (``eval.bench.mixtures.MixtureEncoder``): indexing
is then timed without the forward pass, which the figures say. Everything else of the pipeline runs unchanged,
through the same writer. Questions are always encoded by the encoder itself.

The questions. Half are those of a question set, half ask for two words of a passage that was made.

Each measure is taken in a process of its own, held to the same number of threads and cores.
"""

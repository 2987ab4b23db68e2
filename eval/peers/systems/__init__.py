"""One module a library: each brings it up with its documented defaults and asks it questions."""

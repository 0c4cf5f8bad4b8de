"""Serial links to real arms. Empty so far: the wire protocol and its driver come with their own issue."""

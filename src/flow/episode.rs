//! What an episode is called: a hash of what it is, the same in every replay.

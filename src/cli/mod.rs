//! What people touch: the commands.
